"""Trains a model from what prepare.py wrote.

    python3 train.py --prepared build --model small --minutes 80 --out build/small

The schedule follows the wall clock, not a count of steps: on a shared machine nobody knows how many
steps fit, and a model that was not annealed to a learning rate of zero is much the worse for it.
`--minutes` is training time in all, over every run that resumes the same --out folder. Writes
checkpoint.pt every few minutes, model.pt at the end, and log.csv all along.
"""

import argparse
import ctypes
import os
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import torch.multiprocessing as mp

import tokenizer as bpe
from model import CONFIGS, Llama
from optim import Adam, Muon


def keep_freed_memory() -> None:
    """Tells glibc's malloc to reuse large buffers instead of handing them back to the system.

    Otherwise every activation tensor is mapped and page-faulted anew: about 15% of the run time.
    """
    m_trim_threshold, m_top_pad, m_mmap_max = -1, -2, -4
    libc = ctypes.CDLL(None)
    libc.mallopt(m_mmap_max, 0)
    libc.mallopt(m_trim_threshold, 2**31 - 1)
    libc.mallopt(m_top_pad, 2**28)


class Windows:
    """Draws training windows: children's novels with a given share, each kind without repetition
    until all of it has been seen.

    A window that does not start a chapter gets a <|begin|> in front and is moved back to the start
    of a paragraph if one is near, because that is what the model meets in use.
    """

    LOOK_BACK = 96

    def __init__(self, folder: Path, tok: bpe.Tokenizer, n: int, children: float,
                 seed: int) -> None:
        self.n = n
        self.children = children
        self.random = np.random.default_rng(seed)
        self.tokens = np.fromfile(folder / "train.bin", dtype=np.uint16)
        index = np.load(folder / "train.npz")
        breaks = np.array([tok.token_bytes(i).endswith(b"\n\n") for i in range(len(tok.tokens))])
        starts = np.flatnonzero(breaks[self.tokens[:-1]]) + 1
        self.paragraph = np.zeros(len(self.tokens), dtype=np.int64)  # last start at or before
        self.paragraph[starts] = starts
        np.maximum.accumulate(self.paragraph, out=self.paragraph)
        self.spans = [self._spans(index["chapters"][index["children"] == kind])
                      for kind in (False, True)]
        self.queues: list[list[int]] = [[], []]

    @staticmethod
    def _spans(chapters: np.ndarray) -> list[tuple[int, int]]:
        """Neighbouring chapters as one span."""
        spans: list[list[int]] = []
        for start, end in chapters.tolist():
            if spans and spans[-1][1] == start:
                spans[-1][1] = end
            else:
                spans.append([start, end])
        return [(a, b) for a, b in spans]

    def _fill(self, kind: int) -> list[int]:
        phase = int(self.random.integers(self.n))
        starts = []
        for start, end in self.spans[kind]:
            for at in range(start + phase, end - self.n - 1, self.n):
                paragraph = int(self.paragraph[at])
                starts.append(paragraph if max(start, at - self.LOOK_BACK) <= paragraph else at)
        self.random.shuffle(starts)
        return starts

    def batch(self, rows: int) -> tuple[torch.Tensor, torch.Tensor]:
        """(rows, n) inputs and targets."""
        out = np.empty((rows, self.n + 1), dtype=np.int64)
        for row in out:
            kind = int(self.random.random() < self.children)
            if not self.queues[kind]:
                self.queues[kind] = self._fill(kind)
            at = self.queues[kind].pop()
            if self.tokens[at] == bpe.BEGIN_ID:
                row[:] = self.tokens[at:at + self.n + 1]
            else:
                row[0] = bpe.BEGIN_ID
                row[1:] = self.tokens[at:at + self.n]
        ids = torch.from_numpy(out)
        return ids[:, :-1].contiguous(), ids[:, 1:].contiguous()

    def state(self) -> dict:
        return {"random": self.random.bit_generator.state, "queues": self.queues}

    def load_state(self, state: dict) -> None:
        self.random.bit_generator.state = state["random"]
        self.queues = state["queues"]


def schedule(progress: float, step: int, warmup: int, hold: float) -> float:
    """Factor on the learning rates: a warm-up in steps, flat until `hold`, then linear to zero."""
    return min(1.0, (step + 1) / warmup, max(0.0, (1 - progress) / (1 - hold)))


