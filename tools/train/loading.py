"""Reads a trained model back, from train.py's files or from GGUF. Used by evaluate.py, generate.py.

Reading GGUF gives the weights as they are after quantization, so that its cost can be measured
without any engine.
"""

from pathlib import Path

import torch

import gguf
import tokenizer as bpe
from model import Config, Llama


def load_model(path: Path) -> Llama:
    """In float32, from model.pt, checkpoint.pt or *.gguf."""
    if path.suffix == ".gguf":
        metadata, tensors = gguf.read(path)
        model = Llama(_config(metadata))
        weights = {name: torch.from_numpy(t) for name, t in tensors.items()}
        names = {name: name if name in weights else name + ".weight"
                 for name in model.state_dict()}
        model.load_state_dict({name: weights[stored] for name, stored in names.items()})
    else:
        saved = torch.load(path, map_location="cpu")
        model = Llama(Config(**saved["config"]))
        model.load_state_dict(saved["weights"])
    return model.eval()


def load_tokenizer(path: Path) -> bpe.Tokenizer:
    """From tokenizer.json or *.gguf."""
    if path.suffix == ".gguf":
        merges = gguf.read(path)[0]["tokenizer.ggml.merges"]
        return bpe.Tokenizer([tuple(m.split(" ")) for m in merges])
    return bpe.Tokenizer.load(path)


def _config(metadata: dict) -> Config:
    def value(key: str) -> int:
        return metadata["llama." + key]

    return Config(n_layers=value("block_count"), vocab=value("vocab_size"),
                  context=value("context_length"), d=value("embedding_length"),
                  ffn=value("feed_forward_length"), n_heads=value("attention.head_count"),
                  n_kv_heads=value("attention.head_count_kv"))
