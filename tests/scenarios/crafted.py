"""Packets for scenarios, made with scapy: with every length and checksum filled in, as they have to be seen on the other side
of the translator, and what the gateway says of its own."""

import logging
import struct

logging.getLogger("scapy.runtime").setLevel(logging.ERROR)
from scapy.layers.inet import ICMP, IP, TCP, UDP  # noqa: E402
from scapy.layers.inet6 import ICMPv6EchoReply, ICMPv6EchoRequest, IPv6  # noqa: E402
from scapy.packet import Raw  # noqa: E402

def ip(source, destination, **fields):
    if ":" in source:
        renamed = {"hlim" if key == "ttl" else key: value for key, value in fields.items()}
        return IPv6(src=source, dst=destination, **renamed)
    return IP(src=source, dst=destination, **fields)


def tcp(source, sport, destination, dport, flags="S", seq=1000, ack=0, payload=b"", options=(), window=65000, **fields):
    header = TCP(sport=sport, dport=dport, flags=flags, seq=seq & 0xFFFFFFFF, ack=ack & 0xFFFFFFFF, window=window,
                 options=list(options))
    return fixed(ip(source, destination, **fields) / header / Raw(payload))


def udp(source, sport, destination, dport, payload=b"", **fields):
    return fixed(ip(source, destination, **fields) / UDP(sport=sport, dport=dport) / Raw(payload))


def echo(source, destination, identifier, sequence=1, reply=False, payload=b"abcdefgh", **fields):
    if ":" in source:
        kind = ICMPv6EchoReply if reply else ICMPv6EchoRequest
        return fixed(ip(source, destination, **fields) / kind(id=identifier, seq=sequence, data=payload))
    return fixed(ip(source, destination, **fields) / ICMP(type=0 if reply else 8, id=identifier, seq=sequence) / Raw(payload))


def icmp_error(source, destination, kind, code, quoted, argument=0, **fields):
    """An ICMP error of either family; `kind` and `code` as that family numbers them, `argument`: the second word."""
    body = struct.pack("!BBHI", kind, code, 0, argument) + bytes(quoted)
    outer = ip(source, destination, **fields)
    if ":" in source:
        outer.nh = 58
        pseudo = outer.src, outer.dst
        value = checksum(b"".join(map(raw_address, pseudo)) + struct.pack("!II", len(body), 58) + body)
    else:
        outer.proto = 1
        value = checksum(body)
    return fixed(outer / Raw(body[:2] + struct.pack("!H", value) + body[4:]))


def raw_address(text):
    return bytes(IPv6(src=text))[8:24] if ":" in text else bytes(IP(src=text))[12:16]


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def fixed(packet):
    """With every length and checksum filled in, as bytes would have them."""
    return packet.__class__(bytes(packet))


def unfixed(packet):
    """A copy whose checksums are made anew."""
    again = packet.copy()
    layer = again
    while layer:
        for field in ("chksum", "cksum"):
            if field in layer.fields:
                delattr(layer, field)
        layer = layer.payload
    return again


def seen(packet, src=None, dst=None, sport=None, dport=None, identifier=None, hops=1):
    """The packet as the other side has to see it: translated, one hop further, all checksums right."""
    again = unfixed(packet)
    again.src, again.dst = src or again.src, dst or again.dst
    if hops:
        setattr(again, "hlim" if IPv6 in again else "ttl", (again.hlim if IPv6 in again else again.ttl) - hops)
    for layer in (TCP, UDP):
        if layer in again:
            again[layer].sport = sport or again[layer].sport
            again[layer].dport = dport or again[layer].dport
    for layer in (ICMP, ICMPv6EchoRequest, ICMPv6EchoReply):
        if layer in again and identifier is not None:
            again[layer].id = identifier
    return fixed(again)


def has_right_checksums(packet):
    return bytes(fixed(unfixed(packet))) == bytes(packet)


def reset(source, sport, destination, dport, seq, ack):
    """A reset that the gateway makes, as if the source had sent it."""
    def check(packet):
        return (TCP in packet and (packet.src, packet[TCP].sport, packet.dst, packet[TCP].dport) == (source, sport, destination, dport)
                and packet[TCP].flags == "RA" and (packet[TCP].seq, packet[TCP].ack) == (seq & 0xFFFFFFFF, ack & 0xFFFFFFFF)
                and has_right_checksums(packet))
    return named(check, f"a reset {source}:{sport} > {destination}:{dport} seq {seq} ack {ack}")


def says(kind, code, to, quoted, argument=0):
    """An ICMP error of the gateway's own to `to`, that quotes this packet (a prefix of it will do)."""
    def check(packet):
        body = bytes(packet.payload)
        return (packet.dst == to and packet.payload.name.startswith("ICMP") and body[:2] == bytes([kind, code])
                and struct.unpack("!I", body[4:8])[0] == argument and len(body) >= 8 + 28 and bytes(quoted).startswith(body[8:])
                and has_right_icmp_checksum(packet))
    return named(check, f"an ICMP error {kind}/{code} to {to}")


def has_right_icmp_checksum(packet):
    body = bytes(packet.payload)
    pseudo = raw_address(packet.src) + raw_address(packet.dst) + struct.pack("!II", len(body), 58) if IPv6 in packet else b""
    return checksum(pseudo + body) == 0


def named(check, text):
    check.__doc__ = text
    return check
