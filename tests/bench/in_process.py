"""The goals that need no device: each is a benchmark of ours against its reference in one process, round by round in turn."""

import google
from figures import Figure, Limit, Row, judged, left_out, worst


def per_packet(row):
    return f", {google.own_nanoseconds(row):.0f} ns by {row['theirs_ns']:.0f} ns"


class InProcess:
    def __init__(self, build, quick):
        rounds = 5 if quick else 21
        self.quick = quick
        self.pipeline = google.Program(build, "bench_pipeline", rounds)
        self.trie = google.Program(build, "bench_trie", rounds)
        self.host = google.Program(build, "bench_host", rounds, {} if quick else {"SALLYPORT_BENCH_LONG": "1"})
        self.names = google.Program(build, "bench_names", rounds)

    def contest(self, goal, what, name, limit, program=None, more=per_packet):
        program = program or self.pipeline
        row = program.row(name)
        return judged(goal, what, google.quarters(row), limit, program.command(name.split("/")[0]), more=more(row))

    def p1(self):
        yield self.contest("P1", "established 64 B UDP v4, SNAT, 64 k flows in random order, by MAC swap",
                           "established_udp_against_mac_swap/65536/4", Limit(at_most=3.0))

    def p2(self):
        yield self.contest("P2", "the same, 1 M flows in random order", "established_udp_against_mac_swap/1048576/4",
                           Limit(at_most=4.2))

    def p3(self):
        what = "speed left with 16 M flows in random order, of that with 64 k"
        if self.quick:
            yield left_out("P3", what, "takes minutes and 6 GB")
            return
        yield self.contest("P3", what, "speed_left_with_16m_flows", Limit(at_least=0.55), more=lambda _: "")

    def p4(self):
        yield self.contest("P4", "v6 by v4, 1 M flows in random order", "v6_against_v4", Limit(at_most=1.35))

    def p5(self):
        rows = self.pipeline.rows("^bytes_a_flow")
        for family, limit in ((4, 96), (6, 160)):
            yield judged("P5", f"bytes a flow, indexes included, v{family}", Figure(rows[f"bytes_a_flow/{family}"]["bytes"]),
                         Limit(at_most=limit), self.pipeline.command("bytes_a_flow"))

    def p6(self):
        row = self.pipeline.row("new_flows/1")
        ended = google.quarters(row, "ended")
        shared = google.quarters(self.pipeline.row("new_flows/16"), "flows")
        yield judged("P6", "new flows a second, policy and port choice included, an empty table filled to 1 M",
                     google.quarters(row, "flows"), Limit(at_least=1.5e6), self.pipeline.command("new_flows"), 1e-6, "M",
                     more=f"; 16 to an endpoint: {shared.text(1e-6, 'M')}; ended by time: {ended.text(1e-6, 'M')}")

    def p7(self):
        for family, limit, megabytes in ((4, 0.5, 8), (6, 0.25, None)):
            fib = "rte_fib" if family == 4 else "rte_fib6"
            name = f"lookup_v{family}_against_{fib}/routes_and_excepts/61_values/keys_anywhere"
            row = self.trie.row(name)
            figure, ratio_limit = google.quarters(row), Limit(at_most=limit)
            verdicts = [ratio_limit.verdict(figure)]
            wanted = ratio_limit.text()
            if megabytes:
                verdicts.append(Limit(at_most=megabytes).verdict(Figure(row["MB"])))
                wanted += f", <= {megabytes} MB"
            yield Row("P7", f"trie by `{fib}`, {row.get('label', 'prefixes')} with excepts, keys anywhere in random order",
                      f"{figure.text()}{per_packet(row)}, {row['MB']:.1f} MB", wanted, worst(verdicts),
                      self.trie.command(name.split("/")[0]))

    def p8(self):
        count = 10_000 if self.quick else 1_000_000
        yield self.contest("P8", f"host in a `domain_set` by Hyperscan literals, {count:,} names in random order",
                           f"domain_set_against_hyperscan/{count}", Limit(at_most=0.05), self.host)
        hello = self.names.row("tls_client_hello/key_share:38/record:16384")
        yield judged("P8", "ClientHello to name", Figure(google.seconds(hello)), Limit(at_most=50e-9),
                     self.names.command("tls_client_hello"), 1e9, "ns")
        initial = self.names.row("quic_initial/one_frame")
        yield judged("P8", "QUIC Initial to name, tag verified", Figure(google.seconds(initial)), Limit(at_most=1.9e-6),
                     self.names.command("quic_initial"), 1e6, "us")

    def p9(self):
        for program, name, what, limits in (
                (self.trie, "build_trie", "prefixes", {1_000: 0.2, 10_000: 1.5, 100_000: 15, 900_000: 150}),
                (self.host, "build_domain_set", "names", {1_000: 0.3, 10_000: 2, 100_000: 20, 1_000_000: 250})):
            rows = program.rows(f"^{name}/")
            times = {count: google.seconds(rows[f"{name}/{count}"]) * 1e3 for count in limits}
            verdict = worst(Limit(at_most=limit).verdict(Figure(times[count])) for count, limit in limits.items())
            yield Row("P9", f"compile {' / '.join(f'{count:,}' for count in limits)} {what}",
                      " / ".join(f"{time:.3g}" for time in times.values()) + " ms",
                      "<= " + " / ".join(f"{limit:g}" for limit in limits.values()) + " ms", verdict, program.command(name))

    def p11(self):
        row = self.pipeline.row("two_workers_against_one")
        swap = google.quarters(self.pipeline.row("two_mac_swaps_against_one"))
        yield judged("P11", "two workers by one, 64 k flows each in random order, no device", google.quarters(row),
                     Limit(at_least=1.95), self.pipeline.command("two_"), more=f"; two MAC swaps by one: {swap.text()}")

    def p13(self):
        for what, name in (("new flows of UDP into a full table of 1 M", "speed_under_udp_flood"),
                           ("SYNs of spoofed senders into a full table of 1 M", "speed_under_syn_flood"),
                           ("connections with a hello each that names another host", "speed_under_name_flood")):
            yield self.contest("P13", f"packets a second while every second one is of a flood, {what}, by 1 M established flows alone", name,
                               Limit(at_least=0.5), more=self.looked_at)
        for what, name in (("1 M flows chosen to collide under the default hash key", "hash_flood_against_established"),
                           ("packets from outside to nobody", "misses_against_established")):
            yield self.contest("P13", f"{what}, by established ones", name, Limit(at_most=2.0))

    @staticmethod
    def looked_at(row):
        return f"; {row['looked_at'] * 100:.0f} % of the flood looked at"

    def p14(self):
        yield self.contest("P14", "time and timers with 4 M flows in random order, by the same packets without",
                           "aging_against_none", Limit(at_most=1.02))
