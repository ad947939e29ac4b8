"""A TCP connection across the two wires, with both ends' sequence numbers kept in step."""

from crafted import reset, seen, tcp


class Talk:
    """Each step sends a segment and expects it on the other wire as translated, unless told otherwise."""

    def __init__(self, t, client, port, server, server_port, egress, egress_port=None):
        self.t, self.client, self.port, self.server, self.server_port = t, client, port, server, server_port
        self.egress, self.egress_port = egress, egress_port or port
        self.mine, self.theirs = 1000, 5000  # the next sequence number of either side

    def say(self, flags, payload=b"", offset=0, **expect):
        """From the client, `offset` bytes from where it stands; it stays there."""
        ack = self.theirs if "A" in flags else 0
        segment = tcp(self.client, self.port, self.server, self.server_port, flags, self.mine + offset, ack, payload)
        self.t.inside(segment, **(expect or {"outside": self.as_seen(segment)}))
        return segment

    def answer(self, flags, payload=b"", offset=0, **expect):
        segment = tcp(self.server, self.server_port, self.egress, self.egress_port, flags, self.theirs + offset, self.mine, payload)
        self.t.outside(segment, **(expect or {"inside": seen(segment, dst=self.client, dport=self.port)}))
        return segment

    def as_seen(self, segment):
        return seen(segment, src=self.egress, sport=self.egress_port)

    def open(self):
        self.say("S")
        self.mine += 1
        self.answer("SA")
        self.theirs += 1
        self.say("A")
        return self

    def send(self, payload, **expect):
        segment = self.say("PA", payload, **expect)
        self.mine += len(payload)
        return segment

    def receive(self, payload, **expect):
        segment = self.answer("PA", payload, **expect)
        self.theirs += len(payload)
        return segment

    def close(self):
        self.say("FA")
        self.mine += 1
        self.answer("FA")
        self.theirs += 1
        self.say("A")
        return self

    def reset_to_client(self, consumed=0):
        """What tells the client that it was refused, having sent `consumed` more bytes."""
        return reset(self.server, self.server_port, self.client, self.port, self.theirs, self.mine + consumed)

    def reset_to_server(self):
        """What tells the server: it never saw more than what was forwarded."""
        return reset(self.egress, self.egress_port, self.server, self.server_port, self.mine, self.theirs)
