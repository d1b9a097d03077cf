"""NumPy: one `.npz` a tile, everything in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from specdm.tiles.export.placed import place_arrays, place_bytes, place_lines
from specdm.tiles.export.protocol import ExportFormat, Source, TileFiles, nothing_changes
from specdm.tiles.export.set_arrays import set_arrays
from specdm.tiles.export.sizes import array_bytes, on_disk
from specdm.tiles.export.tile import Tile


class NpzFiles:
    """`tile_00000.npz` and so on, not compressed; `numpy.load` needs no pickle for them."""

    def __init__(self, folder: Path, source: Source) -> None:
        self._folder, self._digits, self._shared = folder, source.digits, set_arrays(source.layout)

    def write(self, tile: Tile) -> tuple[str, ...]:
        name = f"tile_{tile.position:0{self._digits}d}.npz"
        arrays = {**tile.arrays(), **self._shared, **fact_arrays(tile), **place_arrays(tile.place)}
        np.savez(self._folder / name, **arrays)  # type: ignore[arg-type]
        return (name,)

    def close(self) -> None:
        """Nothing is left to do."""


def fact_arrays(tile: Tile) -> dict[str, np.ndarray]:
    """What is known of a tile as arrays without dimensions; NaN for a score that there is not."""
    return {key: np.asarray(np.nan if value is None else value) for key, value in tile.facts.items()}


def axes(source: Source) -> list[str]:
    """The arrays of a tile with their axes, one line each."""
    layout = source.layout
    image = "(band, y, x)" if len(layout.dates) == 1 else "(date, band, y, x), NaN in bands that a date has not"
    lines = [f"`image` {image}: float32, NaN where there is no data."]
    if layout.layers:
        mask = "(y, x)" if len(layout.layers) == 1 else "(layer, y, x)"
        lines.append(f"`mask` {mask}: int16, class values, -1 where unlabelled.")
    if layout.quantities is not None:
        lines.append("`amount` (quantity, y, x): float32, NaN where unknown.")
    if source.scored:
        layers = sum(shape[0] if len(shape) == 3 else 1 for shape in layout.score_shapes.values())
        shape = "(y, x)" if layers == 1 else "(score layer, y, x)"
        lines.append(f"`reliability` {shape}: float32, probability that the label is right, NaN where there is none.")
    return lines


def array_layout(source: Source) -> list[str]:
    """`axes`, and the names of the small arrays beside them."""
    names = ", ".join(f"`{name}`" for name in set_arrays(source.layout))
    beside = f"Beside them {names} and what the manifest says of the tile. Wavelengths in nm."
    return [*axes(source), beside, *place_lines(source)]


def _tile_bytes(source: Source) -> int:
    shared = set_arrays(source.layout)
    # each array has headers of its own, in the archive and in the array
    return on_disk(
        sum(array_bytes(source).values())
        + sum(array.nbytes for array in shared.values())
        + 512 * (len(shared) + 16)
        + place_bytes(source, each=4)
    )


def _open(folder: Path, source: Source) -> TileFiles:
    return NpzFiles(folder, source)


NPZ = ExportFormat("npz", "NumPy (.npz)", nothing_changes, _tile_bytes, _open, array_layout)
