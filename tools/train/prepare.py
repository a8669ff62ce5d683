"""Turns the archive of novels into what train.py reads: tokenizer.json, train.bin, held_out/*.txt.

    python3 prepare.py --data novels.tar.xz --out build

train.bin holds the training novels as uint16 token ids, one after the other, in the layout that
train.npz describes: `chapters` (start, end) of each chapter and whether its novel is for children.
Every chapter is <|begin|> text <|end|>, so that the model learns how a text opens and when to stop.
"""

import argparse
import json
from collections import Counter
from pathlib import Path

import numpy as np

import corpus
import tokenizer as bpe


def count_pieces(novels: list[corpus.Novel], weight_children: int) -> Counter[str]:
    pieces: Counter[str] = Counter()
    for novel in novels:
        weight = weight_children if novel.for_children else 1
        for piece, n in Counter(bpe.PATTERN.findall(novel.text)).items():
            pieces[piece] += n * weight
    return Counter({piece: n for piece, n in pieces.items() if n >= 4})


def write_tokens(novels: list[corpus.Novel], tok: bpe.Tokenizer, out: Path) -> int:
    ids: list[np.ndarray] = []
    chapters: list[tuple[int, int]] = []
    for_children: list[bool] = []
    at = 0
    for novel in novels:
        for chapter in novel.chapters():
            row = np.array([bpe.BEGIN_ID, *tok.encode(chapter), bpe.END_ID], dtype=np.uint16)
            ids.append(row)
            chapters.append((at, at + len(row)))
            for_children.append(novel.for_children)
            at += len(row)
    np.concatenate(ids).tofile(out / "train.bin")
    np.savez(out / "train.npz", chapters=np.array(chapters), children=np.array(for_children))
    return at


def overlaps(held: list[corpus.Novel], training: list[corpus.Novel],
             n: int = 12) -> dict[str, float]:
    """Share of each held-out novel's n-word sequences that a training novel holds too."""
    def sequences(novel: corpus.Novel) -> list[int]:
        words = novel.text.lower().split()
        return [hash(row) for row in zip(*(words[i:] for i in range(n)))]

    wanted = {novel.name: sequences(novel) for novel in held}
    everything = set().union(*wanted.values())
    seen: set[int] = set()
    for novel in training:
        seen.update(everything.intersection(sequences(novel)))
    return {name: round(sum(s in seen for s in rows) / len(rows), 5)
            for name, rows in wanted.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="novels.tar.xz")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--vocab", type=int, default=4096)
    parser.add_argument("--weight-children", type=int, default=3,
                        help="times a children's novel counts when merges are learned")
    parser.add_argument("--check-overlap", action="store_true",
                        help="report held-out 12-word sequences that training text holds too")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    novels = corpus.load(args.data)
    held = [n for n in novels if n.name in corpus.HELD_OUT]
    training = [n for n in novels if n.name not in corpus.HELD_OUT]
    assert len(held) == len(corpus.HELD_OUT), "a held-out novel is not in the archive"

    tok = bpe.train(count_pieces(training, args.weight_children), args.vocab)
    tok.save(args.out / "tokenizer.json")
    n_tokens = write_tokens(training, tok, args.out)

    (args.out / "held_out").mkdir(exist_ok=True)
    for novel in held:
        (args.out / "held_out" / f"{novel.name}.txt").write_text(novel.text, encoding="utf-8")
    summary = {
        "novels": len(training),
        "novels_for_children": sum(n.for_children for n in training),
        "bytes": sum(len(n.text.encode()) for n in training),
        "bytes_for_children": sum(len(n.text.encode()) for n in training if n.for_children),
        "tokens": n_tokens,
        "held_out": {n.name: len(n.text.encode()) for n in held},
    }
    if args.check_overlap:
        summary["overlap"] = overlaps(held, training)
    (args.out / "summary.json").write_text(json.dumps(summary, indent=2), encoding="utf-8")
    print(json.dumps(summary, indent=2))


if __name__ == "__main__":
    main()
