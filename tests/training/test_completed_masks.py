"""Training ground that the reader labels for the denoiser: where it is sure, and nothing that somebody has labelled."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from specdm.models.pixels import Pixels
from specdm.synthesis.pipeline import SpecDMPipeline
from specdm.tiles.tileset import TileSet
from specdm.training.completed_masks import LEAST_SURE, SUREST_SHARE, SureReading, read_surely, sure_pixels
from specdm.training.config import load_config
from specdm.training.orientations import orient
from specdm.training.stages import train_stages
from specdm.training.tile_tensors import encode_tiles, tile_streams


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


def test_what_is_labelled_stays_and_is_still_known() -> None:
    positions = torch.tensor([[[[0, -1], [1, -1]]]])
    images, amounts = torch.zeros(1, 1, 1, 2, 2), torch.zeros(1, 0, 2, 2)
    tiles = Pixels(images, positions, amounts, torch.ones(1, 1, 1, dtype=torch.bool))
    read = SureReading(torch.tensor([[[[9, 9], [9, 9]]], [[[1, 1], [0, -1]]]]))
    more = read.complete(tiles, 1)
    assert more.positions.tolist() == [[[[0, 1], [1, -1]]]]
    turned = more.apply(partial(orient, orientation=4))
    for whole, kept in ((more, tiles), (turned, tiles.apply(partial(orient, orientation=4)))):
        stream = next(stream for stream in tile_streams_of_gaps() if stream.kind == "labelled")
        assert torch.equal(whole.of(stream), kept.of(stream))


def tile_streams_of_gaps():
    masks = np.full((2, 1, 4, 4), -1, np.int16)
    masks[:, :, :2] = 1
    from specdm.scenes.classes import Classes

    return tile_streams(
        TileSet.from_arrays(
            images=np.zeros((2, 1, 1, 4, 4), np.float32), masks=masks, classes=Classes.create([1, 2]), split="train",
            source="s",
        )
    )  # fmt: skip


def test_masks_are_known_where_the_reader_is_sure(pipeline: SpecDMPipeline, half: TileSet) -> None:
    model = pipeline.model
    reading = read_surely(model, pipeline.reader, half, layers=[True])
    read = pipeline.posterior(half, views=2).probabilities
    sure = (reading.positions >= 0).numpy()
    assert 0.3 < sure.mean() < 1
    assert np.array_equal(reading.positions.numpy()[sure], read.argmax(axis=2)[sure])
    assert np.nanmin(read.max(axis=2)[sure]) >= np.nanmin(read.max(axis=2)[~sure])
    before = encode_tiles(model, half, seed=0)
    after = encode_tiles(model, half, seed=0, complete=reading.complete)
    classes, gaps = stream_of(model, "classes"), stream_of(model, "labelled")
    known = [tiles.encoded.known[:, classes] for tiles in (before, after)]
    assert (known[1] >= known[0]).all() and known[1].sum() > 1.2 * known[0].sum()
    parts = [tiles.encoded.latents.split(model.stream_channels, dim=1) for tiles in (before, after)]
    assert torch.equal(parts[0][gaps], parts[1][gaps]) and torch.equal(parts[0][0], parts[1][0])
    torch.testing.assert_close(before.compositions, after.compositions, equal_nan=True)


def test_layers_that_are_not_asked_for_are_left(pipeline: SpecDMPipeline, half: TileSet) -> None:
    assert (read_surely(pipeline.model, pipeline.reader, half, layers=[False]).positions == -1).all()


@pytest.mark.parametrize(("below", "asked"), [(0.9, True), (0.2, False), (0.0, False)])
def test_the_denoiser_learns_from_them_where_labels_are_few(
    below: float, asked: bool, half: TileSet, little_settings: dict[str, object], tmp_path: Path
) -> None:
    config = load_config(overrides={**little_settings, "denoiser.read_masks_below": below})
    trained = train_stages(tmp_path, tiles=half, held_out=half.val, config=config, show_progress=False)
    classes = stream_of(trained.model, "classes")
    plain = encode_tiles(trained.model, half, seed=config.seed).encoded.known[:, classes]
    known = trained.latents.encoded.known[:, classes]
    assert (known.sum() > plain.sum()) == asked
