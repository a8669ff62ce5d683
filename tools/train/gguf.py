"""Writes and reads GGUF version 3, and quantizes rows to Q8_0 and Q4_K.

Used by export_gguf.py and evaluate.py. Only what this folder needs: the types F32, F16, Q8_0 and
Q4_K, and a reader that trusts its file (the engine has the one that does not).

Layout: header, metadata, tensor descriptions, padding, tensor data; little endian; dimensions are
listed with the row length first; every tensor begins at a multiple of ALIGNMENT from the start of
the data.
"""

import struct
from enum import IntEnum
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

ALIGNMENT = 32


class Type(IntEnum):
    F32 = 0
    F16 = 1
    Q8_0 = 8
    Q4_K = 12


# general.file_type of a file whose matrices are mostly of this type.
FILE_TYPE = {Type.F32: 0, Type.F16: 1, Type.Q8_0: 7, Type.Q4_K: 15}
BLOCK = {Type.F32: (1, 4), Type.F16: (1, 2), Type.Q8_0: (32, 34), Type.Q4_K: (256, 144)}

_U32, _I32, _F32, _BOOL, _STRING, _ARRAY, _U64 = 4, 5, 6, 7, 8, 9, 10
_SCALAR = {0: "B", 1: "b", 2: "H", 3: "h", _U32: "I", _I32: "i", _F32: "f", _BOOL: "?", _U64: "Q",
           11: "q", 12: "d"}


# ---------------------------------------------------------------------------------- quantization

def quantize(values: np.ndarray, kind: Type) -> bytes:
    """(rows, columns) of float32 in the given type."""
    if kind == Type.F32:
        return values.astype("<f4").tobytes()
    if kind == Type.F16:
        return values.astype("<f2").tobytes()
    n_block = BLOCK[kind][0]
    assert values.shape[-1] % n_block == 0, f"row of {values.shape[-1]} in blocks of {n_block}"
    blocks = values.astype(np.float32).reshape(-1, n_block)
    return (_quantize_q8_0 if kind == Type.Q8_0 else _quantize_q4_k)(blocks).tobytes()


def dequantize(data: bytes, kind: Type, shape: tuple[int, ...]) -> np.ndarray:
    if kind == Type.F32:
        values = np.frombuffer(data, "<f4")
    elif kind == Type.F16:
        values = np.frombuffer(data, "<f2")
    else:
        blocks = np.frombuffer(data, np.uint8).reshape(-1, BLOCK[kind][1])
        values = (_dequantize_q8_0 if kind == Type.Q8_0 else _dequantize_q4_k)(blocks)
    return values.astype(np.float32).reshape(shape)


def _half(values: np.ndarray) -> np.ndarray:
    """(n,) as the two bytes of each half."""
    return values.astype("<f2").view(np.uint8).reshape(-1, 2)


