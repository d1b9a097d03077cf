"""Training ground that the reader labels for the denoiser: where it is sure, and nothing that somebody has labelled."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from specdm.scenes.classes import UNLABELLED
from specdm.synthesis.pipeline import SpecDMPipeline
from specdm.tiles.tileset import TileSet
from specdm.training.completed_masks import LEAST_SURE, SUREST_SHARE, completed, learnt_tiles, sure_pixels
from specdm.training.config import load_config
from specdm.training.stages import train_stages
from specdm.training.tile_tensors import encode_tiles


@given(st.integers(0, 9999), st.integers(1, 3), st.integers(1, 6), st.booleans())
def test_what_is_sure(seed: int, layers: int, classes: int, gaps: bool):
    random = np.random.default_rng(seed)
    chances = random.dirichlet(np.full(classes, 0.4), (2, layers, 3, 3)).transpose(0, 1, 4, 2, 3)
    if gaps:
        chances[:, :, :, 0] = 0.0
    found, confidence = chances.argmax(axis=2).astype(np.int16), chances.max(axis=2)
    sure = sure_pixels(found, confidence)
    assert sure[confidence >= LEAST_SURE].all() and not sure[confidence == 0].any()
    for layer in range(layers):
        for c in range(classes):
            own = (found[:, layer] == c) & (confidence[:, layer] > 0)
            kept = own & sure[:, layer]
            assert kept.sum() >= own.sum() * SUREST_SHARE
            if kept.any() and (own & ~kept).any():
                assert confidence[:, layer][kept].min() > confidence[:, layer][own & ~kept].max()
                assert confidence[:, layer][own & ~kept].max() < LEAST_SURE


@pytest.fixture(scope="module")
def pipeline(little_run: Path) -> SpecDMPipeline:
    return SpecDMPipeline.from_pretrained(little_run / "model")


@pytest.fixture(scope="module")
def half(little_tiles: TileSet) -> TileSet:
    """The same ground, labelled in one half of every tile."""
    mask = little_tiles.dataset["mask"].copy(deep=True)
    mask[..., little_tiles.size // 2 :] = -1
    return TileSet(little_tiles.dataset.assign(mask=mask))


def stream_of(model, kind: str) -> int:
    return next(number for number, stream in enumerate(model.streams) if stream.kind == kind)


def test_what_somebody_labelled_stays_and_the_sure_rest_is_added(pipeline: SpecDMPipeline, half: TileSet) -> None:
    # labels that the reader would not have given
    other = np.roll(np.array(half.classes.values, np.int16), 1)[half.classes.index_of(half.masks())]
    own = np.where(half.masks() != UNLABELLED, other, np.int16(UNLABELLED))
    strange = TileSet(half.dataset.assign(mask=(half.dataset["mask"].dims, own, half.dataset["mask"].attrs)))
    after = completed(pipeline.model, pipeline.reader, strange, layers=[True])
    found = after.masks()
    labelled, added = own != UNLABELLED, (own == UNLABELLED) & (found != UNLABELLED)
    assert np.array_equal(found[labelled], own[labelled])
    assert 0.3 < added.sum() / (~labelled).sum() < 1
    read = np.nan_to_num(pipeline.posterior(half, views=2).probabilities)
    assert np.array_equal(half.classes.index_of(found[added]), read.argmax(axis=2)[added])
    rest = found == UNLABELLED
    assert read.max(axis=2)[added].min() >= read.max(axis=2)[rest].min()
    assert after.where == strange.where and np.array_equal(after.images(), half.images(), equal_nan=True)


def test_masks_are_known_and_said_to_be_where_they_were_added(pipeline: SpecDMPipeline, half: TileSet) -> None:
    """A mask that is known where it is not said to be labelled would never be drawn there, nor images for it."""
    model = pipeline.model
    more = completed(model, pipeline.reader, half, layers=[True])
    classes, gaps = stream_of(model, "classes"), stream_of(model, "labelled")
    known, said = [], []
    for tiles in (half, more):
        encoded = encode_tiles(model, tiles, seed=0).encoded
        known.append(float(encoded.known[:, classes].mean()))
        said.append(float(model.values(encoded.latents, gaps).float().mean()))
    assert known[1] > 1.2 * known[0]
    labelled = [float((tiles.masks() != UNLABELLED).mean()) for tiles in (half, more)]
    assert said[1] - said[0] > 0.8 * (labelled[1] - labelled[0])


def test_layers_that_are_not_asked_for_are_left(pipeline: SpecDMPipeline, half: TileSet) -> None:
    assert np.array_equal(completed(pipeline.model, pipeline.reader, half, layers=[False]).masks(), half.masks())


@pytest.mark.parametrize(("below", "asked"), [(0.9, True), (0.2, False), (0.0, False)])
def test_the_denoiser_learns_from_them_where_labels_are_few(
    below: float, asked: bool, half: TileSet, little_settings: dict[str, object], tmp_path: Path
) -> None:
    config = load_config(overrides={**little_settings, "denoiser.read_masks_below": below})
    trained = train_stages(tmp_path, tiles=half, held_out=half.val, config=config, show_progress=False)
    labelled, now = (np.count_nonzero(tiles.masks() != UNLABELLED) for tiles in (half, trained.tiles))
    assert (now > labelled) == asked
    classes = stream_of(trained.model, "classes")
    plain = encode_tiles(trained.model, half, seed=config.seed).encoded.known[:, classes]
    known = trained.latents.encoded.known[:, classes]
    assert (known.sum() > plain.sum()) == asked
    # compositions are of what is drawn: of the ground that is labelled now
    again = encode_tiles(trained.model, trained.tiles, seed=config.seed).compositions
    torch.testing.assert_close(trained.latents.compositions, again, equal_nan=True)


def test_tiles_are_drawn_with_the_classes_of_labelled_scenes(pipeline: SpecDMPipeline, half: TileSet) -> None:
    """Imagery that nobody labelled is read too, and may show other ground."""
    sources = sorted(set(half.dataset["source"].values.tolist()))
    imagery = TileSet(half.dataset.assign_attrs(unlabelled_sources=json.dumps(sources)))
    known = encode_tiles(pipeline.model, half, seed=0).compositions.isfinite().all(dim=1)
    there = encode_tiles(pipeline.model, imagery, seed=0).compositions.isfinite().all(dim=1)
    assert known.any() and not there.any() and not imagery.annotated.any()


def test_imagery_that_nobody_labelled_is_not_completed(pipeline: SpecDMPipeline, half: TileSet) -> None:
    """Where its ground would be labelled nobody has said, so that nothing could be learnt from labels there."""
    own = half.masks()
    own[::2] = UNLABELLED
    sources = np.where(np.arange(len(half)) % 2 == 0, "more", "labelled")
    dataset = half.dataset.assign(mask=half.dataset["mask"].copy(data=own)).assign_coords(source=("tile", sources))
    mixed = TileSet(dataset.assign_attrs(unlabelled_sources='["more"]'))
    assert not mixed.annotated[::2].any() and mixed.annotated[1::2].all()
    found = completed(pipeline.model, pipeline.reader, mixed, layers=[True]).masks()
    assert (found[::2] == UNLABELLED).all() and (found[1::2] != own[1::2]).any()


@pytest.mark.parametrize(("below", "more"), [(1.0, True), (0.0, False)])
def test_masks_are_completed_where_labels_are_few(pipeline, half: TileSet, below: float, more: bool) -> None:
    found = learnt_tiles(pipeline.model, pipeline.reader, half, below=below)
    assert ((found.masks() != UNLABELLED).sum() > (half.masks() != UNLABELLED).sum()) == more
    assert learnt_tiles(pipeline.model, None, half, below=below) is half
