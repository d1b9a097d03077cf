"""Tiles of the trained model, kept and gone on with; a student that learns where their paths end."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from file_limits import files_of_at_most, names

from specdm.errors import RunError
from specdm.models.drawing import Drawing
from specdm.models.joint_model import JointModel
from specdm.synthesis.distill import _budget
from specdm.synthesis.pipeline import SpecDMPipeline
from specdm.training import teacher_tiles as module
from specdm.training.config import DistillationConfig, load_config
from specdm.training.distillation import Distillation
from specdm.training.teacher_tiles import PART, TeacherTiles, teacher_tiles, white_of
from specdm.training.tile_tensors import LatentTiles, encode_tiles


@pytest.fixture(scope="module")
def pipeline(little_run: Path) -> SpecDMPipeline:
    return SpecDMPipeline.from_pretrained(little_run / "model")


@pytest.fixture(scope="module")
def real(pipeline: SpecDMPipeline, little_tiles) -> LatentTiles:
    return encode_tiles(pipeline.model, little_tiles, seed=0)


def made(folder: Path, pipeline: SpecDMPipeline, real: LatentTiles, **options) -> TeacherTiles:
    settings = {"n": 2 * PART, "given_share": 0.5, "seed": 3, "origin": "a", **options}
    return teacher_tiles(folder, drawing=pipeline.drawing(steps=2), prior=pipeline.prior, real=real, **settings)


@pytest.fixture(scope="module")
def tiles(pipeline: SpecDMPipeline, real: LatentTiles, tmp_path_factory) -> TeacherTiles:
    return made(tmp_path_factory.mktemp("tiles"), pipeline, real)


def test_interrupted_parts_are_gone_on_with(pipeline, real, tiles, tmp_path: Path, monkeypatch) -> None:
    drawn: list[int] = []
    draw = module._drawn

    def counted(number: int, **options) -> TeacherTiles:
        drawn.append(number)
        return draw(number, **options)

    monkeypatch.setattr(module, "_drawn", counted)
    made(tmp_path, pipeline, real, n=PART)
    again = made(tmp_path, pipeline, real)
    assert drawn == [0, 1], "the first part is drawn once"
    assert torch.equal(again.latents, tiles.latents) and torch.equal(again.fixed, tiles.fixed)
    # a part of another origin, and a damaged one, are drawn anew
    path = tmp_path / "00001.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    assert torch.equal(made(tmp_path, pipeline, real).latents, tiles.latents)
    made(tmp_path, pipeline, real, origin="b")
    assert drawn == [0, 1, 1, 0, 1]


def test_a_part_that_has_no_room_is_told_in_a_line(tiles, tmp_path: Path) -> None:
    path = tmp_path / "00000.safetensors"
    with files_of_at_most(5000), pytest.raises(RunError, match=r"00000\.safetensors: cannot be written \(File"):
        module._write(path, tiles, origin="a")
    assert names(tmp_path) == []
    module._write(path, tiles, origin="a")
    assert names(tmp_path) == [path.name]


def white(pipeline: SpecDMPipeline, tiles: TeacherTiles, index: torch.Tensor) -> torch.Tensor:
    return white_of(index.tolist(), tiles.latents, pipeline.model.denoiser, seed=tiles.seed)


def test_they_are_what_the_model_makes_of_their_noise(pipeline, tiles: TeacherTiles) -> None:
    new = torch.nonzero(~tiles.fixed.flatten(1).any(dim=1)).flatten()
    assert 0.2 < len(new) / len(tiles) < 0.8
    again = pipeline.drawing(steps=2).latents(white(pipeline, tiles, new), composition=tiles.compositions[new])
    torch.testing.assert_close(again, tiles.latents[new], rtol=1e-3, atol=1e-3)


def test_of_some_a_part_is_given(pipeline, real: LatentTiles, tiles: TeacherTiles) -> None:
    model = pipeline.model
    there = {tuple(row) for row in real.encoded.latents[:, :2, 0, 0].tolist()}
    images = [s for s, stream in enumerate(model.streams) if stream.kind == "image"]
    given = torch.nonzero(tiles.fixed[:, images].flatten(1).all(dim=1)).flatten()
    assert len(given), "images of some tiles are given"
    assert all(tuple(tiles.latents[i, :2, 0, 0].tolist()) in there for i in given), "they are real ones"
    assert tiles.compositions[given].isnan().all(), "of a given image no composition is known"
    assert not tiles.fixed.flatten(1).all(dim=1).any()


def student_of(pipeline: SpecDMPipeline, *jumps: int) -> Drawing:
    model = pipeline.model
    network = copy.deepcopy(model.denoiser).requires_grad_(True)
    student = JointModel(streams=model.streams, codecs=dict(model.codecs), denoiser=network).eval()
    return replace(pipeline.drawing(), model=student, guidance=0.0, composition_strength=0.0, jumps=jumps)


@pytest.mark.parametrize("jumps", [(1,), (1, 1), (3, 1)])
def test_a_student_learns_where_the_paths_end(
    pipeline, tiles: TeacherTiles, jumps: tuple[int, ...], monkeypatch
) -> None:
    new = torch.nonzero(~tiles.fixed.flatten(1).any(dim=1)).flatten()[:16]
    start = white(pipeline, tiles, new)
    student = student_of(pipeline, *jumps)

    def missed() -> float:
        found = student.latents(start, composition=tiles.compositions[new])
        return float((found - tiles.latents[new]).square().mean())

    before = missed()
    training = Distillation(
        drawing=student,
        tiles=tiles,
        config=DistillationConfig(batch_size=16),
        mask_loss_weight=1.0,
        seed=3,
    )
    optimizer = torch.optim.AdamW(student.model.denoiser.parameters(), lr=2e-3)
    training.log = lambda *args, **kwargs: None  # type: ignore[method-assign]
    for step in range(40):
        # the trainer's, which there is none of
        monkeypatch.setattr(Distillation, "global_step", step)
        loss = training.training_step(None, step)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert missed() < 0.8 * before


def test_later_jumps_begin_where_the_student_gets_by_itself(pipeline, tiles: TeacherTiles) -> None:
    """Not where the trained model would be, whose paths a student never is on."""
    student = student_of(pipeline, 2, 2)
    training = Distillation(
        drawing=student, tiles=tiles, config=DistillationConfig(), mask_loss_weight=1.0, seed=3
    )
    new = torch.nonzero(~tiles.fixed.flatten(1).any(dim=1)).flatten()[:3]
    last = len(training._grids) - 1
    start = training._starts[last]
    noise = tiles.noise(new, pipeline.model.denoiser)
    state = torch.where(start.shown[new], tiles.latents[new], noise)
    rest = (start.free[new], start.levels[new], tiles.compositions[new], torch.full((3,), last))
    stay = training._moved(state, *rest, torch.zeros(3, dtype=torch.int64))
    assert torch.equal(stay, state)
    moved = training._moved(state, *rest, torch.tensor([0, 1, 1]))
    assert torch.equal(moved[0], state[0])
    levels = torch.where(start.free[new], 0.999, start.levels[new])
    velocity = student.model.denoiser(state, levels, tiles.compositions[new]).detach()
    images = start.free[new].to(state.dtype)
    step = training._grids[last][1] - 1
    expected = state + step * velocity * student.model.by_channel(images)
    torch.testing.assert_close(moved[1:], expected[1:], rtol=1e-3, atol=1e-4)


def test_it_trains_three_times_as_long_as_the_denoiser_if_nothing_is_said() -> None:
    usual = load_config(preset="tiny")
    assert _budget(usual).minutes == 3 * usual.denoiser.minutes and _budget(usual).steps is None
    counted = {"denoiser.minutes": None, "denoiser.steps": 5}
    by_steps = _budget(load_config(preset="tiny", overrides=counted))
    assert (by_steps.steps, by_steps.minutes) == (15, None)
    said = _budget(load_config(preset="tiny", overrides=counted | {"distillation.minutes": 2.0}))
    assert (said.steps, said.minutes) == (None, 2.0)
