"""Little tile sets that show what formats have to hold, and how they are exported."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from specdm.scenes.classes import Classes
from specdm.scenes.quantities import Quantities
from specdm.tiles.export import export_tiles
from specdm.tiles.scores import with_scores
from specdm.tiles.tileset import TileSet

SIZE = 8
CLASSES = Classes.create([0, 3, 7], ["Wiese (grün)", "roof", "open water"], ["#0072b2", "#e69f00", "#009e73"])
PROVENANCE = {
    "model": "specdm-abc",
    "trained_on": {"scenes": [{"name": "Place", "sources": ["/home/me/secret/place.tif"], "height": 90, "width": 80}]},
}


def _images(n: int, dates: int, bands: int) -> np.ndarray:
    """Values that clipping, scaling or rounding to other types would change, some without data."""
    rng = np.random.default_rng(3)
    images = rng.normal(0.0, 4000.0, (n, dates, bands, SIZE, SIZE)).astype(np.float32)
    images[:, :, 0, 0, 0] = np.float32(1.2345679e7)
    images[:, :, -1, 1, 1] = np.float32(-3.3e-7)
    images[0, :, :, 2, 3:5] = np.nan
    return images


def plain_tiles(*, n: int = 5, classes: Classes = CLASSES, bands: int = 4, **options) -> TileSet:
    """One date, one mask layer, unlabelled pixels; three training tiles, the others synthetic."""
    rng = np.random.default_rng(4)
    masks = rng.choice(np.array([-1, *classes.values], np.int16), (n, 1, SIZE, SIZE))
    given = {
        "images": _images(n, 1, bands),
        "masks": masks,
        "classes": classes,
        "wavelength": np.linspace(442.7, 2202.4, bands),
        "fwhm": np.linspace(21.05, 175.3, bands),
        "band_name": [f"B{i + 1:02d}" for i in range(bands)],
        "split": ["train"] * min(n, 3) + ["synthetic"] * max(n - 3, 0),
        "source": "place",
        "seed": [-1] * min(n, 3) + [0] * max(n - 3, 0),
        "index": [-1] * min(n, 3) + list(range(max(n - 3, 0))),
        "window_y": [8 * i for i in range(min(n, 3))] + [-1] * max(n - 3, 0),
        "window_x": [4] * min(n, 3) + [-1] * max(n - 3, 0),
        "image_units": "reflectance",
        "attrs": {"provenance": PROVENANCE, "citation": "Me (2020), Place", "note": "semi-synthetic"},
    }
    return TileSet.from_arrays(**{**given, **options})


def mixed_tiles() -> TileSet:
    """Two dates of two sensors, of three and two bands, a mask a date."""
    images = _images(3, 2, 5)
    images[:, 0, 3:] = np.nan
    images[:, 1, :3] = np.nan
    masks = np.random.default_rng(5).choice(np.array([-1, 0, 3, 7], np.int16), (3, 2, SIZE, SIZE))
    return TileSet.from_arrays(
        images=images, masks=masks, classes=CLASSES, wavelength=[450.0, 550.0, 650.0, 480.0, 800.0],
        band_name=["a", "b", "c", "d", "e"], dates=["2020-05-01", "2021/06"], layers=["2020-05-01", "2021/06"],
        date_sensor=[0, 1], band_sensor=[0, 0, 0, 1, 1], split="train", source="two", window_y=[0, 8, 16], window_x=0,
    )  # fmt: skip


def amount_tiles(*, scored: bool = True) -> TileSet:
    """Amounts, some unknown, and no mask; judged, one tile without a score."""
    rng = np.random.default_rng(6)
    amounts = rng.uniform(0.0, 40.0, (3, 2, SIZE, SIZE)).astype(np.float32)
    amounts[:, :, 0, 1] = np.nan
    tiles = TileSet.from_arrays(
        images=_images(3, 1, 3), amounts=amounts, quantities=Quantities.create(["height", "cover"], units=["m", "%"]),
        split="synthetic", source="model", seed=1, index=[0, 1, 2],
    )  # fmt: skip
    maps = rng.random((3, 1, SIZE, SIZE)).astype(np.float32)
    maps[:, :, 0, 1] = np.nan
    return with_scores(tiles, maps, np.array([0.25, 0.5, np.nan], np.float32)) if scored else tiles


def exported(tiles: TileSet, form: str, folder: Path, **options) -> tuple[Path, list[dict[str, str]]]:
    """The folder and the lines of its manifest."""
    export_tiles(tiles, format=form, folder=folder, **options)
    with open(folder / "manifest.csv", encoding="utf-8", newline="") as file:
        return folder, list(csv.DictReader(file))
