"""What a tile set holds, in words: for `specdm info`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from specdm.tiles.georeference import TilePlaces
from specdm.tiles.store import open_tiles
from specdm.tiles.tileset import TileSet

COUNTED_PIXELS = 50_000_000
"""Masks of so many pixels are counted; of larger sets the labels are those of the first tiles."""

MOST_NAMES = 6


def describe_tile_set(path: Path) -> dict[str, str]:
    """The facts of a tile set; reads masks, no images.

    Raises:
        TileError: it is damaged, or a newer version of SpecDM has written it.
    """
    tiles = open_tiles(path)
    layout = tiles.layout
    splits = zip(*np.unique(tiles.split, return_counts=True), strict=True)
    facts = {
        "format": "tile set (Zarr)",
        "task": tiles.task.replace("_", " "),
        "tiles": ", ".join(f"{count:,} {split}" for split, count in splits),
        "size": f"{tiles.size} x {tiles.size} px, {tiles.n_bands} band{'s' if tiles.n_bands != 1 else ''}",
    }
    if tiles.n_dates > 1:
        facts["dates"] = ", ".join(map(str, tiles.dates))
    facts["wavelengths"] = wavelength_words(None if tiles.wavelength is None else list(tiles.wavelength))
    if layout.image_units:
        facts["units"] = layout.image_units
    if tiles.layers:
        facts["masks"] = ", ".join(tiles.layers)
        facts["classes"] = _class_words(tiles)
    if tiles.quantities is not None:
        facts["quantities"] = ", ".join(tiles.quantities.names)
    facts["from"] = some_names(sorted({str(source) for source in tiles.dataset["source"].values}))
    placed = sum(TilePlaces(tiles.dataset).counted().values())
    facts["georeference"] = f"{placed:,} of {len(tiles):,} tiles" if placed else "none"
    facts["reliability"] = _score_words(tiles)
    facts["test ground"] = {
        "left_out": "not shown by training tiles",
        "spectra_seen": "training tiles show its spectra, not its labels",
    }.get(tiles.pixel_policy, tiles.pixel_policy)
    for key in ("citation", "licence", "note", "created", "specdm_version"):
        if value := layout.attrs.get(key):
            facts[key.replace("specdm_version", "written by SpecDM")] = str(value)
    if tiles.problems:
        facts["problem"] = "\n".join(tiles.problems)
    return facts


def wavelength_words(wavelength: list[float] | None) -> str:
    """ "400 to 2500 nm", or that they are not known."""
    return "not known" if not wavelength else f"{min(wavelength):g} to {max(wavelength):g} nm"


def _class_words(tiles: TileSet) -> str:
    classes = tiles.classes
    if classes is None:
        return "none: nothing is labelled"
    first = max(1, COUNTED_PIXELS // (tiles.size**2 * len(tiles.layers)))
    counts = tiles.select(slice(0, first)).label_counts()
    named = zip(classes.values, classes.names, counts, strict=True)
    lines = [f"{value} {name}: {count:,} px" for value, name, count in named]
    if first < len(tiles):
        lines.append(f"(the first {first:,} tiles)")
    if (tiles.dataset["window_y"].values >= 0).any():
        lines.append("(ground that several tiles show counts in each)")
    return "\n".join(lines)


def _score_words(tiles: TileSet) -> str:
    if not tiles.scored:
        return "not judged; specdm reliability does"
    scores = tiles.dataset["tile_reliability"].values
    known = scores[np.isfinite(scores)]
    return f"judged, mean {known.mean():.2f} over {known.size:,} tiles" if known.size else "judged, no tile has a score"


def some_names(names: Sequence[str]) -> str:
    """The first few of them, and how many more there are."""
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more
