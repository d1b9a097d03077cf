"""All directions of a matrix move alike, everything else as with Adam."""

from __future__ import annotations

import pytest
import torch

from specdm.training.orthogonal_updates import KEPT_STEPS, SIZE_OF_ADAM, OrthogonalUpdates, whitening


def weights(*shapes: tuple[int, ...], seed: int = 0) -> list[torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.nn.Parameter(torch.randn(shape, generator=generator)) for shape in shapes]


def give_gradients(parts: list[torch.nn.Parameter], *, step: int) -> None:
    generator = torch.Generator().manual_seed(100 + step)
    for part in parts:
        part.grad = torch.randn(part.shape, generator=generator)


def steps(optimizer: torch.optim.Optimizer, parts: list[torch.nn.Parameter], which: range) -> None:
    for step in which:
        give_gradients(parts, step=step)
        optimizer.step()


@pytest.mark.parametrize("shape", [(8, 8), (5, 40), (64, 576), (1, 3)])
def test_whitened_matrices_are_nearly_orthogonal(shape: tuple[int, int]) -> None:
    (matrix,) = weights(shape, seed=shape[0])
    # rows and columns of very different size, as gradients have them
    matrix = matrix.detach() * torch.logspace(-1, 1, shape[0])[:, None] * 1e-4
    values = torch.linalg.svdvals(whitening(matrix) @ matrix)
    assert float(values.min()) > 0.3 and float(values.max()) < 1.3


@pytest.mark.parametrize("shape", [(12, 4, 3, 3), (40, 2, 1, 1), (6, 6)])
def test_filters_move_orthogonally_and_as_far_as_with_adam(shape: tuple[int, ...]) -> None:
    (part,) = weights(shape)
    before = part.detach().clone()
    optimizer = OrthogonalUpdates([{"params": [part], "orthogonal": True}], lr=0.5)
    steps(optimizer, [part], range(1))
    moved = (part.detach() - before).flatten(1) / -0.5
    values = torch.linalg.svdvals(moved / (SIZE_OF_ADAM * max(moved.shape) ** 0.5))
    assert float(values.min()) > 0.3 and float(values.max()) < 1.3
    # downhill
    assert float((moved * part.grad.flatten(1)).sum()) > 0
    assert 0.5 * SIZE_OF_ADAM < float(moved.square().mean().sqrt()) < 1.5 * SIZE_OF_ADAM


def test_other_weights_take_the_steps_of_adam() -> None:
    ours, theirs = weights((4, 3), (5,)), weights((4, 3), (5,))
    steps(OrthogonalUpdates([{"params": ours, "orthogonal": False}], lr=0.1), ours, range(4))
    steps(torch.optim.AdamW(theirs, lr=0.1, betas=(0.9, 0.99), weight_decay=0.0), theirs, range(4))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other)


def groups_of(parts: list[torch.nn.Parameter]) -> list[dict]:
    return [{"params": parts[:1], "orthogonal": True, "times": 2.0}, {"params": parts[1:], "orthogonal": False}]


def test_a_closure_sees_all_groups() -> None:
    parts = weights((4, 3), (5,))
    optimizer = OrthogonalUpdates(groups_of(parts), lr=0.1)
    seen = []

    def closure() -> float:
        give_gradients(parts, step=0)
        seen.extend(len(group["params"]) for group in optimizer.param_groups)
        assert torch.is_grad_enabled()
        return 3.0

    assert optimizer.step(closure) == 3.0 and seen == [1, 1]


@pytest.mark.parametrize("after", [2, KEPT_STEPS + 2])
def test_gone_on_with_from_its_state(after: int, tmp_path) -> None:
    whole, parts = weights((4, 6), (5,)), weights((4, 6), (5,))
    steps(OrthogonalUpdates(groups_of(whole), lr=0.1), whole, range(3 * KEPT_STEPS))
    first = OrthogonalUpdates(groups_of(parts), lr=0.1)
    steps(first, parts, range(after))
    torch.save(first.state_dict(), tmp_path / "state.pt")
    again = OrthogonalUpdates(groups_of(parts), lr=0.3)
    again.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    steps(again, parts, range(after, 3 * KEPT_STEPS))
    for one, other in zip(whole, parts, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
