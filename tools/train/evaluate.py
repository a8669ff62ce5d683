"""Perplexity and bits per byte on the held-out novels.

    python3 evaluate.py --prepared build --model build/small/model.pt edgelm-novels-6m-q8_0.gguf

Each novel is cut into windows of context - 1 tokens, <|begin|> is put in front of each, and every
token of the text is scored once; no window sees the one before it. Bits per byte divides by the
bytes of the text, so that it can be compared between vocabularies; perplexity is per token.
Computed in float32.
"""

import argparse
import math
from pathlib import Path

import torch

import tokenizer as bpe
from loading import load_model, load_tokenizer
from model import Llama


@torch.no_grad()
def total_nats(model: Llama, ids: list[int]) -> float:
    n = model.config.context - 1
    total = 0.0
    for start in range(0, len(ids), n * 4):
        part = ids[start:start + n * 4]
        windows = [part[i:i + n] for i in range(0, len(part), n)]
        same = [w for w in windows if len(w) == n]
        for group in ([same] if same else []) + [[w] for w in windows if len(w) < n]:
            targets = torch.tensor(group)
            begin = torch.full((len(group), 1), bpe.BEGIN_ID)
            inputs = torch.cat((begin, targets[:, :-1]), 1)
            total += model.loss(inputs, targets).item() * targets.numel()
    return total


def row(name: str, n_tokens: int, n_bytes: int, nats: float) -> str:
    mean = nats / n_tokens
    return (f"{name:28} {n_bytes:9} {n_tokens:9} {mean:8.4f} {math.exp(mean):8.2f} "
            f"{nats / math.log(2) / n_bytes:8.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--prepared", type=Path, required=True, help="folder of prepare.py")
    parser.add_argument("--model", type=Path, nargs="+", required=True, help=".pt or .gguf")
    parser.add_argument("--limit", type=int, default=0, help="bytes of each novel; 0: all")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)

    texts = {}
    for path in sorted((args.prepared / "held_out").glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        texts[path.stem] = text[:args.limit] if args.limit else text
    for path in args.model:
        tok = load_tokenizer(path if path.suffix == ".gguf" else args.prepared / "tokenizer.json")
        model = load_model(path)
        print(f"{path.name}: {model.n_parameters()} parameters")
        print(f"{'novel':28} {'bytes':>9} {'tokens':>9} {'nats/tok':>8} {'ppl':>8} {'bits/B':>8}")
        sums = {"for children": [0, 0, 0.0], "for adults": [0, 0, 0.0], "all": [0, 0, 0.0]}
        for name, text in texts.items():
            ids = tok.encode(text)
            result = (len(ids), len(text.encode("utf-8")), total_nats(model, ids))
            print(row(name, *result), flush=True)
            kind = "for children" if name.startswith("child_") else "for adults"
            for total in (sums[kind], sums["all"]):
                for i, value in enumerate(result):
                    total[i] += value
        for name, total in sums.items():
            if total[0]:
                print(row(name, *total))


if __name__ == "__main__":
    main()
