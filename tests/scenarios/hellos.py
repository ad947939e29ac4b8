"""ClientHellos from their parts, right or wrong in one place, and QUIC Initial packets around them."""

import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

GREASE = (0x0A0A, b"")
ECH = (0xFE0D, b"\x00" + bytes(200))


def vector(length_bytes, content):
    return len(content).to_bytes(length_bytes, "big") + content


def server_name(name, name_type=0):
    return (0, vector(2, bytes([name_type]) + vector(2, name.encode() if isinstance(name, str) else name)))


def key_share(size=36):
    return (51, vector(2, struct.pack("!H", 29) + vector(2, bytes(size))))


def message(extensions, version=0x0303, kind=1):
    """The handshake message with these extensions [(type, content), ..]."""
    body = struct.pack("!H", version) + bytes(range(32)) + vector(1, bytes(32)) + vector(2, b"\x13\x01\x13\x02") + vector(1, b"\0")
    body += vector(2, b"".join(struct.pack("!H", number) + vector(2, content) for number, content in extensions))
    return bytes([kind]) + vector(3, body)


def record(content, version=0x0301, kind=22):
    return struct.pack("!BH", kind, version) + vector(2, content)


def hello(extensions, **more):
    return record(message(extensions, **more))


def post_quantum(name, size=1216, last=True):
    """Of about `size` + 500 bytes, the name behind the key share, as some clients permute it."""
    parts = [GREASE, key_share(size), (43, b"\x02\x03\x04"), (16, vector(2, vector(1, b"h2")))]
    return message(parts + [server_name(name)] if last else [server_name(name)] + parts)


# ---- QUIC (RFC 9000, 9001, 9369) -----------------------------------------------------------------------------------

V1, V2, DRAFT_29 = 1, 0x6B3343CF, 0xFF00001D
SALTS = {V1: "38762cf7f55934b34d179ae6a4c80ccadccbb7f0"[:40], V2: "0dede3def700a6db819381be6e269dcbf9bd2ed9",
         DRAFT_29: "afbfec289993d24c9e9786f19c6111e04390a899"}
SALTS[V1] = "38762cf7f55934b34d179ae6a4c80cadccbb7f0a"
LABELS = {V1: b"quic", V2: b"quicv2", DRAFT_29: b"quic"}
INITIAL_TYPE = {V1: 0, V2: 1, DRAFT_29: 0}


def expand_label(secret, label, length):
    info = struct.pack("!H", length) + vector(1, b"tls13 " + label) + b"\0"
    return hmac.new(secret, info + b"\1", hashlib.sha256).digest()[:length]


def varint(value):
    return struct.pack("!H", 0x4000 | value) if value < 0x4000 else struct.pack("!I", 0x80000000 | value)


def crypto(offset, content):
    return b"\x06" + varint(offset) + varint(len(content)) + content


def initial(frames, dcid=b"8 bytes!", version=V1, number=0, size=1200, token=b"", side=b"client", fixed_bit=True, number_bytes=4):
    """An Initial of that side, filled up to a datagram of `size` bytes. `dcid`: the one that the client chose first; it is also
    where a client's goes, while a server's goes to nobody in particular. The last `number_bytes` of its number stand in it."""
    secret = hmac.new(bytes.fromhex(SALTS[version]), dcid, hashlib.sha256).digest()
    secret = expand_label(secret, side + b" in", 32)
    key, iv, header_key = [expand_label(secret, LABELS[version] + b" " + label, length)
                           for label, length in ((b"key", 16), (b"iv", 12), (b"hp", 16))]
    first = (0xC0 if fixed_bit else 0x80) | INITIAL_TYPE[version] << 4 | number_bytes - 1
    to = dcid if side == b"client" else b""
    header = bytes([first]) + struct.pack("!I", version) + vector(1, to) + vector(1, b"") + varint(len(token)) + token
    frames += bytes(max(0, size - len(header) - 2 - number_bytes - 16 - len(frames)))
    header += varint(number_bytes + len(frames) + 16) + struct.pack("!I", number)[4 - number_bytes:]
    nonce = bytes(a ^ b for a, b in zip(iv, number.to_bytes(12, "big")))
    sealed = AESGCM(key).encrypt(nonce, frames, header)
    mask = Cipher(algorithms.AES(header_key), modes.ECB()).encryptor().update(sealed[4 - number_bytes:][:16])
    written = bytes(a ^ b for a, b in zip(header[-number_bytes:], mask[1:]))
    return bytes([header[0] ^ mask[0] & 0x0F]) + header[1:-number_bytes] + written + sealed


RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


def server_hello(random=bytes(range(32))):
    """The message by which a server takes a hello; with RETRY_RANDOM, asks for another."""
    return b"\x02" + vector(3, b"\x03\x03" + random + vector(1, b"") + b"\x13\x01\0" + vector(2, b""))


def long_header(kind, version=V1, dcid=b"8 bytes!", size=1200):
    """Another packet with a long header, which nobody can open: 0-RTT (1), Handshake (2)."""
    header = bytes([0xC0 | kind << 4]) + struct.pack("!I", version) + vector(1, dcid) + vector(1, b"")
    return header + varint(size - len(header) - 2) + bytes(size - len(header) - 2)
