"""Pictures of fidelity.py: tiles of every method beside real ones, drawn by lot, never chosen by their looks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from fidelity_sets import SETS, STOCK, Job

from specdm.scenes.amount_plot import amount_limits, coloured_amount
from specdm.scenes.plot import coloured_mask, false_colour, stretch_of

if TYPE_CHECKING:
    from specdm.tiles.tileset import TileSet

SHOWN = 8
SHOWN_METHODS = ("specdm", "ldm", STOCK)
STRETCH_TILES = 64
GAP = 2
MOST_BYTES = 150_000


@dataclass(frozen=True)
class Look:
    """How tiles become pictures, the same for all methods.

    Attributes:
        stretches: of each date, from real tiles.
        limits: of the quantities, from real tiles; None without.
    """

    stretches: list[np.ndarray]
    limits: np.ndarray | None

    @classmethod
    def of(cls, real: TileSet) -> Look:
        some = np.linspace(0, len(real) - 1, min(STRETCH_TILES, len(real))).round().astype(int)
        images = real.images(some)
        stretches = [stretch_of(images[:, d, real.bands_of(d)], _nm(real, d)) for d in range(real.n_dates)]
        limits = None if real.quantities is None else amount_limits(real.amounts(some), real.quantities)
        return cls(stretches, limits)

    def column(self, tiles: TileSet, position: int) -> np.ndarray:
        """Every date above every mask and quantity of a tile, `(rows * size, size, 3)` in 0..1."""
        images, masks, amounts = tiles.images(position)[0], tiles.masks(position)[0], tiles.amounts(position)[0]
        pictures = [
            false_colour(images[d, tiles.bands_of(d)], _nm(tiles, d), stretch=self.stretches[d])
            for d in range(tiles.n_dates)
        ]
        if tiles.classes is not None:
            pictures += [coloured_mask(mask, tiles.classes) for mask in masks]
        if self.limits is not None:
            pictures += [coloured_amount(amount, limits) for amount, limits in zip(amounts, self.limits, strict=True)]
        gap = np.ones((GAP, tiles.size, 3), np.float32)
        return np.concatenate([part for picture in pictures for part in (picture, gap)][:-1])


def _nm(tiles: TileSet, date: int) -> np.ndarray | None:
    return None if tiles.wavelength is None else tiles.wavelength[tiles.bands_of(date)]


def side_by_side(groups: dict[str, TileSet], look: Look, *, path: Path) -> None:
    """Write a PNG: a block of tiles a group, its name above; smaller colours if it would be too large.

    Args:
        groups: name -> tiles; `SHOWN` of each are drawn by lot, the lots seeded.
        look: how.
        path: file to write.
    """
    from PIL import Image, ImageDraw, ImageFont

    blocks = {}
    for name, tiles in groups.items():
        chosen = np.random.default_rng(0).choice(len(tiles), min(SHOWN, len(tiles)), replace=False)
        columns = [look.column(tiles, int(i)) for i in chosen]
        gap = np.ones((len(columns[0]), GAP, 3), np.float32)
        blocks[name] = np.concatenate([part for column in columns for part in (column, gap)][:-1], axis=1)
    high, wide = next(iter(blocks.values())).shape[:2]
    line, between = 14, 10
    # two blocks beside each other, so that tiles are large enough on a page
    sheet = Image.new("RGB", (2 * wide + between, (len(blocks) + 1) // 2 * (high + line + between)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=11)
    for at, (name, block) in enumerate(blocks.items()):
        x, y = (at % 2) * (wide + between), (at // 2) * (high + line + between)
        draw.text((x, y), name, fill="black", font=font)
        sheet.paste(Image.fromarray((block * 255).round().astype(np.uint8)), (x, y + line))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, optimize=True)
    if path.stat().st_size > MOST_BYTES:
        sheet.quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)


def write_pictures(folder: Path, *, work: Path, minutes: float) -> None:
    """A picture of every set whose tiles are still under `work`: seed 0 of every trained method, real ones first."""
    from specdm.report.run_folder import RunFolder
    from specdm.tiles.store import open_tiles

    for one in SETS:
        runs = {method: RunFolder(work / Job(one, method, 0, minutes).name) for method in SHOWN_METHODS}
        there = {method: run for method, run in runs.items() if (run.synthetic / "zarr.json").is_file()}
        if not there:
            continue
        real = open_tiles(next(iter(there.values())).tiles).train
        groups = {"real": real, **{method: open_tiles(run.synthetic) for method, run in there.items()}}
        side_by_side(groups, Look.of(real), path=folder / f"{one.name}.png")