def _from_half(two_bytes: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(two_bytes).view("<f2").astype(np.float32)


def _quantize_q8_0(x: np.ndarray) -> np.ndarray:
    """Block of 32: half d, 32 signed bytes; value = d * byte."""
    d = np.abs(x).max(1) / 127
    inverse = np.divide(1.0, d, out=np.zeros_like(d), where=d > 0)
    q = np.rint(x * inverse[:, None]).astype(np.int8)
    return np.concatenate((_half(d), q.view(np.uint8)), 1)


def _dequantize_q8_0(b: np.ndarray) -> np.ndarray:
    return _from_half(b[:, :2]) * b[:, 2:].view(np.int8)


def _fit_4_bits(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, 32) groups: scale and minimum, both >= 0, of x ~ scale * q - minimum with q in 0..15.

    Tries slightly different step sizes and, for the q that each gives, solves the least squares
    for scale and minimum; large weights count for more, since they carry more of the output.
    """
    weight = np.sqrt((x * x).mean(1, keepdims=True)) + np.abs(x)
    low = np.minimum(x.min(1, keepdims=True), 0)
    span = np.maximum(x.max(1, keepdims=True) - low, 1e-20)
    best_scale, best_min = span / 15, -low
    best_error = np.full_like(span, np.inf)
    for steps in np.arange(13.5, 17.01, 0.25):
        q = np.clip(np.rint((x - low) * (steps / span)), 0, 15)
        sw, sq = weight.sum(1, keepdims=True), (weight * q).sum(1, keepdims=True)
        sqq, sx = (weight * q * q).sum(1, keepdims=True), (weight * x).sum(1, keepdims=True)
        sqx = (weight * q * x).sum(1, keepdims=True)
        det = sw * sqq - sq * sq
        ok = det > 0
        det = np.where(ok, det, 1)
        scale = np.where(ok, (sw * sqx - sq * sx) / det, span / 15)
        minimum = np.where(ok, (sq * sqx - sqq * sx) / det, -low)
        no_offset = minimum < 0  # stored minima are unsigned
        scale = np.where(no_offset, sqx / np.maximum(sqq, 1e-20), scale)
        minimum = np.where(no_offset, 0, minimum)
        error = (weight * (scale * q - minimum - x) ** 2).sum(1, keepdims=True)
        better = (error < best_error) & (scale > 0)
        best_scale = np.where(better, scale, best_scale)
        best_min = np.where(better, minimum, best_min)
        best_error = np.where(better, error, best_error)
    return best_scale[:, 0], best_min[:, 0]


def _quantize_q4_k(x: np.ndarray) -> np.ndarray:
    """Block of 256: half d, half dmin, 8 six-bit scales and minima in 12 bytes, 256 nibbles."""
    n = len(x)
    groups = x.reshape(n, 8, 32)
    scale, minimum = (v.reshape(n, 8) for v in _fit_4_bits(x.reshape(-1, 32)))
    d = (scale.max(1) / 63).astype("<f2").astype(np.float32)
    d_min = (minimum.max(1) / 63).astype("<f2").astype(np.float32)
    six_bits = [np.clip(np.rint(np.divide(v, s[:, None], out=np.zeros_like(v),
                                          where=s[:, None] > 0)), 0, 63).astype(np.uint8)
                for v, s in ((scale, d), (minimum, d_min))]
    real_scale = d[:, None] * six_bits[0]
    real_min = d_min[:, None] * six_bits[1]
    inverse = np.divide(1.0, real_scale, out=np.zeros_like(real_scale), where=real_scale > 0)
    q = np.rint((groups + real_min[:, :, None]) * inverse[:, :, None])
    q = np.clip(q, 0, 15).astype(np.uint8)
    nibbles = (q[:, 0::2] | q[:, 1::2] << 4).reshape(n, 128)
    return np.concatenate((_half(d), _half(d_min), _pack_six_bits(*six_bits), nibbles), 1)


def _pack_six_bits(scale: np.ndarray, minimum: np.ndarray) -> np.ndarray:
    """Groups 0-3 take the low six bits of bytes 0-3 (scale) and 4-7 (minimum); groups 4-7 have
    their low nibbles in bytes 8-11 and their two high bits on top of bytes 0-7."""
    out = np.empty((len(scale), 12), np.uint8)
    out[:, 0:4] = scale[:, :4] | (scale[:, 4:] >> 4) << 6
    out[:, 4:8] = minimum[:, :4] | (minimum[:, 4:] >> 4) << 6
    out[:, 8:12] = (scale[:, 4:] & 15) | (minimum[:, 4:] & 15) << 4
    return out


def _dequantize_q4_k(b: np.ndarray) -> np.ndarray:
    d, d_min, packed = _from_half(b[:, 0:2]), _from_half(b[:, 2:4]), b[:, 4:16]
    scale = np.concatenate((packed[:, 0:4] & 63,
                            (packed[:, 8:12] & 15) | (packed[:, 0:4] >> 6) << 4), 1)
    minimum = np.concatenate((packed[:, 4:8] & 63,
                              (packed[:, 8:12] >> 4) | (packed[:, 4:8] >> 6) << 4), 1)
    nibbles = b[:, 16:].reshape(-1, 4, 1, 32)
    q = np.concatenate((nibbles & 15, nibbles >> 4), 2).reshape(-1, 8, 32)
    return ((d * scale)[:, :, None] * q - (d_min * minimum)[:, :, None]).reshape(len(b), 256)


# ---------------------------------------------------------------------------------------- writer

def _string(text: str) -> bytes:
    raw = text.encode("utf-8")
    return struct.pack("<Q", len(raw)) + raw


def _value(value: Any) -> tuple[int, bytes]:
    """Type id and encoding; int means u32, a list takes the type of its first element, and a list
    of int is of i32, as readers expect of token types."""
    if isinstance(value, bool):
        return _BOOL, struct.pack("<?", value)
    if isinstance(value, int):
        return _U32, struct.pack("<I", value)
    if isinstance(value, float):
        return _F32, struct.pack("<f", value)
    if isinstance(value, str):
        return _STRING, _string(value)
    assert isinstance(value, list) and value
    if isinstance(value[0], str):
        kind, body = _STRING, b"".join(map(_string, value))
    else:
        kind, body = _I32, struct.pack(f"<{len(value)}i", *value)
    return _ARRAY, struct.pack("<IQ", kind, len(value)) + body


def write(path: Path, metadata: dict[str, Any],
          tensors: list[tuple[str, np.ndarray, Type]]) -> None:
    """Tensors are float32 arrays in (rows, columns) order, each with the type to store it in."""
    encoded = [quantize(values, kind) for _, values, kind in tensors]
    with open(path, "wb") as out:
        out.write(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata)))
        for key, value in metadata.items():
            kind, body = _value(value)
            out.write(_string(key) + struct.pack("<I", kind) + body)
        offset = 0
        for (name, values, kind), data in zip(tensors, encoded):
            shape = values.shape[::-1]
            out.write(_string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind,
                                                  offset))
            offset += -(-len(data) // ALIGNMENT) * ALIGNMENT
        for data in encoded:
            out.write(bytes(-out.tell() % ALIGNMENT))
            out.write(data)
        out.write(bytes(-out.tell() % ALIGNMENT))


# ---------------------------------------------------------------------------------------- reader

def read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Metadata, and every tensor as float32 in (rows, columns) order."""
    with open(path, "rb") as file:
        magic, version, n_tensors, n_keys = struct.unpack("<4sIQQ", file.read(24))
        assert magic == b"GGUF" and version == 3, f"{path}: not GGUF version 3"
        metadata = {}
        for _ in range(n_keys):
            key = _read_string(file)
            metadata[key] = _read_value(file, _read_scalar(file, _U32))
        infos = []
        for _ in range(n_tensors):
            name = _read_string(file)
            n_dims = _read_scalar(file, _U32)
            shape = struct.unpack(f"<{n_dims}Q", file.read(8 * n_dims))[::-1]
            kind, offset = struct.unpack("<IQ", file.read(12))
            infos.append((name, shape, Type(kind), offset))
        start = -(-file.tell() // ALIGNMENT) * ALIGNMENT
        tensors = {}
        for name, shape, kind, offset in infos:
            n_block, n_bytes = BLOCK[kind]
            file.seek(start + offset)
            data = file.read(int(np.prod(shape)) // n_block * n_bytes)
            tensors[name] = dequantize(data, kind, shape)
    return metadata, tensors


def _read_scalar(file: BinaryIO, kind: int) -> Any:
    form = "<" + _SCALAR[kind]
    return struct.unpack(form, file.read(struct.calcsize(form)))[0]


def _read_string(file: BinaryIO) -> str:
    return file.read(_read_scalar(file, _U64)).decode("utf-8")


def _read_value(file: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _read_string(file)
    if kind == _ARRAY:
        element = _read_scalar(file, _U32)
        return [_read_value(file, element) for _ in range(_read_scalar(file, _U64))]
    return _read_scalar(file, kind)
