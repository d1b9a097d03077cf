"""Training of a downstream network: what it draws, what the seed decides, and that it learns."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tiny_tiles import amount_tiles, class_tiles, noise
from torch import nn

from specdm.errors import TrainingError
from specdm.evaluation.usefulness import augmentation, downstream
from specdm.evaluation.usefulness.downstream import Phase, Schedule, prediction, trained_network
from specdm.evaluation.usefulness.parts import Part, Standard, Targets

TWO_CLASSES = Targets(1, 2, 0, np.zeros(0, np.float32), np.zeros(0, np.float32))


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No jitter."""
    for name in ("GAIN", "OFFSET", "BAND_OFFSET", "NOISE"):
        monkeypatch.setattr(augmentation, name, 0.0)


class Recorder(nn.Module):
    """A convolution that keeps what it was shown: the mean of every tile, a list a step."""

    def __init__(self, outputs: int = 2) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(1, outputs, 1)
        self.shown: list[list[int]] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.shown.append(images.mean(dim=(1, 2, 3)).round().int().tolist())
        return self.convolution(images)


def numbered(*values: int) -> Part:
    """Tiles of one value each."""
    images = torch.tensor(values).float().view(-1, 1, 1, 1).expand(-1, 1, 2, 2)
    return Part(images, torch.zeros(len(values), 1, 2, 2).long(), torch.ones(len(values), 1, 2, 2))


def shown_to(*phases: Phase, steps: int = 6, batch: int = 8, seed: int = 0) -> list[list[int]]:
    recorder = Recorder()
    trained_network(
        recorder, phases=phases, targets=TWO_CLASSES, augmentation="usual",
        schedule=Schedule(steps=steps, batch_size=batch), seed=seed,
    )  # fmt: skip
    return recorder.shown


# -- what is drawn ---------------------------------------------------------------------------------------------


def test_the_first_phase_ends_at_its_share_of_the_steps(still):
    before, after = numbered(1, 2, 3), numbered(11, 12)
    shown = shown_to(Phase(((before, 1.0),), until=0.5), Phase(((after, 1.0),)), steps=6)
    assert len(shown) == 6
    assert all(set(step) <= {1, 2, 3} for step in shown[:3]) and all(set(step) <= {11, 12} for step in shown[3:])
    odd = shown_to(Phase(((before, 1.0),), until=0.5), Phase(((after, 1.0),)), steps=1)
    assert set(odd[0]) <= {1, 2, 3}


