"""What a fleet of gateways behind ECMP does, as a model: who loses flows when a gateway comes or goes, how even the load is, how
many egress addresses popular destinations want. Draws come from a seed, so the same call says the same."""

import math
import random

PORTS = 64512  # of an egress address, 1024 to 65535
HASH = 2**32


# ---- spreading: (hash, members) -> member. A member is any name; the order is that of the router's table. ----

class Modulo:
    """hash % N, as many a switch does without more ado."""
    name = "modulo"

    def __init__(self, members):
        self.members = list(members)

    def member(self, key):
        return self.members[key % len(self.members)]

    def without(self, member):
        return Modulo([one for one in self.members if one != member])

    def beside(self, member):
        return Modulo([*self.members, member])


class Threshold(Modulo):
    """Equal regions of the hash's range (RFC 2992), as Linux does by default."""
    name = "hash threshold"

    def member(self, key):
        return self.members[key * len(self.members) // HASH]

    def without(self, member):
        return Threshold([one for one in self.members if one != member])

    def beside(self, member):
        return Threshold([*self.members, member])


class Resilient:
    """A fixed number of buckets, each of which stays where it is as long as it may (Linux `type resilient`, and switches)."""
    name = "resilient"

    def __init__(self, members, buckets=4096, table=None):
        self.members = list(members)
        self.table = table or [self.members[i % len(self.members)] for i in range(buckets)]

    def member(self, key):
        return self.table[key % len(self.table)]

    def without(self, member):
        left = [one for one in self.members if one != member]
        taken = 0
        table = list(self.table)
        for i, owner in enumerate(table):
            if owner == member:
                table[i] = left[taken % len(left)]
                taken += 1
        return Resilient(left, table=table)

    def beside(self, member):
        """The new one's share is taken from each of the others alike."""
        members = [*self.members, member]
        share = len(self.table) // len(members)
        table, taken = list(self.table), dict.fromkeys(self.members, 0)
        each = share / len(self.members)
        for i, owner in enumerate(self.table):
            if taken[owner] < each and sum(taken.values()) < share:
                table[i] = member
                taken[owner] += 1
        return Resilient(members, table=table)


SPREADS = (Modulo, Threshold, Resilient)


def change(before, after, keys, gone=None):
    """The share of all flows that find themselves at another gateway than the one that knows them, and of those whose gateway
    is still there."""
    moved = alive = alive_moved = 0
    for key in keys:
        had, has = before.member(key), after.member(key)
        moved += had != has
        if had != gone:
            alive += 1
            alive_moved += had != has
    return moved / len(keys), alive_moved / alive


def fullest(spread, keys):
    """The load of the fullest gateway by that of the average one."""
    load = dict.fromkeys(spread.members, 0)
    for key in keys:
        load[spread.member(key)] += 1
    return max(load.values()) * len(load) / len(keys)


def keys_of(senders, flows, seed):
    """A hash for each flow: of its sender, who has flows by Zipf (the busiest sender has most)."""
    draw = random.Random(seed)
    hashes = [draw.randrange(HASH) for _ in range(senders)]
    weights = [1 / (i + 1) for i in range(senders)]
    return draw.choices(hashes, weights, k=flows)


def membership_rows(counts, flows, senders, seed):
    """(gateways, spread, one goes: of all flows, of those of others; one comes: of all; fullest) for each."""
    draw = random.Random(seed)
    flow_keys = [draw.randrange(HASH) for _ in range(flows)]
    sender_keys = keys_of(senders, flows, seed)
    rows = []
    for count in counts:
        members = list(range(count))
        for spread in SPREADS:
            now = spread(members)
            gone = count // 2
            goes = change(now, now.without(gone), flow_keys, gone)
            comes = change(now, now.beside(count), flow_keys)
            rows.append((count, spread.name, *goes, comes[0], fullest(now, flow_keys), fullest(now, sender_keys)))
    return rows


# ---- egress addresses by the popularity of destinations ----

def zipf_share(rank, destinations, exponent):
    return rank**-exponent / sum((i + 1) ** -exponent for i in range(destinations))


def addresses_for(flows, busiest, fill=0.8):
    """So many egress addresses, if flows to the busiest destination are `busiest` of all: a port serves many destinations, so
    the busiest alone decides. `fill`: senders are spread over a pool by a hash, and its addresses not filled to the last port."""
    return max(1, math.ceil(flows * busiest / (PORTS * fill)))


def fullest_address(flows, addresses, seed):
    """Of flows to one destination, by senders that a hash spreads over a pool: how full the fullest address is (1: all ports)."""
    draw = random.Random(seed)
    load = [0] * addresses
    for _ in range(flows):
        load[draw.randrange(addresses)] += 1
    return max(load) / PORTS


# ---- sizing ----

def sizing(bits_per_second, packet_bytes, flows, figures, machine):
    """How many machines: the most of what packets, flows and wires each want, and one to spare.
    figures: ns_per_packet, ns_device, bytes_per_flow; machine: workers, busy (of a worker at most), flow_bytes, wire_bits."""
    packets = bits_per_second / (8 * (packet_bytes + 20))  # preamble and gap
    workers = packets * (figures["ns_per_packet"] + figures["ns_device"]) / 1e9 / machine["busy"]
    by_packets = math.ceil(workers / machine["workers"])
    by_flows = math.ceil(flows * figures["bytes_per_flow"] / machine["flow_bytes"])
    by_wires = math.ceil(bits_per_second / machine["wire_bits"])
    return {"packets": packets, "workers": math.ceil(workers), "by_packets": by_packets, "by_flows": by_flows, "by_wires": by_wires,
            "machines": max(by_packets, by_flows, by_wires) + 1}
