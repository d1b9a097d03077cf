"""What the head of the report says: what the tiles show, what was to be learnt, and where they come from."""

from __future__ import annotations

import numpy as np

from specdm.evaluation.composites import wavelength_of
from specdm.scenes.plot import composite_bands
from specdm.tiles.tileset import TileSet

TASK_WORDS = {
    "segmentation": "Segmentation: a class for each pixel",
    "change": "Change detection: what happened between the dates",
    "semantic_change": "Semantic change: a class for each pixel and date, and the change between them",
    "regression": "Regression: continuous values for each pixel",
}

MOST_DATES_NAMED = 4


def title(real: TileSet) -> str:
    """The scene's name, or the first of several."""
    sources = list(dict.fromkeys(str(source) for source in real.dataset["source"].values))
    return sources[0] if len(sources) == 1 else f"{sources[0]} and {len(sources) - 1} more scenes"


def task(real: TileSet) -> str:
    """The task in words."""
    return TASK_WORDS[real.task]


def remark(real: TileSet) -> str:
    """What the scene says of itself and nobody should overlook, such as "semi-synthetic"; "" if nothing."""
    return real.note or ""


def subtitle(real: TileSet, synthetic: TileSet) -> str:
    """Counts and sizes."""
    labelled = real.of_labelled_scenes()
    more = len(real) - len(labelled)
    parts = [
        f"{len(synthetic):,} synthetic tiles against {len(labelled.train):,} real training tiles",
        *([f"{more:,} more without labels"] if more else []),
        f"{real.size} x {real.size} px",
        *_dates(real),
        *_bands(real),
    ]
    if real.classes:
        parts.append(f"{len(real.classes)} classes")
    if real.quantities:
        what = "abundances" if real.quantities.sum_to_one else "quantities"
        parts.append(f"{len(real.quantities)} {what if len(real.quantities) > 1 else 'quantity'}")
    return ", ".join(parts)


def composite(real: TileSet) -> str:
    """Which bands are red, green and blue, once a sensor."""
    found: dict[str, list[str]] = {}
    for date in range(real.n_dates):
        own, wavelength = real.bands_of(date), wavelength_of(real, date)
        shown = composite_bands(wavelength, len(own))
        if wavelength is None:
            words = "bands " + ", ".join(real.band_name[own[band]] for band in shown)
        else:
            words = ", ".join(f"{wavelength[band]:.0f}" for band in shown) + " nm"
        found.setdefault(words, []).append(str(real.dates[date]))
    if len(found) == 1:
        return next(iter(found))
    return "; ".join(f"{words} ({', '.join(dates)})" for words, dates in found.items())


def _dates(real: TileSet) -> list[str]:
    if real.n_dates == 1:
        return []
    labels = [str(date) for date in real.dates]
    if len(labels) > MOST_DATES_NAMED:
        return [f"{len(labels)} dates ({labels[0]} to {labels[-1]})"]
    return [f"{len(labels)} dates ({', '.join(labels)})"]


def _bands(real: TileSet) -> list[str]:
    own = [tuple(np.asarray(real.bands_of(date)).tolist()) for date in range(real.n_dates)]
    if len(set(own)) > 1:
        return [f"{' and '.join(str(len(bands)) for bands in dict.fromkeys(own))} bands of two sensors"]
    wavelength = real.wavelength
    span = "" if wavelength is None else f" ({wavelength.min():.0f} to {wavelength.max():.0f} nm)"
    return [f"{real.n_bands} bands{span}"]
