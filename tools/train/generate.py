"""Continues prompts, to see what a model writes. Slow and simple: the engine is what runs models.

    python3 generate.py --model edgelm-novels-6m-q8_0.gguf --prompt "Once upon a time"
"""

import argparse
from pathlib import Path

import torch

import tokenizer as bpe
from loading import load_model, load_tokenizer


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0],
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help=".pt or .gguf")
    parser.add_argument("--tokenizer", type=Path, help="tokenizer.json; a .gguf holds its own")
    parser.add_argument("--prompt", nargs="+", required=True)
    parser.add_argument("--tokens", type=int, default=120)
    parser.add_argument("--temperature", type=float, default=0.75, help="0: the likeliest token")
    parser.add_argument("--top-p", type=float, default=0.95)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    model = load_model(args.model)
    tok = load_tokenizer(args.tokenizer or args.model)
    for prompt in args.prompt:
        random = torch.Generator().manual_seed(args.seed)
        ids = [bpe.BEGIN_ID, *tok.encode(prompt)]
        for _ in range(args.tokens):
            logits = model.logits(torch.tensor([ids[-model.config.context:]]))[0, -1]
            if args.temperature == 0:
                next_id = int(logits.argmax())
            else:
                p, order = (logits / args.temperature).softmax(0).sort(descending=True)
                p[p.cumsum(0) - p > args.top_p] = 0
                next_id = int(order[torch.multinomial(p, 1, generator=random)])
            if next_id == bpe.END_ID:
                break
            ids.append(next_id)
        print(tok.decode(ids) + "\n" + "-" * 40, flush=True)


if __name__ == "__main__":
    main()
