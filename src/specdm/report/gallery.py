"""Which tiles the report shows, and how: every date, mask and quantity of each, one stretch for all."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from specdm.evaluation.change_map import has_layer_a_date
from specdm.evaluation.composites import wavelength_of
from specdm.evaluation.reading import evenly
from specdm.report.colour_bars import ColourBar, colour_bars
from specdm.report.pictures import png_data
from specdm.scenes.plot import CHANGE_COLORS, coloured_change, coloured_mask, false_colour, stretch_of
from specdm.tiles.tileset import TileSet

SHOWN = 12
LOOKED_THROUGH = 256
STRETCH_TILES = 32
LARGEST = 128
"""Larger tiles are thinned to this many pixels, so that the file stays small."""

MOST_DATES = 6
MOST_QUANTITIES = 8


@dataclass(frozen=True)
class Picture:
    """One picture of a tile: its address, what stands below it, and what it is in words."""

    address: str
    label: str
    alt: str


@dataclass(frozen=True)
class Shown:
    """One tile: its name and its pictures: each date, each mask, the change, each quantity."""

    name: str
    pictures: list[Picture]

    @property
    def image(self) -> str:
        """Address of its first date."""
        return self.pictures[0].address


@dataclass(frozen=True)
class Gallery:
    """Real and synthetic tiles side by side.

    Attributes:
        real, synthetic: the tiles.
        size: pixels along a tile.
        bars: the colour bars of continuous masks, each once.
        changes: label -> colour of derived changes; empty if none is shown.
        left_out: what the pictures leave out, in words.
    """

    real: list[Shown]
    synthetic: list[Shown]
    size: int
    bars: list[ColourBar] = field(default_factory=list)
    changes: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    @property
    def per_tile(self) -> int:
        """Pictures of each tile."""
        return max((len(tile.pictures) for tile in (*self.real, *self.synthetic)), default=1)

    @property
    def contents(self) -> str:
        """What stands beside each other, in words."""
        tile = next(iter((*self.real, *self.synthetic)), None)
        return ", ".join(picture.label for picture in tile.pictures) if tile else "nothing"


@dataclass(frozen=True)
class Look:
    """What is shown of each tile, the same for real and synthetic ones."""

    dates: list[int]
    stretches: list[np.ndarray]
    layers: list[int]
    change: bool
    bars: list[ColourBar]


def gallery(real: TileSet, synthetic: TileSet) -> Gallery:
    """Real training tiles and synthetic ones, each evenly spread over its set, none picked by its looks.

    Of the real tiles those with the most labels are preferred, since a mask without labels shows nothing.
    Stretches and colour bars of both come from the real tiles.
    """
    train = real.train if len(real.train) else real
    spread = evenly(len(train), LOOKED_THROUGH)
    known = _known_share(train, spread)
    # the better known half of the tiles looked through, then evenly over what is left
    good = spread[known >= np.median(known)]
    chosen_real = good[evenly(len(good), SHOWN)]
    chosen_synthetic = evenly(len(synthetic), SHOWN)
    look = look_of(train)
    shown = min(len(look.bars), MOST_QUANTITIES)
    return Gallery(
        real=shown_tiles(train, chosen_real, look),
        synthetic=shown_tiles(synthetic, chosen_synthetic, look),
        size=train.size,
        bars=list(dict.fromkeys(look.bars[:shown])),
        changes=dict(zip(("unchanged", "changed"), CHANGE_COLORS, strict=True)) if look.change else {},
        left_out=[
            f"{len(there)} of {total} {what} are shown"
            for there, total, what in (
                (look.dates, train.n_dates, "dates"),
                (look.bars[:shown], len(look.bars), "quantities"),
            )
            if len(there) < total
        ],
    )


def stretch_tiles(train: TileSet) -> np.ndarray:
    """Positions of the real tiles from which stretches and colour bars are taken."""
    return evenly(len(train), STRETCH_TILES)


def _known_share(tiles: TileSet, index: np.ndarray) -> np.ndarray:
    """Share of each tile's mask that is known, `(n,)`."""
    parts = [(tiles.masks(index) != -1).reshape(len(index), -1)] if tiles.layers else []
    if tiles.quantities:
        parts.append(np.isfinite(tiles.amounts(index)).reshape(len(index), -1))
    return np.concatenate(parts, axis=1).mean(axis=1) if parts else np.ones(len(index))


def look_of(train: TileSet) -> Look:
    """How tiles are shown: stretches and colour bars of some of the real tiles `train`."""
    some = stretch_tiles(train)
    images = train.images(some)
    bands = [tuple(train.bands_of(date)) for date in range(train.n_dates)]
    dates = [int(date) for date in evenly(train.n_dates, MOST_DATES)]
    stretches = []
    for date in dates:
        # the dates of one sensor are stretched alike, so that a brighter season looks brighter
        alike = [other for other in range(train.n_dates) if bands[other] == bands[date]]
        part = images[:, alike][:, :, list(bands[date])]
        stretches.append(stretch_of(part, wavelength_of(train, date)))
    layered = has_layer_a_date(train)
    return Look(
        dates=dates,
        stretches=stretches,
        # a mask of which nothing is known and no class is named shows nothing
        layers=(dates if layered else list(range(len(train.layers)))) if train.classes else [],
        change=layered and bool(train.classes),
        bars=colour_bars(train.quantities, train.amounts(some)) if train.quantities else [],
    )


def shown_tiles(tiles: TileSet, index: np.ndarray, look: Look) -> list[Shown]:
    """The tiles at some positions, with all their pictures."""
    names = tiles.dataset["tile_name"].values[index]
    return [
        Shown(str(name), _pictures(tiles, int(position), str(name), look))
        for position, name in zip(index, names, strict=True)
    ]


def _pictures(tiles: TileSet, position: int, name: str, look: Look) -> list[Picture]:
    step = max(1, tiles.size // LARGEST)
    image, mask = (
        part[0, ..., ::step, ::step] for part in (tiles.images(position), tiles.masks(position))
    )
    pictures = []

    def add(picture: np.ndarray, label: str, what: str) -> None:
        pictures.append(Picture(png_data(picture), label, f"{what} of {name}"))

    for date, stretch in zip(look.dates, look.stretches, strict=True):
        label = str(tiles.dates[date]) if tiles.n_dates > 1 else "image"
        bands = image[date, tiles.bands_of(date)]
        colours = false_colour(bands, wavelength_of(tiles, date), stretch=stretch)
        add(colours, label, "false colour" if tiles.n_dates == 1 else f"false colour, {label},")
    for layer in look.layers:
        name_of_layer = tiles.layers[layer]
        label = "mask" if name_of_layer == "class" else f"mask: {name_of_layer}"
        add(coloured_mask(mask[layer], tiles.classes), label, label)  # type: ignore[arg-type]
    if look.change:
        add(coloured_change(tiles.change_masks(position)[0, ::step, ::step]), "change", "change")
    if look.bars:
        amounts = tiles.amounts(position)[0, :, ::step, ::step]
        for quantity, bar in list(enumerate(look.bars))[:MOST_QUANTITIES]:
            label = tiles.quantities.names[quantity]  # type: ignore[union-attr]
            add(bar.picture(amounts[quantity]), label, label)
    return pictures
