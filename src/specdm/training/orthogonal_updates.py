"""Steps in which all directions of a weight matrix move alike: denoisers learn in fewer of them.

Muon (Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks", kellerjordan.github.io/posts/muon)
moves a matrix by its orthogonalised momentum, and everything else as Adam does. `torch.optim.Muon` takes matrices only,
not the filters of convolutions, and orthogonalises in every step, which on a CPU costs as much as half of a step of
training; what whitens the momentum changes slowly enough to be kept for a few steps. On latents of five data sets the
denoiser's loss after 225 steps was 7 to 12 % lower than with Adam (`benchmarks/NOTES.md`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Coefficients of the odd polynomial a x + b x³ + c x⁵ that brings singular values near 1, Jordan et al. 2024."""

ROUNDS = 5
"""Of the polynomial, one in the other."""

KEPT_STEPS = 10
"""Steps for which a whitening is used."""

FRESH_STEPS = 5
"""First steps, which are whitened each by itself: gradients change much in them."""

SIZE_OF_ADAM = 0.2
"""Root mean square of Adam's steps over their rate, so that both go by one rate; Liu et al. 2025, "Muon is scalable for
LLM training", arXiv 2502.16982, section 2.2."""

LARGEST = 1.2
"""Size of a step over that of an orthogonal one, beyond which an old whitening is not followed."""


class OrthogonalUpdates(torch.optim.AdamW):
    """Muon for groups of weights with `orthogonal`, Adam without weight decay for the others; both by `lr`."""

    def __init__(
        self,
        groups: Iterable[dict[str, Any]],
        *,
        lr: float,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.99),
    ):
        """Nothing has been learnt.

        Args:
            groups: with `params` and `orthogonal`; weights of the latter have two dimensions or more.
            lr: rate of each step.
            momentum: part of the orthogonal groups' mean gradient that stays.
            betas: of Adam.
        """
        super().__init__([{"momentum": momentum, **group} for group in groups], lr=lr, betas=betas, weight_decay=0.0)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()  # gradients are clipped in it, those of all groups
        everything = self.param_groups
        try:
            self.param_groups = [group for group in everything if not group["orthogonal"]]
            super().step()
        finally:
            self.param_groups = everything
        for group in everything:
            for weight in group["params"] if group["orthogonal"] else ():
                if weight.grad is not None:
                    _orthogonal_step(weight, self.state[weight], group)
        return loss


def _orthogonal_step(weight: torch.Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
    gradient = weight.grad.flatten(1)  # type: ignore[union-attr]
    wide = gradient if gradient.shape[0] <= gradient.shape[1] else gradient.T
    step = state.get("step", 0)
    if not step:
        state["mean"] = torch.zeros_like(wide)
    state["mean"].lerp_(wide, 1 - group["momentum"])
    ahead = wide.lerp(state["mean"], group["momentum"])  # Nesterov's momentum
    if step % KEPT_STEPS == 0 or step < FRESH_STEPS:
        state["whitening"] = whitening(ahead)
    state["step"] = step + 1
    moved = state["whitening"] @ ahead
    # an old whitening may fit badly: an orthogonal matrix has as much norm as rows
    moved = moved * (LARGEST * len(moved) ** 0.5 / moved.norm().clamp(min=1e-12)).clamp(max=1.0)
    moved = moved if wide is gradient else moved.T
    weight.add_(moved.reshape(weight.shape), alpha=-group["lr"] * SIZE_OF_ADAM * max(gradient.shape) ** 0.5)


def whitening(matrix: torch.Tensor) -> torch.Tensor:
    """What a matrix with no more rows than columns is multiplied with, from the left, to become nearly orthogonal.

    Newton and Schulz's iteration on the matrix, done on its square alone: that is small where the matrix is long.

    Args:
        matrix: `(rows, columns)`.

    Returns:
        `(rows, rows)`; with it singular values lie between 0.7 and 1.2, those next to nothing below.
    """
    a, b, c = NEWTON_SCHULZ
    square = matrix @ matrix.T
    size = square.trace().clamp(min=1e-20)
    square, eye = square / size, torch.eye(len(square), dtype=square.dtype, device=square.device)
    found: torch.Tensor | None = None
    for left in reversed(range(ROUNDS)):
        factor = a * eye + b * square + c * (square @ square)
        found = factor if found is None else factor @ found
        if left:
            square = factor @ square @ factor
    assert found is not None
    return found / size.sqrt()