@pytest.mark.parametrize(
    ("shares", "batch", "counts"),
    [((0.5, 0.5), 8, (4, 4)), ((0.25, 0.75), 8, (2, 6)), ((0.5, 0.5), 7, (4, 3)), ((0.5, 0.25, 0.25), 8, (4, 2, 2)),
     ((1 / 3, 1 / 3, 1 / 3), 10, (3, 4, 3)), ((0.9, 0.1), 2, (2, 0))],
)  # fmt: skip
def test_a_batch_has_every_part_by_its_share(still, shares, batch, counts):
    parts = [numbered(10 * place, 10 * place + 1, 10 * place + 2) for place in range(len(shares))]
    phase = Phase(tuple(zip(parts, shares, strict=True)))
    steps = shown_to(phase, batch=batch)
    for step in steps:
        assert len(step) == batch
        assert tuple(sum(value // 10 == place for value in step) for place in range(len(shares))) == counts
    assert len({value for step in steps for value in step if value < 10}) == 3, "not always the same tiles"


def test_arms_that_share_tiles_share_their_draws(still):
    real = numbered(*range(50))
    one, other = (
        shown_to(Phase(((real, 0.5), (rival, 0.5)))) for rival in (numbered(100, 101), numbered(*range(200, 240)))
    )
    assert [step[:4] for step in one] == [step[:4] for step in other]
    assert one != shown_to(Phase(((real, 0.5), (numbered(100, 101), 0.5))), seed=1)
    # more steps begin as fewer do
    assert shown_to(Phase(((real, 1.0),)), steps=3) == shown_to(Phase(((real, 1.0),)), steps=6)[:3]


# -- training --------------------------------------------------------------------------------------------------


def by_sign(n: int = 24) -> Part:
    """Tiles whose class is the sign of the second channel; a third of the pixels is not labelled."""
    images = torch.from_numpy(noise(n, 2, 4, 4))
    labels = (images[:, 1:] > 0).long()
    labels[images[:, :1] > 0.4] = -1
    return Part(images, labels, torch.ones(n, 1, 4, 4))


class WithDropout(nn.Sequential):
    """A network that draws during training, as a user's own may."""

    def __init__(self) -> None:
        super().__init__(nn.Conv2d(2, 8, 1), nn.BatchNorm2d(8), nn.Dropout(0.5), nn.Conv2d(8, 2, 1))


def weights_after(
    *, seed: int, kind: str = "usual", steps: int = 3, before: int = 0, part: Part | None = None
) -> dict[str, torch.Tensor]:
    torch.manual_seed(11)
    network = WithDropout()
    torch.manual_seed(before)
    trained_network(
        network, phases=(Phase(((by_sign() if part is None else part, 1.0),)),), targets=TWO_CLASSES, augmentation=kind,
        schedule=Schedule(steps=steps, batch_size=4), seed=seed,
    )  # fmt: skip
    return network.state_dict()


@pytest.mark.parametrize("kind", ["usual", "mixup", "copy_paste"])
def test_the_seed_decides_the_weights(kind):
    first, again, other = (weights_after(seed=seed, kind=kind, before=i) for i, seed in enumerate((1, 1, 2)))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["0.weight"], other["0.weight"])


def test_batches_are_augmented_as_asked():
    usual, mixed, pasted = (weights_after(seed=1, kind=kind)["0.weight"] for kind in ("usual", "mixup", "copy_paste"))
    assert not torch.equal(usual, mixed) and not torch.equal(usual, pasted) and not torch.equal(mixed, pasted)


def test_others_draws_go_on_as_if_nothing_was_trained():
    weights_after(seed=1, before=5)
    after = torch.rand(3)
    torch.manual_seed(5)
    assert torch.equal(after, torch.rand(3))


def test_labels_of_weight_0_teach_nothing():
    part = by_sign()
    wrong = Part(part.images, part.targets.clone(), part.weights.clone())
    wrong.targets[:, :, 0], wrong.weights[:, :, 0], part.targets[:, :, 0] = 1, 0, -1
    first, second = (weights_after(seed=1, part=one) for one in (part, wrong))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("steps", [1, 2, 3, 9, 10, 11, 20, 21])
def test_any_number_of_steps_trains(steps):
    torch.manual_seed(11)
    before = WithDropout().state_dict()
    change = (weights_after(seed=1, steps=steps)["3.weight"] - before["3.weight"]).abs().max()
    assert change > 1e-5


def test_the_learning_rate_rises_and_falls():
    module = downstream.DownstreamTraining(
        network=nn.Conv2d(1, 2, 1), phases=(), targets=TWO_CLASSES, augmentation="usual",
        schedule=Schedule(steps=100, learning_rate=0.5), seed=0,
    )  # fmt: skip
    found = module.configure_optimizers()
    cycle, rates = found["lr_scheduler"]["scheduler"], []
    assert found["lr_scheduler"]["interval"] == "step"
    for _ in range(100):
        rates.append(found["optimizer"].param_groups[0]["lr"])
        found["optimizer"].step()
        cycle.step()
    assert max(rates) == pytest.approx(0.5) and rates.index(max(rates)) == 9
    assert rates[:10] == sorted(rates[:10]) and rates[9:] == sorted(rates[9:], reverse=True) and rates[-1] < 1e-3


def test_it_learns_classes():
    torch.manual_seed(0)
    network = trained_network(
        nn.Conv2d(2, 2, 1), phases=(Phase(((by_sign(), 1.0),)),), targets=TWO_CLASSES, augmentation="usual",
        schedule=Schedule(steps=60, batch_size=8, learning_rate=0.1), seed=0,
    )  # fmt: skip
    assert not network.training and next(network.parameters()).device.type == "cpu"
    images = noise(8, 1, 2, 4, 4, seed=9)
    truth = images[:, :, 1] > 0
    standard = Standard(np.zeros(2, np.float32), np.ones(2, np.float32))
    tiles = class_tiles(np.where(truth, 7, 3), images=images)
    found = prediction(network, tiles, standard=standard, targets=TWO_CLASSES)
    assert found.shape == (8, 1, 4, 4) and found.dtype == np.int64
    assert (found == truth).mean() > 0.95


def test_it_learns_amounts():
    images = noise(24, 1, 3, 4, 4)
    tiles = amount_tiles(20 + 5 * images[:, :, 0] - 2 * images[:, :, 2], images=images)
    standard, targets = Standard.of(tiles), Targets.of(tiles)
    torch.manual_seed(0)
    network = trained_network(
        nn.Conv2d(3, 1, 1), phases=(Phase(((Part.of(tiles, standard=standard, targets=targets, most=99), 1.0),)),),
        targets=targets, augmentation="usual", schedule=Schedule(steps=80, batch_size=8, learning_rate=0.1), seed=0,
    )  # fmt: skip
    found = prediction(network, tiles, standard=standard, targets=targets)
    assert np.abs(found - tiles.amounts()).mean() < 1


def test_no_tile_and_no_number():
    nothing = by_sign().apply(lambda values: values[:0])
    with pytest.raises(TrainingError, match="no labelled tile"):
        weights_after(seed=0, part=nothing)
    part = by_sign()
    part.images[:] = float("nan")
    with pytest.raises(TrainingError, match=r"loss became nan at step 0; lower the learning rate \(now 0.003\)"):
        weights_after(seed=0, part=part)


# -- prediction ------------------------------------------------------------------------------------------------


def test_all_tiles_are_predicted_as_alone(monkeypatch):
    tiles = class_tiles(np.full((5, 1, 4, 4), 3), images=noise(5, 1, 2, 4, 4))
    standard = Standard.of(tiles)
    torch.manual_seed(0)
    network = WithDropout().train()
    whole = prediction(network, tiles, standard=standard, targets=TWO_CLASSES)
    monkeypatch.setattr(downstream, "PREDICT_TILES", 2)
    np.testing.assert_array_equal(prediction(network, tiles, standard=standard, targets=TWO_CLASSES), whole)
    with torch.no_grad():
        outputs = network.eval()(torch.from_numpy(standard.images(tiles, np.arange(5))))
    np.testing.assert_array_equal(whole[:, 0], outputs.argmax(dim=1))
    assert len(np.unique(whole)) == 2
