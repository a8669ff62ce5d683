"""Muon for the matrices, Adam for the embedding and the norms. Used by train.py.

Muon (K. Jordan et al., 2024) replaces the momentum of a matrix by the nearest orthogonal matrix, so
that every direction of the weight moves at the same speed. With a few tens of millions of tokens it
reaches a given loss in far fewer of them than Adam does.

State lives in shared memory: the processes of a training run share out the updates among them, and
one of them writes the checkpoint.
"""

import torch
from torch import Tensor

# A quintic whose iteration drives singular values from (0, 1] to about 1; coefficients as published
# with Muon. It trades exactness (values end between 0.7 and 1.2) for few iterations.
_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)


def orthogonalize(stack: Tensor, n_steps: int = 5) -> Tensor:
    """(n, rows, columns) with rows <= columns: every matrix made nearly orthogonal, in bfloat16."""
    a, b, c = _NEWTON_SCHULZ
    x = (stack / (stack.norm(dim=(1, 2), keepdim=True) + 1e-12)).bfloat16()
    for _ in range(n_steps):
        gram = x @ x.transpose(1, 2)
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.float()


class Muon:
    """Nesterov momentum, orthogonalized, for matrices of one shape, worked on as one stack."""

    def __init__(self, matrices: list[Tensor], lr: float, momentum: float = 0.95,
                 weight_decay: float = 0.0) -> None:
        self.parameters = matrices
        self.lr, self.momentum, self.weight_decay = lr, momentum, weight_decay
        self.state = [torch.zeros(len(matrices), *matrices[0].shape).share_memory_()]

    @torch.no_grad()
    def step(self, grads: list[Tensor], factor: float) -> None:
        moment, grad = self.state[0], torch.stack(grads)
        moment.lerp_(grad, 1 - self.momentum)
        update = grad.lerp_(moment, self.momentum)
        rows, columns = grads[0].shape
        if rows > columns:
            update = orthogonalize(update.transpose(1, 2)).transpose(1, 2)
        else:
            update = orthogonalize(update)
        lr = self.lr * factor
        for matrix, change in zip(self.parameters, update):
            matrix.mul_(1 - lr * self.weight_decay)
            matrix.add_(change, alpha=-lr * max(1.0, rows / columns) ** 0.5)


class Adam:
    """As Kingma and Ba have it, without weight decay."""

    def __init__(self, parameters: list[Tensor], lr: float,
                 betas: tuple[float, float] = (0.9, 0.95), eps: float = 1e-10) -> None:
        self.parameters = parameters
        self.lr, self.betas, self.eps = lr, betas, eps
        self.state = [torch.zeros_like(p).share_memory_() for p in parameters for _ in range(2)]
        self.state.append(torch.zeros(1).share_memory_())  # steps taken

    @torch.no_grad()
    def step(self, grads: list[Tensor], factor: float) -> None:
        count = self.state[-1].add_(1).item()
        fast, slow = self.betas
        rate = self.lr * factor / (1 - fast ** count)
        for i, (parameter, grad) in enumerate(zip(self.parameters, grads)):
            mean, square = self.state[2 * i], self.state[2 * i + 1]
            mean.lerp_(grad, 1 - fast)
            square.lerp_(grad * grad, 1 - slow)
            root = (square / (1 - slow ** count)).sqrt_().add_(self.eps)
            parameter.addcdiv_(mean, root, value=-rate)
