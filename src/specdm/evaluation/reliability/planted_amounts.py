"""Errors planted in amounts: moved, borrowed, or two materials exchanged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specdm.evaluation.reliability.mask_shapes import compact_region, shifted
from specdm.tiles.tileset import TileSet

AMOUNT_KINDS = ("amounts_shift_1", "amounts_shift_2", "amounts_shift_4", "amounts_other_tile", "amounts_exchanged")
TOLERANCE = 0.1
"""Part of a quantity's range by which it may differ and still be right."""

EXCHANGED_PIXELS = (30, 200)


def amount_range(tiles: TileSet) -> np.ndarray:
    """What differences of each quantity are measured by: 1 for abundances, else the range of its values.

    Returns:
        float64 `(quantity,)`, above 0; the range is that between the 1st and 99th percentile.
    """
    quantities = tiles.quantities
    assert quantities is not None
    if quantities.sum_to_one:
        return np.ones(len(quantities))
    values = np.moveaxis(tiles.amounts(), 1, 0).reshape(len(quantities), -1)
    known = [row[np.isfinite(row)] for row in values]
    spans = np.array([np.subtract(*np.quantile(row, [0.99, 0.01])) if len(row) else 0.0 for row in known])
    return np.where(spans > 0, spans, 1.0)


def plant_in_amounts(
    tiles: TileSet, kind: str, *, lenders: TileSet, generators: Sequence[np.random.Generator]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Spoil the amounts of tiles; arguments as those of `plant_errors`, a generator a tile.

    Returns:
        Amounts float32 `(tile, quantity, y, x)`; wrong and judged, bool `(tile, y, x)`. Wrong is a pixel of which
        some quantity is off by more than `TOLERANCE` of its range.
    """
    before = tiles.amounts()
    after = before.copy()
    same = lenders is tiles
    lent = before if same else lenders.amounts()
    for at, random in enumerate(generators):
        if kind.startswith("amounts_shift_"):
            by = int(kind.rsplit("_", 1)[1])
            steps = [(dy, dx) for dy in (-by, 0, by) for dx in (-by, 0, by) if dy or dx]
            after[at] = shifted(before[at], *steps[random.integers(len(steps))], fill=np.nan)
        elif kind == "amounts_other_tile":
            donor = int(random.integers(len(lent) - same))
            after[at] = lent[donor + (same and donor >= at)]
        else:
            after[at] = _exchanged(before[at], random)
    known = np.isfinite(before) & np.isfinite(after)
    off = np.abs(after - before) > TOLERANCE * amount_range(tiles)[:, None, None]
    return after, (off & known).any(axis=1), known.any(axis=1)


def _exchanged(amounts: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The largest quantity of a region and another one take each other's place."""
    found = amounts.copy()
    known = np.isfinite(amounts).all(axis=0)
    if len(amounts) < 2:
        return found
    pixels = int(random.integers(EXCHANGED_PIXELS[0], EXCHANGED_PIXELS[1] + 1))
    region = compact_region(known, pixels=pixels, random=random)
    if not region.any():
        return found
    first = int(amounts[:, region].mean(axis=1).argmax())
    second = int(random.choice([i for i in range(len(amounts)) if i != first]))
    found[first][region], found[second][region] = amounts[second][region], amounts[first][region]
    return found
