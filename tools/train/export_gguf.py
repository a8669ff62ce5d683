"""Writes a trained model as GGUF, for the engine.

    python3 export_gguf.py --model build/small/model.pt --tokenizer build/tokenizer.json \\
        --name edgelm-novels-6m --type Q8_0 --out edgelm-novels-6m-q8_0.gguf

Takes a checkpoint.pt too. Matrices get the chosen type, norms stay F32. With --cases, also writes
what this folder's tokenizer makes of a list of awkward texts, as a test of the engine's.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

import gguf
import tokenizer as bpe
from model import Config

# Not an instruction model: messages are joined as paragraphs and the model continues them.
CHAT_TEMPLATE = ("{% for message in messages %}{{ message['content'] }}"
                 "{% if not loop.last %}{{ '\\n\\n' }}{% endif %}{% endfor %}")

CASES = (
    "", " ", "  ", "   a", "\n", "\n\n", "\n\n\n", " \n", "\t", "\t\n  x", "Hello, world!",
    "Once upon a time there was a little girl.", " leading space", "trailing space ",
    "two  spaces   and three", "\"Oh!\" said Alice; \"it's too late, isn't it?\"",
    "I'VE, You'Ll, he'd, we're, 'tis, rock'n'roll", "1 22 333 4444 in 1905, 3.14 and 10,000",
    "CHAPTER XIV.\n\nMr. Knightley--he was there--said nothing.\n\n",
    "line one\nline two\r\nline three\r\rfour", "caf\u00e9 na\u00efve \u0153uvre \u00c6sop",
    "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440!", "\u4f60\u597d\uff0c\u4e16\u754c",
    "\U0001f600 smile \U0001f469\u200d\U0001f680", "e\u0301 combining", "a\u00a0b\u2003c",
    "\u201ccurly\u201d \u2018quotes\u2019 \u2014 dash\u2026", "x_y __init__ (a+b)*c == d; // end",
    "\u0662\u0663 \u00bd \u2167 \u00b2", "<|begin|> is plain text here <|end|>", "\x00\x7f\u0080",
    "...\n\n...!?\n", "supercalifragilisticexpialidocious", "'S and 'LL")


def metadata(config: Config, tok: bpe.Tokenizer, name: str, kind: gguf.Type) -> dict[str, Any]:
    n_special = len(bpe.SPECIAL)
    return {
        "general.architecture": "llama",
        "general.name": name,
        "general.license": "apache-2.0",
        "general.file_type": gguf.FILE_TYPE[kind],
        "general.quantization_version": 2,
        "llama.context_length": config.context,
        "llama.embedding_length": config.d,
        "llama.block_count": config.n_layers,
        "llama.feed_forward_length": config.ffn,
        "llama.rope.dimension_count": config.head_dim,
        "llama.rope.freq_base": config.rope_base,
        "llama.attention.head_count": config.n_heads,
        "llama.attention.head_count_kv": config.n_kv_heads,
        "llama.attention.layer_norm_rms_epsilon": config.norm_eps,
        "llama.vocab_size": config.vocab,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.tokens": tok.tokens,
        "tokenizer.ggml.token_type": [3] * n_special + [1] * (len(tok.tokens) - n_special),
        "tokenizer.ggml.merges": [f"{a} {b}" for a, b in tok.merges],
        "tokenizer.ggml.bos_token_id": bpe.BEGIN_ID,
        "tokenizer.ggml.eos_token_id": bpe.END_ID,
        "tokenizer.ggml.padding_token_id": bpe.PAD_ID,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.chat_template": CHAT_TEMPLATE,
    }


def gguf_name(name: str) -> str:
    """blk.0.attn_q -> blk.0.attn_q.weight; norms are named so already."""
    return name if name.endswith(".weight") else name + ".weight"


def tensors(weights: dict[str, torch.Tensor],
            kind: gguf.Type) -> list[tuple[str, np.ndarray, gguf.Type]]:
    return [(gguf_name(name), value.float().numpy(), kind if value.ndim == 2 else gguf.Type.F32)
            for name, value in weights.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=Path, required=True, help="model.pt or checkpoint.pt")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--name", required=True, help="general.name")
    parser.add_argument("--type", choices=[t.name for t in gguf.Type], default="Q8_0")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cases", type=Path, help="write tokenizer cases to this file as JSON")
    args = parser.parse_args()

    saved = torch.load(args.model, map_location="cpu")
    tok = bpe.Tokenizer.load(args.tokenizer)
    kind = gguf.Type[args.type]
    config = Config(**saved["config"])
    assert config.vocab == len(tok.tokens)
    gguf.write(args.out, metadata(config, tok, args.name, kind), tensors(saved["weights"], kind))
    print(f"{args.out}: {args.out.stat().st_size} bytes, {saved['tokens']} tokens seen")

    if args.cases:
        cases = [json.dumps({"text": text, "ids": tok.encode(text)}) for text in CASES]
        args.cases.write_text("[\n" + ",\n".join(cases) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
