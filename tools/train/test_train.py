"""Tests of this folder's own arithmetic: python3 -m unittest test_train (from this folder)."""

import tempfile
import unittest
from collections import Counter
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import corpus
import gguf
import prepare
import tokenizer as bpe
from export_gguf import CASES
from model import Config, Llama, quarter_turn, rope_tables
from optim import orthogonalize
from train import start_from


class TokenizerTest(unittest.TestCase):
    def setUp(self) -> None:
        text = "the cat and the other cat sat there; they chatted on and on.\n\n" * 3
        self.tok = bpe.train(Counter(bpe.PATTERN.findall(text)), 3 + 256 + 20)

    def test_decode_inverts_encode(self) -> None:
        for text in CASES:
            self.assertEqual(self.tok.decode(self.tok.encode(text)), text)

    def test_most_frequent_pair_is_merged_first(self) -> None:
        pieces = Counter({"abab": 3, "abc": 2, "bc": 1})
        tok = bpe.train(pieces, 3 + 256 + 2)
        self.assertEqual(tok.merges, [("a", "b"), ("ab", "ab")])

    def test_vocabulary_has_the_asked_size(self) -> None:
        self.assertEqual(len(self.tok.tokens), 279)


class CorpusTest(unittest.TestCase):
    def test_wrapped_lines_become_paragraphs_and_verse_keeps_its_lines(self) -> None:
        prose = "It was a \u201cdark\u201d and stormy night\u2014the rain fell in torrents, as\n"
        verse = "Twinkle, twinkle,\nlittle star,\nhow I wonder"
        raw = "\r\n\r\n".join(["CHAPTER I", prose * 2, verse, "* * *", prose])
        joined = 'It was a "dark" and stormy night--the rain fell in torrents, as'
        self.assertEqual(corpus.clean(raw),
                         ["CHAPTER I", f"{joined} {joined}", verse, joined])

    def test_wrapped_lines_without_empty_ones_are_refused(self) -> None:
        self.assertIsNone(corpus.clean("a line of some length\n" * 100))


class OverlapTest(unittest.TestCase):
    def test_share_of_sequences_found_in_training_text(self) -> None:
        held = corpus.Novel("h", ["a b c d e"])  # abc, bcd, cde
        training = [corpus.Novel("t", ["x A b c d y"])]
        self.assertEqual(prepare.overlaps([held], training, n=3), {"h": 0.66667})


class GgufTest(unittest.TestCase):
    def setUp(self) -> None:
        self.values = np.random.default_rng(5).normal(size=(8, 512)).astype(np.float32)

    def test_file_round_trip(self) -> None:
        bound = {gguf.Type.F32: 0, gguf.Type.F16: 3e-4, gguf.Type.Q8_0: 0.006,
                 gguf.Type.Q4_K: 0.075}
        keys = {"a.text": "x\u00e9", "a.number": 7, "a.float": 0.5, "a.flag": True,
                "a.list": ["p", "q"], "a.ids": [1, -3]}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "t.gguf"
            gguf.write(path, keys, [(kind.name, self.values, kind) for kind in gguf.Type])
            metadata, tensors = gguf.read(path)
        self.assertEqual(metadata, keys)
        for kind, limit in bound.items():
            error = np.sqrt(((tensors[kind.name] - self.values) ** 2).mean())
            self.assertLessEqual(error, limit, kind.name)

    def test_blocks_of_zeros_and_of_one_sign(self) -> None:
        for kind in (gguf.Type.Q8_0, gguf.Type.Q4_K):
            zeros, positive = np.zeros((1, 256), np.float32), np.abs(self.values)
            for values in (zeros, positive, -positive):
                back = gguf.dequantize(gguf.quantize(values, kind), kind, values.shape)
                self.assertLess(np.abs(back - values).max(), 0.25)


