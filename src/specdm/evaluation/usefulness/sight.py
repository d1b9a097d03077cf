"""What a generator sees of the test ground: its spectra without labels, or nothing at all."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from specdm.scenes.classes import UNLABELLED
from specdm.tiles.other_values import with_values
from specdm.tiles.tileset import TileSet

TEST_GROUND = "{} (test ground, without labels)"


def with_test_spectra(tiles: TileSet) -> TileSet:
    """Training tiles, and the images of test tiles beside them as imagery that nobody labelled.

    Where training tiles show test ground anyway (pixel policy "spectra_seen"), they are given back as they are.
    """
    if tiles.pixel_policy == "spectra_seen" or not len(tiles.test):
        return tiles
    test = tiles.test.dataset
    names = np.array([TEST_GROUND.format(source) for source in test["source"].values], dtype=object)
    blank = {
        "source": ("tile", names),
        "split": ("tile", np.full(test.sizes["tile"], "train", dtype=object)),
    }
    if "mask" in test:
        blank["mask"] = (test["mask"].dims, np.full(test["mask"].shape, UNLABELLED, np.int16), test["mask"].attrs)  # type: ignore[assignment]
    if "amount" in test:
        blank["amount"] = (test["amount"].dims, np.full(test["amount"].shape, np.nan, np.float32), test["amount"].attrs)  # type: ignore[assignment]
    both = xr.concat(
        [tiles.dataset, test.assign(blank)], dim="tile", data_vars="minimal", coords="minimal", compat="override",
        combine_attrs="override",
    )  # fmt: skip
    both.attrs["unlabelled_sources"] = json.dumps([*tiles.unlabelled_sources, *dict.fromkeys(names.tolist())])
    return TileSet(both, where=tiles.where)


def without_test_spectra(tiles: TileSet) -> TileSet:
    """Tiles whose training and validation images have no data where test ground is labelled.

    Only where training tiles show test ground (pixel policy "spectra_seen") is anything to be taken away.
    """
    if tiles.pixel_policy != "spectra_seen":
        return tiles
    hidden = _test_ground(tiles)
    images = tiles.images().copy()
    windows = zip(
        tiles.split, tiles.dataset["source"].values, tiles.dataset["window_y"].values, tiles.dataset["window_x"].values,
        strict=True,
    )  # fmt: skip
    for place, (split, source, y, x) in enumerate(windows):
        if split in ("train", "val") and str(source) in hidden:
            ground = hidden[str(source)][y : y + tiles.size, x : x + tiles.size]
            rows, columns = ground.shape
            images[place, :, :, :rows, :columns][..., ground] = np.nan
    return with_values(tiles, {"image": images})


def _test_ground(tiles: TileSet) -> dict[str, np.ndarray]:
    """Labelled test ground of each source, bool `(y, x)` from the scene's first pixel as far as test tiles reach."""
    test, size = tiles.test, tiles.size
    labels = test.masks() != UNLABELLED if test.layers else np.isfinite(test.amounts())
    known: np.ndarray = np.any(labels, axis=1)
    found: dict[str, np.ndarray] = {}
    sources = test.dataset["source"].values.astype(str)
    rows, columns = (test.dataset[name].values for name in ("window_y", "window_x"))
    for source in dict.fromkeys(sources.tolist()):
        own = np.flatnonzero(sources == source)
        ground = np.zeros((int(rows[own].max()) + size, int(columns[own].max()) + size), bool)
        for place in own:
            ground[rows[place] : rows[place] + size, columns[place] : columns[place] + size] |= known[place]
        found[source] = ground
    return found
