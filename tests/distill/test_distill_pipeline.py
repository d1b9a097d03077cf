"""A distilled pipeline: saved, loaded, asked for new tiles and for given ones completed, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from tile_equality import assert_same_images

import specdm
from specdm.errors import ModelError
from specdm.models.denoiser import JointDenoiser
from specdm.models.few_steps import even_jumps, jumps_of
from specdm.models.part_files import save_part_files
from specdm.synthesis import distill
from specdm.synthesis.pipeline import SpecDMPipeline
from specdm.tiles.tileset import TileSet
from specdm.training.config import load_config


def calls_of(pipeline: SpecDMPipeline, evaluations: int | None, monkeypatch) -> list[int]:
    """Noted at each evaluation of the network that draws: the tiles of its batch."""
    model = pipeline.model if evaluations is None else pipeline.distilled[evaluations].model
    calls: list[int] = []
    ask = model.denoiser.forward

    def forward(noisy, *rest):
        calls.append(len(noisy))
        return ask(noisy, *rest)

    monkeypatch.setattr(model.denoiser, "forward", forward)
    return calls


@pytest.mark.parametrize("evaluations", [1, 4])
def test_a_tile_is_drawn_in_so_many_evaluations(distilled, evaluations: int, monkeypatch) -> None:
    calls = calls_of(distilled, evaluations, monkeypatch)
    trained = calls_of(distilled, None, monkeypatch)
    tiles = distilled.sample(3, seed=1, evaluations=evaluations)
    assert calls == [3] * evaluations and not trained
    assert len(tiles) == 3 and np.isfinite(tiles.images()).all()


def test_tile_i_depends_on_seed_and_i_alone(distilled) -> None:
    whole = distilled.sample(5, seed=1, evaluations=4)
    part = distilled.sample(2, seed=1, first=3, evaluations=4, batch_size=1)
    assert_same_images(part.images(), whole.images(slice(3, 5)))


def test_tiles_say_what_drew_them(distilled) -> None:
    sources = [distilled.sample(1, seed=1, evaluations=k).dataset["source"].values[0] for k in (None, 1, 4)]
    assert len(set(sources)) == 3 and sources[0] == distilled.model_id


def test_the_trained_model_draws_as_before(distilled, trained_run: Path) -> None:
    before = SpecDMPipeline.from_pretrained(trained_run / "model")
    assert not before.distilled and before.model_id == distilled.model_id
    np.testing.assert_array_equal(before.sample(2, seed=5).images(), distilled.sample(2, seed=5).images())


def test_what_is_saved_comes_back(distilled, tmp_path: Path) -> None:
    again = SpecDMPipeline.from_pretrained(distilled.save_pretrained(tmp_path / "model"))
    assert sorted(again.distilled) == [1, 4]
    assert again.distilled[4].guidance == distilled.defaults.guidance
    np.testing.assert_array_equal(
        again.sample(2, seed=5, evaluations=4).images(), distilled.sample(2, seed=5, evaluations=4).images()
    )
    assert not list((tmp_path / "model").rglob("*.bin"))


def test_models_of_before_there_was_distilling_load(trained_run: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(trained_run / "model", model)
    index = json.loads((model / "model_index.json").read_text())
    del index["distilled"]
    (model / "model_index.json").write_text(json.dumps(index))
    assert SpecDMPipeline.from_pretrained(model).distilled == {}


def test_models_that_do_not_say_how_they_were_distilled_draw_as_then(distilled_run: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(distilled_run / "model", model)
    index = json.loads((model / "model_index.json").read_text())
    stages = len(SpecDMPipeline.from_pretrained(model).drawing().stages)
    assert index["distilled"]["4"].pop("jumps") == jumps_of(stages, 4)
    (model / "model_index.json").write_text(json.dumps(index))
    again = SpecDMPipeline.from_pretrained(model)
    assert again.drawing(evaluations=4).jumps == tuple(even_jumps(stages, 4))
    index["distilled"]["1"]["jumps"] = [2]
    (model / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match=r"jumps of the model distilled to 1 are \[2\]"):
        SpecDMPipeline.from_pretrained(model)


def test_a_damaged_part_is_named(distilled_run: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(distilled_run / "model", model)
    shutil.copy(model / "image_codec" / "config.json", model / "distilled_4" / "config.json")
    shutil.copy(
        model / "image_codec" / "diffusion_pytorch_model.safetensors",
        model / "distilled_4" / "diffusion_pytorch_model.safetensors",
    )
    with pytest.raises(ModelError, match="distilled_4: is not made for the streams"):
        SpecDMPipeline.from_pretrained(model)
    shutil.rmtree(model / "distilled_4")
    with pytest.raises(ModelError, match="distilled_4"):
        SpecDMPipeline.from_pretrained(model)


def test_a_part_with_other_noise_is_named(distilled_run: Path, tmp_path: Path) -> None:
    """Its noise would be filtered from white noise of another size."""
    model = tmp_path / "model"
    shutil.copytree(distilled_run / "model", model)
    whole = SpecDMPipeline.from_pretrained(model).model.denoiser
    assert whole.noise_reach
    plain = JointDenoiser.from_config({**whole.config, "noise_reach": 0})
    save_part_files(plain, model / "distilled_4")
    with pytest.raises(ModelError, match="distilled_4: is not made for the streams"):
        SpecDMPipeline.from_pretrained(model)


def test_given_masks_stay_and_images_are_drawn_beside_them(distilled, little_tiles, monkeypatch) -> None:
    calls = calls_of(distilled, 4, monkeypatch)
    tiles = distilled.sample(3, given=little_tiles, known=["mask"], evaluations=4)
    np.testing.assert_array_equal(tiles.masks(), little_tiles.masks(slice(0, 3)))
    assert len(calls) == distilled.distilled[4].jumps[-1], "the image's share"
    masks = distilled.sample(3, given=little_tiles, known=["image"], evaluations=4, dense=True)
    assert (masks.masks() >= 0).all()


def test_composition_is_heard(distilled) -> None:
    name = distilled.classes.names[0]

    def share(wanted: float) -> float:
        masks = distilled.sample(8, seed=2, composition={name: wanted}, evaluations=4).masks()
        return float((masks == distilled.classes.values[0]).mean())

    assert share(0.9) > share(0.05) + 0.2


def test_what_it_cannot_do_is_said(distilled, trained_run: Path) -> None:
    with pytest.raises(ModelError, match="evaluations is 2, but this model is only distilled to 1, 4; first run"):
        distilled.sample(1, evaluations=2)
    with pytest.raises(ModelError, match="not distilled yet; first run: specdm distill RUN --evaluations 4"):
        SpecDMPipeline.from_pretrained(trained_run / "model").sample(1, evaluations=4)
    with pytest.raises(ModelError, match="steps is 3"):
        distilled.sample(1, evaluations=4, steps=3)
    with pytest.raises(ModelError, match="guidance is 2"):
        distilled.sample(1, evaluations=4, guidance=2.0)
    distilled.sample(1, evaluations=4, guidance=distilled.defaults.guidance)


def test_two_dates_and_a_change_mask(little_change_run: Path) -> None:
    from little_scenes import make_little_change

    tiles = make_little_change().tile(size=16, stride=8, split="none")
    pipeline = SpecDMPipeline.from_pretrained(little_change_run / "model")
    found = specdm.distill(
        pipeline,
        tiles,
        evaluations=2,
        show_progress=False,
        distillation__steps=2,
        distillation__teacher_tiles=8,
        training__accelerator="cpu",
    )
    assert sorted(found.distilled) == [2] and not pipeline.distilled
    drawn = found.sample(2, evaluations=2)
    assert drawn.n_dates == 2 and len(drawn.layers) == 1
    after = found.sample(2, given=tiles, known=[f"image {tiles.dates[0]}"], evaluations=2)
    np.testing.assert_array_equal(after.images()[:, 0], tiles.images(slice(0, 2))[:, 0])


def test_tiles_of_another_model_are_refused(distilled) -> None:
    from little_scenes import make_little_change

    tiles = make_little_change().tile(size=16, stride=8, split="none")
    with pytest.raises(ModelError):
        specdm.distill(distilled, tiles, evaluations=2, show_progress=False)
    with pytest.raises(ModelError, match="evaluations is 0, expected 1 to 16"):
        specdm.distill(distilled, tiles, evaluations=0, show_progress=False)


def test_few_labels_are_completed_as_in_training(
    trained_run: Path, little_tiles: TileSet, distill_settings, tmp_path: Path, monkeypatch
) -> None:
    """What is distilled is judged by the masks that the model has learnt, not by the few labels that there were."""
    seen = []

    def calibration(model, drawn, tiles):
        seen.append((tiles.masks() >= 0).mean())

    monkeypatch.setattr(distill, "fit_calibration", calibration)
    mask = little_tiles.dataset["mask"].copy(deep=True)
    mask[..., 3:] = -1
    few = TileSet(little_tiles.dataset.assign(mask=mask))
    for below in (0.0, 1.0):
        few_or_not = {"tiles.size": few.size, "denoiser.read_masks_below": below}
        config = load_config(overrides={**few_or_not, **distill_settings})
        pipeline = SpecDMPipeline.from_pretrained(trained_run / "model")
        distill.distilled_pipeline(
            pipeline, few, run=tmp_path / str(below), config=config, evaluations=1, show_progress=False
        )
    assert seen[0] == (few.train.masks() >= 0).mean() and seen[1] > 2 * seen[0]
