"""Masks follow the image that they belong to: where all ground is labelled, and where a known image is given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from specdm.scenes.scene import Scene
from specdm.synthesis import reading_masks
from specdm.synthesis.pipeline import SpecDMPipeline
from specdm.tiles.tileset import TileSet


def with_half_nodata(tiles: TileSet) -> TileSet:
    image = tiles.dataset["image"].copy(deep=True)
    image[..., : tiles.size // 2] = np.nan
    return TileSet(tiles.dataset.assign(image=image))


def test_ground_that_drawn_masks_leave_out_is_read_off_the_image(pipeline: SpecDMPipeline) -> None:
    gaps = pipeline.sample(8, seed=5).masks() < 0
    dense = pipeline.sample(8, seed=5, dense=True, sensor_noise=False)
    read = pipeline.posterior(dense, views=reading_masks.GIVEN_VIEWS).probabilities.argmax(axis=2)
    found = pipeline.classes.index_of(dense.masks())
    assert gaps.any() and len(np.unique(read[gaps])) > 1
    np.testing.assert_array_equal(found[gaps], read[gaps])


def test_ground_without_data_is_not_labelled(pipeline: SpecDMPipeline, little_tiles: TileSet) -> None:
    given = with_half_nodata(little_tiles.select([0, 1, 2, 3]))
    dense = pipeline.sample(given=given, known=["mask"], variation=0.5, dense=True, seed=1)
    left, own = (slice(0, given.size // 2), given.masks())
    empty = ~np.isfinite(dense.images()).any(axis=(1, 2))[:, None]
    assert empty[..., left].all() and (dense.masks()[~empty] >= 0).all()
    np.testing.assert_array_equal(dense.masks()[empty], own[empty])


def test_a_scene_is_labelled_by_what_is_read_off_it(pipeline: SpecDMPipeline, tmp_path: Path) -> None:
    options = {"height": 40, "width": 37, "steps": 2, "seed": 3, "sensor_noise": False}
    sparse = pipeline.sample_scene(path=tmp_path / "a.nc", **options).window(0, 0, 40, 37)[1]
    scene = pipeline.sample_scene(path=tmp_path / "b.nc", dense=True, **options)
    mask, gaps = scene.window(0, 0, 40, 37)[1], sparse < 0
    read = pipeline.annotate(scene, views=reading_masks.GIVEN_VIEWS).mask
    assert gaps.any()
    # the last cells are drawn whole and cut off, so that the reader saw a column more than there is
    assert (mask == read)[gaps].mean() > 0.95
    np.testing.assert_array_equal(mask[~gaps], sparse[~gaps])


@pytest.mark.parametrize("position", [0, 2])
def test_masks_of_a_scene_follow_its_known_image(
    pipeline: SpecDMPipeline, little_scene: Scene, position: int, tmp_path: Path, monkeypatch
) -> None:
    def one_class(model, reader, pixels, *, views):
        chances = torch.zeros(len(pixels), 1, 3, *pixels.images.shape[-2:])
        chances[:, :, position] = 1.0
        return chances, torch.zeros(1, len(pixels), 0, *pixels.images.shape[-2:])

    monkeypatch.setattr(reading_masks, "read_pixels", one_class)
    real = Scene(little_scene.dataset.isel(y=slice(8, 28), x=slice(8, 26)))
    scene = pipeline.sample_scene(
        path=tmp_path / "s.nc", known_scene=real, known=["image"], margin=(0, 20, 0, 0), seed=3
    )
    found = pipeline.classes.index_of(scene.window(0, 0, 20, 38)[1][0])
    inside, outside = found[:, :16], found[:, 22:]
    assert (inside >= 0).any() and (inside[inside >= 0] == position).mean() > 0.95
    assert (outside[outside >= 0] != position).any(), "beyond the known image masks are drawn freely"
