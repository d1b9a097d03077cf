"""The reader that is kept is the one that reads held-out ground best, and is as sure as it may be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from specdm.models.mask_reader import MaskReader
from specdm.models.pixels import Pixels
from specdm.synthesis.pipeline import SpecDMPipeline
from specdm.tiles.tileset import TileSet
from specdm.training import reader_training
from specdm.training.budget import Budget
from specdm.training.held_out_reading import (
    CHECKS,
    LEAST_NEIGHBOUR_PIXELS,
    MOST_TEMPERATURE,
    SPECTRA_SHARE,
    SPECTRA_SHARE_UNTOLD,
    HeldOutReading,
)

CLASSES, COMPONENTS, SIZE = 3, 4, 16


class Module:
    def __init__(self, reader: MaskReader) -> None:
        self.reader = reader


class Trainer:
    global_step = 0


def ground(*, labelled: bool = True) -> tuple[torch.Tensor, Pixels]:
    generator = torch.Generator().manual_seed(0)
    components = torch.randn(2, COMPONENTS, SIZE, SIZE, generator=generator)
    positions = components[:, :CLASSES].argmax(dim=1)[:, None]
    # some labels are wrong, so that no reader may be sure
    wrong = torch.rand(positions.shape, generator=generator) < 0.2
    positions = torch.where(wrong, torch.randint(CLASSES, positions.shape, generator=generator), positions)
    if not labelled:
        positions = torch.full_like(positions, -1)
    none = torch.zeros(2, 0, SIZE, SIZE)
    return components, Pixels(torch.zeros(2, 1, 1, SIZE, SIZE), positions, none)


def reader(seed: int = 0) -> MaskReader:
    torch.manual_seed(seed)
    return MaskReader(components=COMPONENTS, layers=1, classes=CLASSES, width=16, dilations=(1,)).eval()


def choice(*, labelled: bool = True) -> HeldOutReading:
    components, tiles = ground(labelled=labelled)
    budget = Budget(steps=CHECKS, minutes=None, learning_rate=1e-3, warmup_steps=1, decay_share=1.0)
    return HeldOutReading(components=components, tiles=tiles, budget=budget)


def trained(steps: int) -> MaskReader:
    components, tiles = ground()
    net = reader()
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(steps):
        optimizer.zero_grad()
        net.loss(components, tiles.positions, tiles.amounts).backward()
        optimizer.step()
    return net


def run(held_out: HeldOutReading, readers: list[MaskReader]) -> None:
    trainer = Trainer()
    for step, net in enumerate(readers, start=1):
        trainer.global_step = step
        held_out.on_train_batch_end(trainer, Module(net), None, None, 0)  # type: ignore[arg-type]


def test_the_best_weights_come_back_and_not_the_last() -> None:
    good, bad, held_out = trained(60), reader(3), choice()
    run(held_out, [reader(1), good, bad])
    kept = reader(7)
    held_out.give_best(kept)
    assert all(torch.equal(a, b) for a, b in zip(kept.parameters(), good.parameters(), strict=True))


def test_a_reader_that_is_too_sure_is_cooled_not_dropped() -> None:
    """Logits five times too large say the same classes: the temperature takes the factor back."""
    good, held_out = trained(60), choice()
    error, usual, _ = held_out.read(good)
    with torch.no_grad():
        good.last.weight.mul_(5.0)
        good.last.bias.mul_(5.0)
    sure, temperature, _ = held_out.read(good)
    assert sure == pytest.approx(error, rel=0.05) and temperature == pytest.approx(5 * usual, rel=0.2)
    run(held_out, [good])
    kept = reader(7)
    held_out.give_best(kept)
    assert float(kept.temperature) == pytest.approx(min(temperature, MOST_TEMPERATURE))
    with torch.no_grad():
        reading = kept(ground()[0])
    torch.testing.assert_close(kept.chances(reading), (reading.logits / kept.temperature).softmax(dim=2))


def test_too_little_held_out_ground_chooses_nothing() -> None:
    held_out, kept = choice(labelled=False), reader(7)
    before = {name: value.clone() for name, value in kept.state_dict().items()}
    run(held_out, [trained(5)])
    held_out.give_best(kept)
    assert all(torch.equal(value, before[name]) for name, value in kept.state_dict().items())


def test_an_interrupted_choice_goes_on() -> None:
    good, first, second = trained(60), choice(), choice()
    run(first, [good])
    second.load_state_dict(first.state_dict())
    run(second, [reader(3)])
    kept = reader(7)
    second.give_best(kept)
    assert torch.equal(kept.last.weight, good.last.weight)


def test_ground_that_no_reader_reads_right_leaves_the_last_weights_and_says_unsure() -> None:
    held_out, kept = choice(), trained(5)
    run(held_out, [reader(1), reader(3)])
    before = {name: value.clone() for name, value in kept.named_parameters()}
    held_out.give_best(kept)
    assert all(torch.equal(value, before[name]) for name, value in kept.named_parameters())
    assert float(kept.temperature) == pytest.approx(MOST_TEMPERATURE)


def with_spectra(net: MaskReader) -> MaskReader:
    both = MaskReader(components=COMPONENTS, layers=1, classes=CLASSES, width=16, dilations=(1,), points=9).eval()
    both.load_state_dict(net.state_dict(), strict=False)
    return both


def test_spectra_alone_are_heard_where_labels_are_few() -> None:
    net = with_spectra(trained(1))
    choice(labelled=False).give_share(net)
    assert float(net.spectral_share) == 0.0, "a machine that has learnt nothing has no say"
    net.spectral.sharpness.fill_(1.0)
    choice().give_share(net)
    assert float(net.spectral_share) == pytest.approx(SPECTRA_SHARE)
    choice(labelled=False).give_share(net)
    assert float(net.spectral_share) == SPECTRA_SHARE_UNTOLD > SPECTRA_SHARE
    plain = trained(1)
    choice().give_share(plain)
    assert plain.spectral is None


def fields_held_out(speckle: int) -> tuple[MaskReader, HeldOutReading]:
    """Held-out ground of a class a column of squares, and a reader that sees it through noise.

    Args:
        speckle: pixels across, of the squares.
    """
    generator = torch.Generator().manual_seed(0)
    rows, columns = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    positions = ((rows // speckle) + (columns // speckle)).remainder(CLASSES).expand(2, 1, SIZE, SIZE).clone()
    looks = torch.nn.functional.one_hot(positions[:, 0], COMPONENTS).movedim(-1, 1).float()
    components = looks + 1.0 * torch.randn(looks.shape, generator=generator)
    net = MaskReader(components=COMPONENTS, layers=1, classes=CLASSES, width=16, dilations=(1,), points=9).eval()
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    none = torch.zeros(2, 0, SIZE, SIZE)
    # taught by other noise, so that it is right more often than not, and never sure
    for _ in range(30):
        taught = looks + 1.5 * torch.randn(looks.shape, generator=generator)
        optimizer.zero_grad()
        net.loss(taught, positions, none).backward()
        optimizer.step()
    budget = Budget(steps=CHECKS, minutes=None, learning_rate=1e-3, warmup_steps=1, decay_share=1.0)
    tiles = Pixels(torch.zeros(2, 1, 1, SIZE, SIZE), positions, none)
    return net, HeldOutReading(components=components, tiles=tiles, budget=budget)


FIELDS, SPECKLE = np.array([[1.0, 0.99, 0.98, 0.97]]), np.array([[1.0, 0.7, 0.6, 0.5]])


def test_neighbours_are_heard_as_far_as_held_out_ground_says() -> None:
    net, held_out = fields_held_out(8)
    held_out.give_neighbourhood(net, FIELDS, single_date=[True])
    far = int(net.neighbourhood)
    assert far >= 1
    net, held_out = fields_held_out(1)
    held_out.give_neighbourhood(net, FIELDS, single_date=[True])
    assert int(net.neighbourhood) == 0 < far, "labels of training ground are no reason against held-out ground"


@pytest.mark.parametrize(("labelled", "far"), [(LEAST_NEIGHBOUR_PIXELS, 0), (LEAST_NEIGHBOUR_PIXELS - 1, 3)])
def test_a_few_held_out_labels_are_enough_to_hear_no_neighbours(labelled: int, far: int) -> None:
    """Ground of specks, where training ground says that labels hold."""
    net, held_out = fields_held_out(1)
    positions = held_out._tiles.positions
    positions.flatten()[labelled:] = -1
    held_out.give_neighbourhood(net, FIELDS, single_date=[True])
    assert int(net.neighbourhood) == far


def test_neighbours_are_not_asked_where_labels_change_from_pixel_to_pixel() -> None:
    net, held_out = fields_held_out(8)
    held_out.give_neighbourhood(net, SPECKLE, single_date=[True])
    assert int(net.neighbourhood) == 0


@pytest.mark.parametrize(("single_date", "expected"), [(True, 2), (False, 0)])
def test_without_held_out_ground_labels_say_how_far_but_for_change(single_date: bool, expected: int) -> None:
    net = with_spectra(trained(1))
    constancy = np.array([[1.0, 0.99, 0.96, 0.9]])
    choice(labelled=False).give_neighbourhood(net, constancy, single_date=[single_date])
    assert int(net.neighbourhood) == expected
    plain = trained(1)
    choice(labelled=False).give_neighbourhood(plain, constancy, single_date=[single_date])
    assert int(plain.neighbourhood) == 0


def test_held_out_ground_is_no_more_than_is_read_at_once(little_run: Path, little_tiles: TileSet, monkeypatch) -> None:
    model = SpecDMPipeline.from_pretrained(little_run / "model").model
    budget = Budget(steps=CHECKS, minutes=None, learning_rate=1e-3, warmup_steps=1, decay_share=1.0)
    monkeypatch.setattr(reader_training, "HELD_OUT_PIXELS", 3 * little_tiles.size**2)
    held_out = reader_training._choice(model, little_tiles, budget=budget, seed=0)
    assert len(little_tiles) > 3 and len(held_out._tiles) == len(held_out._components) == 3