def start_from(model: Llama, deeper: dict[str, torch.Tensor]) -> None:
    """Takes embedding, norms and evenly spaced blocks, first and last included, of a deeper model.

    The embedding is a large part of a small model and slow to learn in a short run; and a draft
    model that was cut from its target agrees with it more often.
    """
    n, n_deeper = model.config.n_layers, 1 + max(
        int(name.split(".")[1]) for name in deeper if name.startswith("blk."))
    weights = {}
    for name in model.state_dict():
        parts = name.split(".")
        if parts[0] == "blk":
            parts[1] = str(int(parts[1]) * (n_deeper - 1) // max(1, n - 1))
        weights[name] = deeper[".".join(parts)]
    model.load_state_dict(weights)


class Trainer:
    """One model, trained by several processes of one thread each.

    Weights, gradients and optimizer state are in shared memory. In a step every process takes the
    next micro-batch until none is left, so that one whose core is busy with other work takes fewer;
    then each runs its share of the updates. Compared with one process of two threads this waits
    twice in a step and not at every operation: a third faster on two idle cores, more on busy ones.
    """

    BARRIER_S = 1800

    def __init__(self, args: argparse.Namespace) -> None:
        torch.manual_seed(args.seed)
        self.args = args
        self.model = Llama(CONFIGS[args.model], getattr(torch, args.dtype)).share_memory()
        if args.start_from:
            start_from(self.model, torch.load(args.start_from)["weights"])
        tok = bpe.Tokenizer.load(args.prepared / "tokenizer.json")
        self.windows = Windows(args.prepared, tok, self.model.config.context, args.children,
                               args.seed)
        self.optimizers = self._optimizers()
        self.step, self.n_tokens, self.seconds = 0, 0, 0.0
        self.checkpoint = args.out / "checkpoint.pt"
        if self.checkpoint.exists():
            self._resume()

        size = self.model.n_parameters()
        self.grads = [torch.zeros(size).share_memory_() for _ in range(args.processes)]
        self.losses = torch.zeros(args.processes).share_memory_()
        self.factor = torch.zeros(1).share_memory_()  # of the learning rates; negative: stop
        self.barrier = mp.Barrier(args.processes)
        self.next_part = mp.Value("i", 0)

    def _optimizers(self) -> list[Muon | Adam]:
        """Ordered so that taking every other one halves the work."""
        args, blk = self.args, self.model.blk

        def muon(*names: str) -> Muon:
            return Muon([getattr(b, name) for b in blk for name in names], args.lr_matrix,
                        weight_decay=args.weight_decay)

        norms = [p for p in self.model.parameters() if p.ndim == 1]
        return [muon("ffn_gate", "ffn_up"), muon("ffn_down"),
                Adam(norms, args.lr_norm), muon("attn_q", "attn_output"),
                muon("attn_k", "attn_v"), Adam([self.model.token_embd], args.lr_embedding)]

    def run(self) -> None:
        helpers = [mp.Process(target=self._helper, args=(rank,), daemon=True)
                   for rank in range(1, self.args.processes)]
        for helper in helpers:
            helper.start()
        views = self._bind(0)
        limit = self.args.minutes * 60
        last_save = last_log = time.monotonic()
        losses: list[float] = []
        log = open(self.args.out / "log.csv", "a", encoding="utf-8", buffering=1)
        if log.tell() == 0:
            log.write("step,tokens,seconds,learning_rate_factor,train_nats_per_token\n")
        while self.seconds < limit:
            began = time.monotonic()
            factor = schedule(self.seconds / limit, self.step, self.args.warmup, self.args.hold)
            self.factor.fill_(factor)
            self.next_part.value = 0
            self.barrier.wait(self.BARRIER_S)
            self._work(0, views)
            losses.append(float(self.losses.sum()))
            self.step += 1
            self.n_tokens += self.args.batch * self.model.config.context
            now = time.monotonic()
            self.seconds += now - began
            if self.step % self.args.log_every == 0:
                rate = len(losses) * self.args.batch * self.model.config.context / (now - last_log)
                mean = float(np.mean(losses))
                log.write(f"{self.step},{self.n_tokens},{self.seconds:.0f},{factor:.4f},"
                          f"{mean:.4f}\n")
                print(f"step {self.step} {self.seconds / 60:.1f} min  {self.n_tokens / 1e6:.2f} M "
                      f"tokens  {rate:.0f} tok/s  lr x{factor:.3f}  loss {mean:.4f}", flush=True)
                losses, last_log = [], now
            if now - last_save > self.args.save_minutes * 60:
                self._save()
                last_save = now
        self.factor.fill_(-1)
        self.barrier.wait(self.BARRIER_S)
        self._save()
        torch.save({"config": asdict(self.model.config), "weights": self.model.state_dict(),
                    "tokens": self.n_tokens, "step": self.step}, self.args.out / "model.pt")

    def _helper(self, rank: int) -> None:
        views = self._bind(rank)
        while True:
            self.barrier.wait(self.BARRIER_S)
            if self.factor.item() < 0:
                return
            self._work(rank, views)

    def _bind(self, rank: int) -> list[dict[torch.Tensor, torch.Tensor]]:
        """Makes this process accumulate into its row of the shared gradients; returns, for every
        process, the gradient of each parameter."""
        views: list[dict[torch.Tensor, torch.Tensor]] = []
        for row in self.grads:
            parts = row.split([p.numel() for p in self.model.parameters()])
            views.append({p: g.view_as(p) for p, g in zip(self.model.parameters(), parts)})
        for parameter, grad in views[rank].items():
            parameter.grad = grad
        return views

    def _work(self, rank: int, views: list[dict[torch.Tensor, torch.Tensor]]) -> None:
        """One step of one process. All of them draw the same batch."""
        ids, targets = self.windows.batch(self.args.batch)
        rows = self.args.micro_batch
        n_parts = self.args.batch // rows
        self.grads[rank].zero_()
        total = 0.0
        while True:
            with self.next_part.get_lock():
                part = self.next_part.value
                self.next_part.value += 1
            if part >= n_parts:
                break
            mine = slice(part * rows, (part + 1) * rows)
            loss = self.model.loss(ids[mine], targets[mine]) / n_parts
            loss.backward()
            total += loss.item()
        self.losses[rank] = total
        self.barrier.wait(self.BARRIER_S)
        for optimizer in self.optimizers[rank::self.args.processes]:
            optimizer.step([sum(view[p] for view in views) for p in optimizer.parameters],
                           self.factor.item())
        self.barrier.wait(self.BARRIER_S)

    def _save(self) -> None:
        state = {"weights": self.model.state_dict(), "config": asdict(self.model.config),
                 "optimizers": [o.state for o in self.optimizers],
                 "windows": self.windows.state(), "step": self.step, "tokens": self.n_tokens,
                 "seconds": self.seconds}
        partial = self.checkpoint.with_suffix(".partial")
        torch.save(state, partial)
        os.replace(partial, self.checkpoint)

    def _resume(self) -> None:
        state = torch.load(self.checkpoint)
        self.model.load_state_dict(state["weights"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"]):
            for tensor, value in zip(optimizer.state, saved):
                tensor.copy_(value)
        self.windows.load_state(state["windows"])
        self.step, self.n_tokens, self.seconds = state["step"], state["tokens"], state["seconds"]
        print(f"resumed at step {self.step}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0],
                                     formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add("--prepared", type=Path, required=True, help="folder that prepare.py wrote")
    add("--out", type=Path, required=True, help="folder for checkpoints, log and the model")
    add("--model", choices=sorted(CONFIGS), default="small")
    add("--start-from", type=Path, help="model.pt of a deeper model whose layers to begin with")
    add("--minutes", type=float, default=80, help="training time in all; decays to zero by then")
    add("--processes", type=int, default=os.cpu_count(), help="of one thread each")
    add("--dtype", choices=("bfloat16", "float32"), default="bfloat16")
    add("--batch", type=int, default=16, help="sequences in an optimizer step")
    add("--micro-batch", type=int, default=2, help="sequences in one forward pass")
    add("--children", type=float, default=0.5, help="share of windows from children's novels")
    add("--lr-matrix", type=float, default=0.02)
    add("--lr-embedding", type=float, default=0.004)
    add("--lr-norm", type=float, default=0.003)
    add("--weight-decay", type=float, default=0.01, help="of the matrices, times their rate")
    add("--warmup", type=int, default=60, help="steps")
    add("--hold", type=float, default=0.2, help="share of the time before the decay begins")
    add("--log-every", type=int, default=20, help="steps")
    add("--save-minutes", type=float, default=4)
    add("--seed", type=int, default=1)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    keep_freed_memory()
    torch.set_num_threads(1)  # before any work: the helpers are forked from this process
    torch.set_flush_denormal(True)
    Trainer(args).run()


if __name__ == "__main__":
    main()
