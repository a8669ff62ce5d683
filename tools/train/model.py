"""The llama architecture as GGUF's `llama` means it, written for fast training on a CPU.

Used by train.py, evaluate.py, generate.py and export_gguf.py. RMSNorm, grouped-query attention,
interleaved RoPE (pairs 2i, 2i+1), SwiGLU, tied embeddings, no biases.

Parameters are float32. `compute` chooses the type of the matrix products and activations: bfloat16
is several times faster on a CPU with AMX or AVX512-BF16, float32 is the reference for evaluation.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class Config:
    n_layers: int
    vocab: int = 4096
    context: int = 512
    d: int = 256
    ffn: int = 768
    n_heads: int = 4
    n_kv_heads: int = 2
    rope_base: float = 10000.0
    norm_eps: float = 1e-5

    @property
    def head_dim(self) -> int:
        return self.d // self.n_heads


CONFIGS = {
    "small": Config(n_layers=6),
    "tiny": Config(n_layers=2),
}


def rope_tables(config: Config, n: int) -> tuple[Tensor, Tensor]:
    """(n, head_dim) cosines and sines; both members of a pair hold the same angle."""
    pair = torch.arange(0, config.head_dim, 2, dtype=torch.float64) / config.head_dim
    angle = torch.arange(n, dtype=torch.float64)[:, None] * config.rope_base ** -pair
    return (angle.cos().repeat_interleave(2, 1).float(),
            angle.sin().repeat_interleave(2, 1).float())


def quarter_turn(weight: Tensor) -> Tensor:
    """Rows (a, b) of every pair become (-b, a): the projection whose output is the input's, turned.

    RoPE is then y*cos + turned*sin with `turned` from a second matrix product, which on this
    hardware costs less than picking even and odd elements of the activations apart.
    """
    pairs = weight.view(-1, 2, weight.shape[1])
    return torch.stack((-pairs[:, 1], pairs[:, 0]), 1).view_as(weight)


class RmsNorm(nn.Module):
    def __init__(self, d: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return _RmsNorm.apply(x, self.weight, self.eps)


class _RmsNorm(torch.autograd.Function):
    """Keeps only the input and one number per row, and works in few passes over memory."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        wide = torch.promote_types(x.dtype, torch.float32)
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=wide)
        scale = torch.rsqrt(norm.square() / x.shape[-1] + eps).to(x.dtype)
        ctx.save_for_backward(x, weight, scale)
        return x * scale * weight.to(x.dtype)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, Tensor, None]:
        x, weight, scale = ctx.saved_tensors
        normed = x * scale
        d_weight = (dy * normed).flatten(0, -2).sum(0, dtype=torch.float32)
        d_normed = dy * weight.to(x.dtype)
        along = (d_normed * normed).sum(-1, keepdim=True) / x.shape[-1]
        return (d_normed - normed * along) * scale, d_weight, None


class _SwiGlu(torch.autograd.Function):
    """silu(gate) * up; recomputes instead of keeping the intermediates."""

    @staticmethod
    def forward(ctx: Any, gate: Tensor, up: Tensor) -> Tensor:
        ctx.save_for_backward(gate, up)
        return torch.sigmoid(gate) * gate * up  # F.silu of bfloat16 is slower than both

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, Tensor]:
        gate, up = ctx.saved_tensors
        sigmoid = torch.sigmoid(gate)
        silu = gate * sigmoid
        d_gate = dy * up * torch.addcmul(sigmoid, silu, 1 - sigmoid)
        return d_gate, dy * silu


class _CrossEntropy(torch.autograd.Function):
    """Sum of -log p(target) from hidden states and the tied embedding.

    Works on a few hundred rows at a time, so that the (rows, vocab) logits stay in cache, and makes
    the gradient at once: the full logits of a batch would be the largest tensor of the program.
    """

    ROWS = 256

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, table: Tensor, target: Tensor) -> Tensor:
        loss = 0.0
        d_hidden = torch.empty_like(hidden)
        d_table = torch.zeros(table.shape, dtype=torch.float32)
        for start in range(0, hidden.shape[0], _CrossEntropy.ROWS):
            rows = slice(start, start + _CrossEntropy.ROWS)
            h, t = hidden[rows], target[rows, None]
            logits = (h @ table.t()).float()
            logits -= logits.amax(1, keepdim=True)
            shifted = logits.gather(1, t)
            p = logits.exp_()
            total = p.sum(1, keepdim=True)
            loss += (total.log() - shifted).sum().item()
            p /= total
            p.scatter_add_(1, t, torch.full_like(total, -1.0))
            d_logits = p.to(h.dtype)
            d_hidden[rows] = d_logits @ table
            d_table += d_logits.t() @ h
        ctx.save_for_backward(d_hidden, d_table.to(table.dtype))
        return torch.tensor(loss)

    @staticmethod
    def backward(ctx: Any, d_loss: Tensor) -> tuple[Tensor, Tensor, None]:
        d_hidden, d_table = ctx.saved_tensors
        return d_hidden * d_loss.to(d_hidden.dtype), d_table * d_loss.to(d_table.dtype), None


