"""The loss of downstream networks by hand: what counts, and by how much."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from specdm.evaluation.usefulness.augmentation import Batch
from specdm.evaluation.usefulness.downstream import loss_of
from specdm.evaluation.usefulness.parts import Part, Targets

NONE = np.zeros(0, np.float32)
TWO_CLASSES = Targets(1, 2, 0, NONE, NONE)
ONE_QUANTITY = Targets(0, 0, 1, np.zeros(1, np.float32), np.ones(1, np.float32))


def batch_of(targets: torch.Tensor, weights: torch.Tensor | None = None) -> Batch:
    weights = torch.ones(len(targets), 1, *targets.shape[-2:]) if weights is None else weights
    return Batch(torch.zeros(len(targets), 1, *targets.shape[-2:]), ((1.0, Part(torch.zeros(()), targets, weights)),))


LOGITS = torch.tensor([[[[0.0, 2.0, 5.0]], [[1.0, 0.0, -5.0]]]])
"""A tile of three pixels, two classes."""


def entropy(difference: float) -> float:
    """Cross-entropy of a class whose logit is so much above the other's."""
    return math.log1p(math.exp(-difference))


def test_cross_entropy_by_hand():
    loss = loss_of(LOGITS, batch_of(torch.tensor([[[[1, 1, 0]]]])), TWO_CLASSES)
    assert loss.item() == pytest.approx((entropy(1) + entropy(-2) + entropy(10)) / 3)


def test_unlabelled_pixels_do_not_count():
    outputs = LOGITS.clone().requires_grad_()
    loss = loss_of(outputs, batch_of(torch.tensor([[[[1, -1, 0]]]])), TWO_CLASSES)
    assert loss.item() == pytest.approx((entropy(1) + entropy(10)) / 2)
    loss.backward()
    assert (outputs.grad[..., 1] == 0).all() and (outputs.grad[..., 0] != 0).all()


def test_weights_weigh():
    targets = torch.tensor([[[[1, 1, 0]]]])
    loss = loss_of(LOGITS, batch_of(targets, torch.tensor([[[[1.0, 0.5, 0.0]]]])), TWO_CLASSES)
    assert loss.item() == pytest.approx((entropy(1) + 0.5 * entropy(-2)) / 1.5)
    removed = loss_of(LOGITS, batch_of(targets, torch.tensor([[[[1.0, 0.0, 1.0]]]])), TWO_CLASSES)
    assert removed.item() == loss_of(LOGITS, batch_of(torch.tensor([[[[1, -1, 0]]]])), TWO_CLASSES).item()


def test_layers_have_their_own_outputs_and_weights():
    targets = Targets(2, 2, 0, NONE, NONE)
    outputs = torch.cat([LOGITS, -LOGITS], dim=1)
    answer = torch.tensor([[[[1, -1, -1]], [[-1, 0, -1]]]])
    weights = torch.tensor([[[[1.0, 1, 1]], [[0.5, 0.5, 0.5]]]])
    loss = loss_of(outputs, batch_of(answer, weights), targets)
    assert loss.item() == pytest.approx((entropy(1) + 0.5 * entropy(-2)) / 1.5)


def test_squared_error_of_known_amounts():
    outputs = torch.tensor([[[[1.0, 2.0, 3.0]]]], requires_grad=True)
    answer = torch.tensor([[[[0.0, float("nan"), 5.0]]]])
    loss = loss_of(outputs, batch_of(answer), ONE_QUANTITY)
    assert loss.item() == pytest.approx((1 + 4) / 2)
    loss.backward()
    assert outputs.grad.flatten().tolist() == [1.0, 0.0, -2.0]
    weighted = loss_of(outputs, batch_of(answer, torch.tensor([[[[0.0, 1.0, 1.0]]]])), ONE_QUANTITY)
    assert weighted.item() == pytest.approx(4)


def test_one_weight_holds_for_all_quantities():
    two = Targets(0, 0, 2, np.zeros(2, np.float32), np.ones(2, np.float32))
    outputs, answer = torch.zeros(1, 2, 1, 2), torch.tensor([[[[1.0, 2.0]], [[3.0, float("nan")]]]])
    weights = torch.tensor([[[[0.5, 1.0]]]])
    assert loss_of(outputs, batch_of(answer, weights), two).item() == pytest.approx((0.5 + 4 + 4.5) / 2)


def test_nothing_known_is_no_loss():
    for outputs, answer, targets in (
        (LOGITS.clone(), torch.full((1, 1, 1, 3), -1), TWO_CLASSES),
        (torch.zeros(1, 1, 1, 3), torch.full((1, 1, 1, 3), float("nan")), ONE_QUANTITY),
    ):
        outputs.requires_grad_()
        loss = loss_of(outputs, batch_of(answer), targets)
        loss.backward()
        assert loss.item() == 0 and (outputs.grad == 0).all()


def test_answers_count_by_their_share():
    one, other = (batch_of(torch.tensor([[[labels]]])) for labels in ([1, 1, 0], [0, -1, 0]))
    mixed = Batch(one.images, ((0.25, one.answers[0][1]), (0.75, other.answers[0][1])))
    each = [loss_of(LOGITS, batch, TWO_CLASSES).item() for batch in (one, other)]
    assert loss_of(LOGITS, mixed, TWO_CLASSES).item() == pytest.approx(0.25 * each[0] + 0.75 * each[1])
