"""§2 and §10 of the document: records, padding, envelopes, markers, the wire, pieces of files."""

import json
from typing import Any

from tests.memory.sync.second.primitives import (
    check_signature,
    gcm_open,
    gcm_seal,
    hkdf,
    number,
    sha256,
    sign,
    uint,
)

Parts = dict[str, Any]
PARTS = ("hdr", "dek", "kc", "ct", "sig", "blobs")


def plaintext(record: dict[str, Any]) -> bytes:
    return json.dumps(
        record, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    ).encode()


def size(n: int) -> int:
    e = 8
    while n >> e + 1:
        e += 1
    s = len(f"{e:b}")
    step = 1 << e - s
    return max(256, -(-n // step) * step)


def pad(b: bytes) -> bytes:
    padded = uint(len(b), 4) + b
    return padded + bytes(size(len(padded)) - len(padded))


def unpad(padded: bytes) -> bytes:
    length = number(padded[:4])
    if padded != pad(padded[4 : 4 + length]):
        raise ValueError("padding")
    return padded[4 : 4 + length]


def header(h: dict[str, Any]) -> bytes:
    return (
        b"AOF\x01"
        + bytes([h["kind"]])
        + uint(h["epoch"], 4)
        + uint(h["parent"], 8)
        + uint(h["exp_day"], 4)
        + h["space_id"]
        + h["rid"]
        + h["rev"]
        + h["device_id"]
        + uint(h["ms"], 8)
        + uint(h["counter"], 2)
    )


def read_header(hdr: bytes) -> dict[str, Any]:
    if len(hdr) != 95 or hdr[:4] != b"AOF\x01":
        raise ValueError("hdr")
    return {
        "kind": hdr[4],
        "epoch": number(hdr[5:9]),
        "parent": number(hdr[9:17]),
        "exp_day": number(hdr[17:21]),
        "space_id": hdr[21:37],
        "rid": hdr[37:53],
        "rev": hdr[53:69],
        "device_id": hdr[69:85],
        "ms": number(hdr[85:93]),
        "counter": number(hdr[93:95]),
    }


def wrap(space_key: bytes, epoch: int, nonce: bytes, ok: bytes, hdr: bytes) -> bytes:
    aad = b"dek" + hdr[21:69] + uint(epoch, 4)
    return uint(epoch, 4) + nonce + gcm_seal(hkdf(space_key, b"aof/v1/wrap"), nonce, ok, aad)


def seal(
    h: dict[str, Any],
    data: bytes,
    space_key: bytes,
    device: bytes,
    ok: bytes,
    nonce: bytes,
    blobs: list[bytes],
) -> Parts:
    hdr = header(h)
    kc = sha256(b"aof/v1/kc", ok)
    ct = gcm_seal(ok, bytes(12), pad(data), b"rec" + hdr)
    return {
        "hdr": hdr,
        "dek": wrap(space_key, h["epoch"], nonce, ok, hdr),
        "kc": kc,
        "ct": ct,
        "sig": sign(device, b"aof/v1/rec" + hdr + kc + sha256(ct)),
        "blobs": sorted(blobs),
    }


def unseal(parts: Parts, space_keys: dict[int, bytes], device: bytes) -> bytes:
    """Return the plaintext; raises whatever a check raises."""
    hdr, dek = parts["hdr"], parts["dek"]
    check_signature(device, parts["sig"], b"aof/v1/rec" + hdr + parts["kc"] + sha256(parts["ct"]))
    key = hkdf(space_keys[number(dek[:4])], b"aof/v1/wrap")
    ok = gcm_open(key, dek[4:16], dek[16:], b"dek" + read_header(hdr)["space_id"] + hdr[37:69] + dek[:4])
    if sha256(b"aof/v1/kc", ok) != parts["kc"]:
        raise ValueError("kc")
    return unpad(gcm_open(ok, bytes(12), parts["ct"], b"rec" + hdr))


def marker(parts: Parts) -> Parts:
    return {
        "hdr": parts["hdr"],
        "kc": parts["kc"],
        "ct_sha256": sha256(parts["ct"]),
        "sig": parts["sig"],
    }


def to_msgpack(parts: Parts) -> bytes:
    """The few forms of MessagePack that are needed: small maps, short texts, byte strings, arrays."""
    packed = bytes([0x80 | len(parts)])
    for name, value in parts.items():
        packed += bytes([0xA0 | len(name)]) + name.encode()
        packed += _array(value) if isinstance(value, list) else _binary(value)
    return packed


def from_msgpack(packed: bytes) -> Parts:
    at, parts = 1, {}
    for _ in range(packed[0] & 15):
        length = packed[at] & 31
        name = packed[at + 1 : at + 1 + length].decode()
        value, at = _read(packed, at + 1 + length)
        parts[name] = value
    if at != len(packed):
        raise ValueError("more than a map")
    return parts


def _array(values: list[bytes]) -> bytes:
    count = len(values)
    head = bytes([0x90 | count]) if count < 16 else b"\xdc" + uint(count, 2)
    return head + b"".join(map(_binary, values))


def _binary(data: bytes) -> bytes:
    for code, width in ((0xC4, 1), (0xC5, 2), (0xC6, 4)):
        if len(data) < 1 << 8 * width:
            return bytes([code]) + uint(len(data), width) + data
    raise ValueError("too long")


def _read(packed: bytes, at: int) -> tuple[Any, int]:
    code = packed[at]
    if code in (0xC4, 0xC5, 0xC6):
        width = 1 << code - 0xC4
        length, at = number(packed[at + 1 : at + 1 + width]), at + 1 + width
        return packed[at : at + length], at + length
    count, at = (number(packed[at + 1 : at + 3]), at + 3) if code == 0xDC else (code & 15, at + 1)
    values = []
    for _ in range(count):
        value, at = _read(packed, at)
        values.append(value)
    return values, at


def chunk(key: bytes, blob_id: bytes, index: int, count: int, data: bytes) -> bytes:
    return gcm_seal(key, uint(index, 12), data, b"blob" + blob_id + uint(index, 4) + uint(count, 4))


def open_chunk(key: bytes, blob_id: bytes, index: int, count: int, sealed: bytes) -> bytes:
    return gcm_open(key, uint(index, 12), sealed, b"blob" + blob_id + uint(index, 4) + uint(count, 4))
