"""How coherent drawn masks are made is fitted to real masks, and holds for tiles drawn by default."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from specdm.models.mask_coherence import STRENGTHS, border_share
from specdm.models.settling import mask_values
from specdm.synthesis.coherence import fitted_coherence
from specdm.synthesis.draws import tile_draws
from specdm.synthesis.fit import train_run
from specdm.synthesis.pipeline import SpecDMPipeline
from specdm.tiles.tileset import TileSet
from specdm.training.config import load_config


@pytest.fixture
def pipeline(little_run) -> SpecDMPipeline:
    return SpecDMPipeline.from_pretrained(little_run / "model")


def draws_of(pipeline: SpecDMPipeline, n: int = 16):
    yield tile_draws(range(n), seed=5, shape=pipeline.white_shape, prior=pipeline.prior, composition=None)


def with_masks(tiles: TileSet, masks: np.ndarray) -> TileSet:
    was = tiles.dataset["mask"]
    return TileSet(tiles.dataset.assign(mask=(was.dims, masks.astype(np.int16), was.attrs)), where=tiles.where)


def test_the_fit_makes_borders_as_frequent_as_real_ones(pipeline, little_tiles) -> None:
    drawing = pipeline.drawing(steps=2)
    values = np.asarray(little_tiles.classes.values)
    one = np.full_like(little_tiles.masks(), values[0])
    dotted = np.random.default_rng(0).choice(values, size=one.shape)
    assert fitted_coherence(drawing, draws_of(pipeline), with_masks(little_tiles, one)) == STRENGTHS[-1]
    assert fitted_coherence(drawing, draws_of(pipeline), with_masks(little_tiles, dotted)) == 0.0
    (draws,) = draws_of(pipeline)
    state = drawing.unsettled_masks(draws.white, composition=draws.compositions)
    (mask,) = drawing.masks_before_images
    shares = {
        strength: border_share(
            mask_values(pipeline.model, state, mask, coherence=strength, composition=draws.compositions)
        )
        for strength in STRENGTHS
    }
    chosen = fitted_coherence(drawing, draws_of(pipeline), little_tiles)
    real = border_share(torch.from_numpy(little_tiles.masks()[:, 0]))
    nearest = min(STRENGTHS, key=lambda strength: abs(np.log((shares[strength] + 1e-4) / (real + 1e-4))))
    assert chosen == nearest


def test_drawn_tiles_are_coherent_and_as_they_were_ordered(pipeline) -> None:
    names = pipeline.facts.classes.names
    order = dict(zip(names, (0.5, 0.3, 0.2), strict=True))
    shares, borders = [], []
    for strength in (0.0, STRENGTHS[-1]):
        pipeline.defaults = replace(pipeline.defaults, mask_coherence=strength, steps=2)
        masks = pipeline.sample(12, seed=1, composition=order).masks()
        borders.append(border_share(torch.from_numpy(masks[:, 0])))
        counts = np.array([(masks == value).sum() for value in pipeline.facts.classes.values])
        shares.append(counts / counts.sum())
    assert borders[1] < borders[0]
    assert np.abs(shares[1] - list(order.values())).max() < 0.05


def test_masks_read_off_a_given_image_stay_as_they_were(pipeline, little_tiles) -> None:
    given = little_tiles.select(np.arange(4))
    found = []
    for strength in (0.0, STRENGTHS[-1]):
        pipeline.defaults = replace(pipeline.defaults, mask_coherence=strength, steps=2)
        found.append(pipeline.sample(4, seed=1, given=given, known=["image"]).masks())
    assert pipeline.reader is not None and np.array_equal(*found)


def test_a_setting_is_kept_and_saved(little_tiles, tmp_path) -> None:
    settings = {f"{stage}.steps": 2 for stage in ("codec", "reader", "denoiser")}
    settings |= {"tiles.size": little_tiles.size, "sampling.calibration_tiles": 0, "sampling.mask_coherence": 3.5}
    train_run(tmp_path, tiles=little_tiles, config=load_config(overrides=settings), show_progress=False)
    again = SpecDMPipeline.from_pretrained(tmp_path / "model")
    assert again.defaults.mask_coherence == again.drawing().mask_coherence == 3.5