class ModelTest(unittest.TestCase):
    CONFIG = Config(n_layers=2, vocab=64, context=160, d=32, ffn=64, n_heads=4, n_kv_heads=2)

    def setUp(self) -> None:
        torch.manual_seed(1)
        self.model = Llama(self.CONFIG)
        for p in self.model.parameters():
            torch.nn.init.normal_(p, std=0.2)
        self.ids = torch.randint(0, 64, (2, 150))

    def reference_logits(self) -> torch.Tensor:
        """The architecture written plainly, in float64, with none of model.py's rearrangements."""
        c, size = self.CONFIG, self.CONFIG.head_dim
        w = {name: p.detach().double() for name, p in self.model.named_parameters()}

        def norm(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
            return x / torch.sqrt((x * x).mean(-1, keepdim=True) + c.norm_eps) * weight

        def rope(x: torch.Tensor) -> torch.Tensor:  # (batch, heads, n, size)
            pair = torch.arange(0, size, 2).double()
            angle = torch.arange(x.shape[2]).double()[:, None] * c.rope_base ** (-pair / size)
            turned = torch.view_as_complex(x.unflatten(-1, (-1, 2))) * torch.polar(
                torch.ones_like(angle), angle)
            return torch.view_as_real(turned).flatten(-2)

        x = w["token_embd"][self.ids]
        n = x.shape[1]
        for i in range(c.n_layers):
            b = {k.split(".", 2)[2]: v for k, v in w.items() if k.startswith(f"blk.{i}.")}
            h = norm(x, b["attn_norm.weight"])
            q, k, v = ((h @ b[name].t()).unflatten(-1, (-1, size)).transpose(1, 2)
                       for name in ("attn_q", "attn_k", "attn_v"))
            q, k = rope(q), rope(k).repeat_interleave(2, 1)
            scores = q @ k.transpose(2, 3) / size ** 0.5
            scores = scores.masked_fill(torch.ones(n, n).triu(1).bool(), float("-inf"))
            mixed = scores.softmax(-1) @ v.repeat_interleave(2, 1)
            x = x + mixed.transpose(1, 2).flatten(2) @ b["attn_output"].t()
            h = norm(x, b["ffn_norm.weight"])
            x = x + (F.silu(h @ b["ffn_gate"].t()) * (h @ b["ffn_up"].t())) @ b["ffn_down"].t()
        return norm(x, w["output_norm.weight"]) @ w["token_embd"].t()

    def test_logits_match_the_plain_formulas(self) -> None:
        expected = self.reference_logits()
        error = (self.model.logits(self.ids) - expected).abs().max() / expected.abs().max()
        self.assertLess(error.item(), 1e-5)

    def test_loss_and_gradients_match_autograd_on_the_logits(self) -> None:
        targets = self.ids.roll(-1, 1)
        self.model.loss(self.ids, targets).backward()
        # The loss has its own gradient of the last layer; norms and SwiGLU have theirs everywhere,
        # which a finite difference along a random direction checks.
        direction = {n: torch.randn_like(p) for n, p in self.model.named_parameters()}
        slope = sum((p.grad * direction[n]).sum() for n, p in self.model.named_parameters()).item()
        double = Llama(self.CONFIG, torch.float64).double()
        double.cos, double.sin = (t.double() for t in rope_tables(self.CONFIG, 160))
        values = []
        for sign in (1, -1):
            state = {n: (p + sign * 1e-5 * direction[n]).double().detach()
                     for n, p in self.model.named_parameters()}
            double.load_state_dict(state)
            with torch.no_grad():
                logits = (double.hidden(self.ids) @ state["token_embd"].t()).flatten(0, 1)
                values.append(F.cross_entropy(logits, targets.flatten()).item())
        self.assertAlmostEqual((values[0] - values[1]) / 2e-5 / slope, 1.0, delta=2e-3)

    def test_quarter_turn(self) -> None:
        weight = torch.tensor([[1.0], [2.0], [3.0], [4.0]])
        self.assertEqual(quarter_turn(weight).flatten().tolist(), [-2.0, 1.0, -4.0, 3.0])


class StartFromTest(unittest.TestCase):
    def test_takes_the_first_and_the_last_block(self) -> None:
        deep, shallow = (Llama(Config(n, vocab=8, d=8, ffn=8, n_heads=2, n_kv_heads=1))
                         for n in (6, 2))
        start_from(shallow, deep.state_dict())
        for mine, theirs in ((0, 0), (1, 5)):
            self.assertTrue(torch.equal(shallow.blk[mine].ffn_up, deep.blk[theirs].ffn_up))


class OptimizerTest(unittest.TestCase):
    def test_orthogonalize_brings_singular_values_near_one(self) -> None:
        values = torch.linalg.svdvals(orthogonalize(torch.randn(3, 16, 48)))
        self.assertGreater(values.min().item(), 0.5)
        self.assertLess(values.max().item(), 1.4)


if __name__ == "__main__":
    unittest.main()
