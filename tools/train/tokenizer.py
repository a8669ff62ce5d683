"""Byte-level BPE: training, encoding and decoding, as GGUF's `gpt2` tokenizer model means it.

Used by every program of this folder; the engine has its own encoder, for whose tests
models/tokenizer_cases.json holds what this one says. Text is first cut into pieces by PATTERN, each
piece is written with the GPT-2 byte alphabet (one printable character per byte), and pairs of
neighbouring symbols are merged in the order in which training found them.
"""

import heapq
import json
from collections import Counter, defaultdict
from functools import lru_cache
from pathlib import Path

import regex

# The pattern that GGUF names tokenizer.ggml.pre = "qwen2".
PATTERN = regex.compile(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+")

BEGIN, END, PAD = "<|begin|>", "<|end|>", "<|pad|>"
SPECIAL = (BEGIN, END, PAD)  # ids 0, 1, 2
BEGIN_ID, END_ID, PAD_ID = range(3)


def byte_alphabet() -> list[str]:
    """Character of each byte: printable Latin-1 stands for itself, the rest follows from U+0100."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    alphabet = [""] * 256
    for byte in printable:
        alphabet[byte] = chr(byte)
    others = (b for b in range(256) if not alphabet[b])
    for offset, byte in enumerate(others):
        alphabet[byte] = chr(0x100 + offset)
    return alphabet


ALPHABET = byte_alphabet()
BYTE_OF = {character: byte for byte, character in enumerate(ALPHABET)}


def to_alphabet(piece: str) -> str:
    return "".join(ALPHABET[b] for b in piece.encode("utf-8"))


class Tokenizer:
    """Vocabulary order: special tokens, the 256 bytes, one token per merge."""

    def __init__(self, merges: list[tuple[str, str]]) -> None:
        self.merges = merges
        self.tokens = [*SPECIAL, *ALPHABET, *(a + b for a, b in merges)]
        self.ids = {token: i for i, token in enumerate(self.tokens)}
        assert len(self.ids) == len(self.tokens), "two merges give the same token"
        self._rank = {pair: r for r, pair in enumerate(merges)}
        self.encode_piece = lru_cache(maxsize=1 << 20)(self._encode_piece)

    def _encode_piece(self, piece: str) -> tuple[int, ...]:
        symbols = list(to_alphabet(piece))
        never = len(self._rank)
        while len(symbols) > 1:
            ranks = [self._rank.get(pair, never) for pair in zip(symbols, symbols[1:])]
            best = min(ranks)
            if best == never:
                break
            at = ranks.index(best)
            symbols[at:at + 2] = [symbols[at] + symbols[at + 1]]
        return tuple(self.ids[s] for s in symbols)

    def encode(self, text: str) -> list[int]:
        """Ids of plain text; special tokens are never recognised in it, and none is added."""
        out: list[int] = []
        for match in PATTERN.finditer(text):
            out.extend(self.encode_piece(match.group()))
        return out

    def token_bytes(self, token_id: int) -> bytes:
        if token_id < len(SPECIAL):
            return b""
        return bytes(BYTE_OF[c] for c in self.tokens[token_id])

    def decode(self, ids: list[int]) -> str:
        return b"".join(self.token_bytes(i) for i in ids).decode("utf-8", errors="replace")

    def save(self, path: Path) -> None:
        merges = [f"{a} {b}" for a, b in self.merges]
        path.write_text(json.dumps({"special": SPECIAL, "merges": merges}, ensure_ascii=False,
                                   indent=0), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Tokenizer":
        merges = json.loads(path.read_text(encoding="utf-8"))["merges"]
        return cls([tuple(m.split(" ")) for m in merges])


def train(pieces: Counter[str], vocab_size: int) -> Tokenizer:
    """Learns merges from pieces and their counts.

    The most frequent pair is merged, again and again; ties go to the pair that sorts first, so that
    a run is repeatable. Pair counts are kept up to date by visiting only the words that hold the
    merged pair; the heap may hold stale counts, which are put right when they reach its top.
    """
    words = [list(to_alphabet(piece)) for piece in pieces]
    counts = list(pieces.values())
    pair_count: Counter[tuple[str, str]] = Counter()
    where: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    for index, word in enumerate(words):
        for pair in zip(word, word[1:]):
            pair_count[pair] += counts[index]
            where[pair].add(index)
    heap = [(-count, pair) for pair, count in pair_count.items()]
    heapq.heapify(heap)

    merges: list[tuple[str, str]] = []
    known = set(ALPHABET)
    while len(merges) < vocab_size - len(SPECIAL) - len(ALPHABET):
        count, pair = heapq.heappop(heap)
        if -count != pair_count[pair]:
            if pair_count[pair] > 0:
                heapq.heappush(heap, (-pair_count[pair], pair))
            continue
        if pair[0] + pair[1] in known:  # reached by another merge already
            continue
        merges.append(pair)
        known.add(pair[0] + pair[1])
        touched: set[tuple[str, str]] = set()
        for index in where.pop(pair):
            word, n = words[index], counts[index]
            for old in zip(word, word[1:]):
                pair_count[old] -= n
            word = words[index] = _merge(word, pair)
            for new in zip(word, word[1:]):
                pair_count[new] += n
                where[new].add(index)
                touched.add(new)
        for new in touched:
            heapq.heappush(heap, (-pair_count[new], new))
    return Tokenizer(merges)


def _merge(word: list[str], pair: tuple[str, str]) -> list[str]:
    out: list[str] = []
    i = 0
    while i < len(word):
        if i + 1 < len(word) and (word[i], word[i + 1]) == pair:
            out.append(word[i] + word[i + 1])
            i += 2
        else:
            out.append(word[i])
            i += 1
    return out
