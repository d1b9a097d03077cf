"""Small tile sets whose numbers say which tile they are of."""

from __future__ import annotations

import numpy as np

from specdm.scenes.classes import Classes
from specdm.scenes.quantities import Quantities
from specdm.tiles.scores import with_scores
from specdm.tiles.tileset import TileSet

SIZE, BANDS = 4, 3
CLASSES = Classes.create([2, 5, 7], ["grass", "bare soil", "water"])


def numbered_tiles(
    n: int = 12,
    *,
    start: int = 0,
    bands: int = BANDS,
    dates: int = 1,
    layers: int = 1,
    quantities: int = 0,
    classes: Classes | None = CLASSES,
    split: object = "train",
    source: object = "place",
    wavelength: np.ndarray | None = None,
    size: int = SIZE,
) -> TileSet:
    """Every pixel of tile i is about `start + i`, 1000 more in each further date, the first one without data.

    Masks hold values of classes, some pixels unlabelled.
    """
    random = np.random.default_rng(start)
    images = (
        np.zeros((n, dates, bands, size, size), np.float32)
        + np.arange(start, start + n, dtype=np.float32)[:, None, None, None, None]
    )
    images += 1000 * np.arange(dates, dtype=np.float32)[:, None, None, None]
    images += random.uniform(0, 0.5, images.shape).astype(np.float32)
    images[..., 0, 0] = np.nan
    values = np.array([-1, *(classes.values if classes else ())], np.int16)
    amounts = random.random((n, quantities, size, size)).astype(np.float32)
    return TileSet.from_arrays(
        images=images,
        masks=random.choice(values, (n, layers, size, size)) if layers else None,
        classes=classes if layers else None,
        amounts=amounts if quantities else None,
        quantities=Quantities.create([f"part {i}" for i in range(quantities)]) if quantities else None,
        wavelength=np.linspace(450, 900, bands) if wavelength is None else wavelength,
        split=split,
        source=source,
        tile_name=[f"tile {i}" for i in range(start, start + n)],
    )


def scored(tiles: TileSet) -> TileSet:
    """With scores of 0.25 where x = 0, none where x = 1, 0.75 elsewhere."""
    layers = len(tiles.layers) + (tiles.quantities is not None)
    pixel = np.full((len(tiles), layers, tiles.size, tiles.size), 0.75, np.float32)
    pixel[..., 0], pixel[..., 1] = 0.25, np.nan
    return with_scores(tiles, pixel, np.full(len(tiles), 0.5, np.float32))
