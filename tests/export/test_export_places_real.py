"""The published EnMAP tiles of Potsdam, cut and exported: each pixel is found again at its coordinates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from export_tile_sets import exported

from specdm.scenes.catalog import find
from specdm.scenes.open import open_scene


def test_potsdam(shared_data: Path, tmp_path: Path) -> None:
    scenes = open_scene(shared_data / "enmap_potsdam", dataset="enmap-potsdam")
    tiles = scenes.tile(size=16, stride=16, split="none").select(slice(1, None, 17))
    folder, lines = exported(tiles, "geotiff", tmp_path / "out")
    for line in lines:
        image, mask = line["files"].split(";")
        source = next((shared_data / "enmap_potsdam" / "images").glob(f"{line['source']}.tif"))
        with rasterio.open(folder / image) as tile, rasterio.open(source) as scene:
            assert tile.crs == scene.crs
            window = rasterio.windows.from_bounds(*tile.bounds, transform=scene.transform)
            there, here = scene.read(window=window).astype(float), tile.read(1).astype(float)
            # the catalogue scales values and leaves bands out: the first one kept is among the file's
            assert any(np.allclose(here / here.mean(), band / band.mean(), rtol=1e-5) for band in there if band.any())
        labels = source.parent.parent / "labels" / source.name
        with rasterio.open(folder / mask) as found, rasterio.open(labels) as truth:
            window = rasterio.windows.from_bounds(*found.bounds, transform=truth.transform)
            labelled = found.read(1) != found.nodata
            np.testing.assert_array_equal(found.read(1)[labelled], truth.read(1, window=window)[labelled])
    assert tiles.licence == find("enmap-potsdam").licence
    assert len({line["transform"] for line in lines}) == len(lines) > 3