class Block(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        d, kv = config.d, config.n_kv_heads * config.head_dim
        self.config = config
        self.attn_norm = RmsNorm(d, config.norm_eps)
        self.attn_q = nn.Parameter(torch.empty(d, d))
        self.attn_k = nn.Parameter(torch.empty(kv, d))
        self.attn_v = nn.Parameter(torch.empty(kv, d))
        self.attn_output = nn.Parameter(torch.zeros(d, d))
        self.ffn_norm = RmsNorm(d, config.norm_eps)
        self.ffn_gate = nn.Parameter(torch.empty(config.ffn, d))
        self.ffn_up = nn.Parameter(torch.empty(config.ffn, d))
        self.ffn_down = nn.Parameter(torch.zeros(d, config.ffn))

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor) -> Tensor:
        kind = x.dtype
        x = x + F.linear(self._attention(self.attn_norm(x), cos, sin, mask),
                         self.attn_output.to(kind))
        h = self.ffn_norm(x)
        h = _SwiGlu.apply(F.linear(h, self.ffn_gate.to(kind)), F.linear(h, self.ffn_up.to(kind)))
        return x + F.linear(h, self.ffn_down.to(kind))

    def _attention(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Tensor) -> Tensor:
        n_batch, n, d = x.shape
        n_kv, size = self.config.n_kv_heads, self.config.head_dim
        n_group = self.config.n_heads // n_kv

        q = self._rotated(x, self.attn_q, cos, sin).view(n_batch, n, n_kv, n_group, size)
        k = self._rotated(x, self.attn_k, cos, sin).view(n_batch, n, n_kv, size)
        v = F.linear(x, self.attn_v.to(x.dtype)).view(n_batch, n, n_kv, size)
        q = q.permute(0, 2, 3, 1, 4)  # (batch, n_kv, group, n, size)
        k = k.permute(0, 2, 3, 1)[:, :, None]  # (batch, n_kv, 1, size, n)
        v = v.permute(0, 2, 1, 3)[:, :, None]  # (batch, n_kv, 1, n, size)

        # In blocks of queries, so that the part above the diagonal is mostly not computed.
        rows = 128
        parts = []
        for start in range(0, n, rows):
            end = min(start + rows, n)
            scores = q[..., start:end, :] @ k[..., :end] + mask[start:end, :end]
            parts.append(scores.softmax(-1) @ v[..., :end, :])
        return torch.cat(parts, 3).permute(0, 3, 1, 2, 4).reshape(n_batch, n, d)

    def _rotated(self, x: Tensor, weight: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        plain = F.linear(x, weight.to(x.dtype))
        turned = F.linear(x, quarter_turn(weight).to(x.dtype))
        heads = weight.shape[0] // cos.shape[1]
        return plain * cos.repeat(1, heads) + turned * sin.repeat(1, heads)


class Llama(nn.Module):
    def __init__(self, config: Config, compute: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.config = config
        self.compute = compute
        self.token_embd = nn.Parameter(torch.empty(config.vocab, config.d))
        self.blk = nn.ModuleList(Block(config) for _ in range(config.n_layers))
        self.output_norm = RmsNorm(config.d, config.norm_eps)
        for name, parameter in self.named_parameters():
            if name == "token_embd":
                nn.init.normal_(parameter, std=0.02)
            elif parameter.ndim == 2 and not name.endswith(("attn_output", "ffn_down")):
                nn.init.normal_(parameter, std=config.d ** -0.5)
        cos, sin = rope_tables(config, config.context)
        mask = torch.full((config.context, config.context), float("-inf")).triu(1)
        for name, table in (("cos", cos), ("sin", sin), ("mask", mask)):
            self.register_buffer(name, table.to(compute), persistent=False)

    def hidden(self, ids: Tensor) -> Tensor:
        """(batch, n) ids to (batch, n, d) normed hidden states, in the compute type."""
        n = ids.shape[1]
        # Scores are q.k / sqrt(head_dim); q and k take one root each, in their shared RoPE tables.
        root = self.config.head_dim ** -0.25
        cos, sin, mask = self.cos[:n] * root, self.sin[:n] * root, self.mask[:n, :n]
        x = F.embedding(ids, self.token_embd).to(self.compute)
        for block in self.blk:
            x = block(x, cos, sin, mask)
        return self.output_norm(x)

    def loss(self, ids: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy in nats."""
        hidden = self.hidden(ids).flatten(0, 1)
        table = self.token_embd.to(self.compute)
        return _CrossEntropy.apply(hidden, table, targets.flatten()) / targets.numel()

    def logits(self, ids: Tensor) -> Tensor:
        return (self.hidden(ids) @ self.token_embd.to(self.compute).t()).float()

    def n_parameters(self) -> int:
        return sum(p.numel() for p in self.parameters())
