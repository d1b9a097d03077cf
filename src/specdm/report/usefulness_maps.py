"""Maps of held-out ground: the truth, and what the best models with and without synthetic tiles say of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from specdm.evaluation.usefulness.summary import Record
from specdm.report.colour_bars import ColourBar, colour_bars
from specdm.report.usefulness_comparison import Comparison, records_of
from specdm.scenes.classes import UNLABELLED
from specdm.scenes.plot import UNLABELLED_COLOR, coloured_mask
from specdm.tiles.label_regions import SourceGround, grounds_of
from specdm.tiles.tileset import TileSet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_PIXELS = 480
"""Along a map; larger ground is thinned."""

MOST_QUANTITIES = 3


@dataclass(frozen=True)
class GroundMaps:
    """Maps of one source.

    Attributes:
        source: its name.
        seed: of the predictions.
        columns: what each map of a row is: "truth", then names of arms.
        rows: name of a mask layer or quantity, and its maps, float32 `(h, w, 3)` in 0..1.
        bars: colour bars of quantities, one a row; none for classes.
        classes: name and colour of the classes that the truth has.
    """

    source: str
    seed: int
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[np.ndarray, ...]], ...]
    bars: tuple[ColourBar, ...]
    classes: tuple[tuple[str, str], ...]


def ground_maps(comparison: Comparison, records: list[Record], held_out: TileSet) -> GroundMaps | None:
    """Truth, best arm of real tiles, best arm with synthetic ones, for the lowest seed that both have.

    Args:
        comparison: the arms.
        records: all there are.
        held_out: the tiles that were judged, in their order.

    Returns:
        None where an arm is missing, or its predictions are, or are of other tiles.
    """
    arms = [comparison.real, comparison.synthetic]
    found = [[] if arm is None else records_of(records, comparison, arm) for arm in arms]
    by_seed = [{record["seed"]: record for record in own} for own in found]
    common = sorted(set(by_seed[0]) & set(by_seed[1]))
    if not common:
        return None
    said = [_predicted(own[common[0]], held_out) for own in by_seed]
    known = _known(held_out)
    grounds = grounds_of(held_out, np.arange(len(held_out)))
    if any(one is None for one in said) or not grounds:
        return None
    ground = max(grounds, key=lambda one: int(known[one.index].sum()))
    columns = ("truth", *(arm.arm for arm in arms if arm is not None))
    rows, bars, classes = _drawn(held_out, ground, [one for one in said if one is not None])
    return GroundMaps(ground.name, common[0], columns, rows, bars, classes)


def maps_figure(maps: GroundMaps) -> Figure:
    """The maps as a figure with a legend, for a picture file."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    height, width = maps.rows[0][1][0].shape[:2]
    each = 3.2
    across = each if width >= height else each * max(0.35, width / height)
    down = each if height > width else each * max(0.25, height / width)
    more = 0.6 + 0.22 * -(-(len(maps.classes) + 1) // 4)
    figure = Figure(figsize=(across * len(maps.columns), (down + 0.3) * len(maps.rows) + more), layout="constrained")
    axes = figure.subplots(len(maps.rows), len(maps.columns), squeeze=False)
    for line, (name, pictures) in zip(axes, maps.rows, strict=True):
        for ax, column, picture in zip(line, maps.columns, pictures, strict=True):
            ax.imshow(picture, interpolation="nearest")
            ax.set_title(f"{column}, {name}" if len(maps.rows) > 1 else column, fontsize=9)
            ax.set_axis_off()
    if maps.classes:
        told = (*maps.classes, ("no label", UNLABELLED_COLOR))
        patches = [Patch(color=colour, label=name) for name, colour in told]
        figure.legend(handles=patches, loc="outside lower center", ncols=4, fontsize=7.5, frameon=False)
    figure.suptitle(f"{maps.source}, seed {maps.seed}", fontsize=9)
    return figure


def mosaic(ground: SourceGround, values: np.ndarray, *, nothing: float) -> np.ndarray:
    """Tiles laid on their ground; where several lie over each other the last that says anything counts.

    Args:
        ground: where the tiles of a source lie.
        values: of all tiles of the set, `(n, y, x)`.
        nothing: what stands for nothing said, -1 or NaN.

    Returns:
        `(height, width)`, at most `MOST_PIXELS` along each side: every k-th pixel of larger ground.
    """
    extent = [int(offsets.max()) + ground.size for offsets in (ground.rows, ground.columns)]
    step = max(1, -(-max(extent) // MOST_PIXELS))
    found = np.full([-(-side // step) for side in extent], nothing, values.dtype)
    for at, row, column in zip(ground.index, ground.rows, ground.columns, strict=True):
        top, left = -int(row) % step, -int(column) % step
        tile = values[at, top::step, left::step]
        y, x = (int(row) + top) // step, (int(column) + left) // step
        window = found[y : y + tile.shape[0], x : x + tile.shape[1]]
        np.copyto(window, tile, where=np.isfinite(tile) if np.isnan(nothing) else tile != nothing)
    return found


def _predicted(record: Record, held_out: TileSet) -> np.ndarray | None:
    """What an arm said of all tiles; None if that is gone, or of other tiles."""
    path = Path(record["path"]).with_suffix(".npz")
    layers = len(held_out.layers) or len(held_out.quantities or ())
    try:
        with np.load(path) as kept:
            predicted = kept["predicted"]
    except (OSError, ValueError, KeyError):
        return None
    return predicted if predicted.shape == (len(held_out), layers, held_out.size, held_out.size) else None


def _known(held_out: TileSet) -> np.ndarray:
    """Labelled pixels of each tile, `(n,)`."""
    known = held_out.masks() != UNLABELLED if held_out.layers else np.isfinite(held_out.amounts())
    return known.sum(axis=(1, 2, 3))


def _drawn(
    held_out: TileSet, ground: SourceGround, said: list[np.ndarray]
) -> tuple[tuple[tuple[str, tuple[np.ndarray, ...]], ...], tuple[ColourBar, ...], tuple[tuple[str, str], ...]]:
    classes, quantities = held_out.classes, held_out.quantities
    if held_out.layers and classes is not None:
        truth = classes.index_of(held_out.masks())

        def coloured(positions: np.ndarray) -> np.ndarray:
            return coloured_mask(classes.values_of(mosaic(ground, positions, nothing=-1)), classes)

        rows = tuple(
            (name, tuple(coloured(values[:, layer]) for values in (truth, *said)))
            for layer, name in enumerate(held_out.layers)
        )
        there = np.unique(truth[ground.index])
        return rows, (), tuple((classes.names[at], classes.colors[at]) for at in there if at >= 0)
    if quantities is None:
        return (), (), ()
    amounts = held_out.amounts()
    bars = colour_bars(quantities, amounts[ground.index])[:MOST_QUANTITIES]
    maps = tuple(
        (
            quantities.label(at),
            tuple(bar.picture(mosaic(ground, values[:, at], nothing=np.nan)) for values in (amounts, *said)),
        )
        for at, bar in enumerate(bars)
    )
    return maps, tuple(bars), ()
