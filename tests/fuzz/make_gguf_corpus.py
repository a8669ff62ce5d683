#!/usr/bin/env python3
"""Writes the seed corpus of gguf_fuzz: small files that reach each branch of the reader.

Run from the repository root: python3 tests/fuzz/make_gguf_corpus.py
The files are checked in; run this again only when the format's coverage changes.
"""
import os
import struct

FOLDER = os.path.join(os.path.dirname(__file__), "corpus", "gguf")
SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<B", 10: "<Q", 11: "<q", 12: "<d"}
STRING, ARRAY = 8, 9
# id: (elements, bytes) per block, of the types that edgelm runs, and two that it only knows
TYPES = {0: (1, 4), 1: (1, 2), 2: (32, 18), 6: (32, 22), 7: (32, 24), 8: (32, 34), 12: (256, 144),
         13: (256, 176), 14: (256, 210), 30: (1, 2), 17: (256, 74), 39: (32, 17)}


def text(value):
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw)) + raw


def value_bytes(kind, value):
    if kind == STRING:
        return text(value)
    if kind == ARRAY:
        element, items = value
        return struct.pack("<IQ", element, len(items)) + b"".join(value_bytes(element, v) for v in items)
    return struct.pack(SCALARS[kind], value)


def gguf(values=(), tensors=(), version=3, alignment=32):
    """values: (key, kind, value); tensors: (name, dims, type)."""
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(values))
    for key, kind, value in values:
        head += text(key) + struct.pack("<I", kind) + value_bytes(kind, value)
    data = b""
    for name, dims, kind in tensors:
        elements, size = TYPES[kind]
        n_bytes = dims[0] // elements * size
        for dim in dims[1:]:
            n_bytes *= dim
        head += text(name) + struct.pack("<I", len(dims)) + b"".join(struct.pack("<Q", d) for d in dims)
        head += struct.pack("<IQ", kind, len(data))
        data += bytes(i * 37 % 251 for i in range(n_bytes))
        data += b"\0" * (-len(data) % alignment)
    head += b"\0" * (-len(head) % alignment)
    return head + data


def seeds():
    scalar = {kind: 1 for kind in SCALARS}
    yield "empty_model", gguf()
    yield "v2", gguf([("general.architecture", STRING, "llama")], version=2)
    yield "scalars", gguf([(f"k{kind}", kind, scalar[kind]) for kind in SCALARS])
    yield "strings", gguf([("s", STRING, b"\xff\x1b[2J"), ("e", STRING, ""),
                           ("a", ARRAY, (STRING, ["a", "", "ccc", b"\xe2\x80\xae"]))])
    yield "arrays", gguf([(f"a{kind}", ARRAY, (kind, [1, 0, 1])) for kind in SCALARS])
    yield "empty_array", gguf([("a", ARRAY, (4, [])), ("b", ARRAY, (STRING, []))])
    for kind, (elements, _) in TYPES.items():
        yield f"tensor_type_{kind}", gguf(tensors=[("w", [elements, 1], kind)])
    yield "shapes", gguf(tensors=[("a", [4], 0), ("b", [4, 2], 1), ("c", [1, 2, 3], 0), ("d", [32, 1, 2, 2], 8)])
    yield "aligned_64", gguf([("general.alignment", 4, 64)], [("a", [3], 0), ("b", [3], 0)], alignment=64)
    yield "aligned_4", gguf([("general.alignment", 4, 4)], [("a", [1], 0), ("b", [1], 0)], alignment=4)
    yield "split", gguf([("split.no", 2, 0), ("split.count", 2, 2), ("split.tensors.count", 5, 1)], [("a", [1], 0)])
    yield "nested_array", gguf([("n", ARRAY, (ARRAY, [(4, [1])]))])
    yield "duplicate_key", gguf([("k", 4, 1), ("k", 4, 2)])
    yield "duplicate_tensor", gguf(tensors=[("w", [1], 0), ("w", [1], 0)])
    yield "llama", gguf(
        [("general.architecture", STRING, "llama"), ("llama.block_count", 4, 1), ("llama.context_length", 4, 64),
         ("llama.attention.layer_norm_rms_epsilon", 6, 1e-5), ("tokenizer.ggml.tokens", ARRAY, (STRING, ["<s>", "a"])),
         ("tokenizer.ggml.scores", ARRAY, (6, [0.0, -1.0])), ("tokenizer.ggml.add_bos_token", 7, 1)],
        [("token_embd.weight", [32, 2], 8), ("output_norm.weight", [32], 0), ("blk.0.attn_q.weight", [32, 4], 2)])
    whole = gguf([("key", STRING, "value")], [("w", [8], 0)])
    yield "truncated", whole[:-20]
    yield "big_endian", b"GGUF" + struct.pack(">IQQ", 3, 0, 0)
    yield "v1", b"GGUF" + struct.pack("<III", 1, 0, 0)
    yield "counts", b"GGUF" + struct.pack("<IQQ", 3, 2**64 - 1, 2**64 - 1)
    yield "lfs", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    yield "html", b"\n<!DOCTYPE html><html></html>"
    yield "safetensors", struct.pack("<Q", 16) + b'{"__metadata__":'


def main():
    os.makedirs(FOLDER, exist_ok=True)
    for name, data in seeds():
        with open(os.path.join(FOLDER, name), "wb") as out:
            out.write(data)


if __name__ == "__main__":
    main()
