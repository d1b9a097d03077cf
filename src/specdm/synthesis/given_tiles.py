"""Places of which something is known, cut into tiles of a model's size; and tile sets made to fit a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from specdm.errors import MaskError, ModelError, TileError
from specdm.scenes.classes import UNLABELLED
from specdm.scenes.georeference import georeference_of
from specdm.synthesis.facts import TileFacts
from specdm.synthesis.lazy_tiles import Read, lazy_tiles
from specdm.synthesis.model_bands import ImageBands, pick_bands
from specdm.synthesis.model_images import ModelImages
from specdm.synthesis.model_masks import ModelMasks, matched_values, replaced
from specdm.tiles.georeference import GEOREFERENCE, georeference_attrs
from specdm.tiles.tile_coords import coords_of, tile_coords
from specdm.tiles.tileset import COUNT_BATCH, TileSet
from specdm.tiles.windows import cover


@dataclass(frozen=True)
class GivenPlace:
    """One place of which something is known.

    Attributes:
        name: of the scene.
        where: its first file.
        grid: rows and columns.
        images: its images, or None.
        masks: its masks, or None.
        area: boolean `(y, x)`, ground that is known; None for all of it.
    """

    name: str
    where: str
    grid: tuple[int, int]
    images: ModelImages | None
    masks: ModelMasks | None
    area: np.ndarray | None = None

    @property
    def georeference(self) -> dict[str, Any] | None:
        """Coordinate reference system (WKT) and affine transform (a, b, c, d, e, f), or None."""
        place = None if self.images is None else self.images.scene.dataset["image"]
        found = None if place is None else georeference_of(place)
        return found or (None if self.masks is None else georeference_of(self.masks.place))


def cut_places(places: Sequence[GivenPlace], facts: TileFacts) -> TileSet:
    """Tiles side by side that cover each place; the last of a row or column is shifted inwards, and overlaps.

    Tiles are read when they are asked for; where they lie tells `TileSet.place`.

    Raises:
        TileError: a place is smaller than a tile.
    """
    size = facts.size
    for place in places:
        if min(place.grid) < size:
            raise TileError(
                f"{place.where}: has {place.grid[0]} x {place.grid[1]} px, smaller than a tile of the model ({size} x "
                f"{size} px); give a larger one"
            )
    windows = [cover(*place.grid, size=size, stride=size) for place in places]
    number = np.repeat(np.arange(len(places)), [len(own) for own in windows])
    yx = np.concatenate(windows)

    def read(name: str, shape: tuple[int, ...], dtype: type, fill: float) -> Read:
        def found(index: np.ndarray) -> np.ndarray:
            values: np.ndarray = np.full((len(index), *shape, size, size), fill, dtype)
            for k, i in enumerate(index):
                place, (y, x) = places[number[i]], yx[i]
                if name == "image" and place.images is not None:
                    values[k] = place.images.window(int(y), int(x), size, size)
                elif name != "image" and place.masks is not None:
                    values[k] = getattr(place.masks, name)[:, y : y + size, x : x + size]
            return values

        return found

    names = [place.name for place in places]
    coords = tile_coords(
        len(yx), split="test", source=[names[i] for i in number], window_y=yx[:, 0], window_x=yx[:, 1]
    )
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    return lazy_tiles(
        facts,
        coords,
        images=read("image", (len(facts.dates), len(facts.band_name)), np.float32, np.nan),
        masks=read("masks", (len(facts.layers),), np.int16, UNLABELLED),
        amounts=read("amounts", (len(facts.quantities or ()),), np.float32, np.nan),
        where=f"{places[0].where}{more}",
        attrs=georeference_attrs({place.name: place.georeference for place in places}),
    )


def cut_areas(places: Sequence[GivenPlace], facts: TileFacts) -> np.ndarray | None:
    """Known ground of the tiles of `cut_places`, boolean `(tile, y, x)`; None where no place has an area."""
    if all(place.area is None for place in places):
        return None
    size, parts = facts.size, []
    for place in places:
        area = np.ones(place.grid, bool) if place.area is None else place.area
        parts += [area[y : y + size, x : x + size] for y, x in cover(*place.grid, size=size, stride=size)]
    return np.stack(parts)


def fitted_tiles(tiles: TileSet, facts: TileFacts, *, image: bool, mask: bool, resample: bool) -> TileSet:
    """A tile set with the bands, classes and layers of a model; what is not known becomes unknown.

    Args:
        tiles: real or synthetic.
        facts: of the model.
        image, mask: whether its images, and its masks, are known.
        resample: compute bands that the tiles have not from those around them.

    Raises:
        ModelError: tiles of another size, dates, layers or quantities.
        SceneError: bands are lacking.
        MaskError: classes that the model does not know.
    """
    if tiles.size != facts.size:
        raise ModelError(f"{tiles.where}: tiles of {tiles.size} px, expected {facts.size}, the model's size")
    return lazy_tiles(
        facts,
        coords_of(tiles.dataset),
        images=_images(tiles, facts, resample=resample) if image else _filled(facts, "image"),
        masks=_masks(tiles, facts) if mask and facts.layers else _filled(facts, "mask"),
        amounts=_amounts(tiles, facts) if mask and facts.quantities is not None else _filled(facts, "amount"),
        where=tiles.where,
        attrs={key: tiles.dataset.attrs[key] for key in (GEOREFERENCE,) if key in tiles.dataset.attrs},
    )


def says_nothing(tiles: TileSet) -> bool:
    """No tile has a label or a known amount."""
    for start in range(0, len(tiles), COUNT_BATCH):
        part = slice(start, start + COUNT_BATCH)
        if (tiles.masks(part) != UNLABELLED).any() or np.isfinite(tiles.amounts(part)).any():
            return False
    return True


def _filled(facts: TileFacts, name: str) -> Read:
    shapes = {
        "image": (len(facts.dates), len(facts.band_name)),
        "mask": (len(facts.layers),),
        "amount": (len(facts.quantities or ()),),
    }
    fill, dtype = (UNLABELLED, np.int16) if name == "mask" else (np.nan, np.float32)
    return lambda index: np.full((len(index), *shapes[name], facts.size, facts.size), fill, dtype)


def _images(tiles: TileSet, facts: TileFacts, *, resample: bool) -> Read:
    if tiles.n_dates != len(facts.dates):
        raise ModelError(
            f"{tiles.where}: images of {tiles.n_dates} dates, expected {len(facts.dates)}, as the model has"
        )
    picks = []
    for date in range(tiles.n_dates):
        at = tiles.bands_of(date)
        bands = ImageBands(
            at,
            [tiles.band_name[i] for i in at],
            None if tiles.wavelength is None else np.asarray(tiles.wavelength)[at],
            None if tiles.fwhm is None else np.asarray(tiles.fwhm)[at],
        )
        picks.append(pick_bands(bands, facts, date=date, resample=resample, where=tiles.where))

    def read(index: np.ndarray) -> np.ndarray:
        images = tiles.images(index)
        found = np.full((len(index), len(picks), len(facts.band_name), *images.shape[-2:]), np.nan, np.float32)
        for date, pick in enumerate(picks):
            found[:, date, pick.own] = pick.take(images[:, date])
        return found

    return read


def _masks(tiles: TileSet, facts: TileFacts) -> Read:
    if list(tiles.layers) != facts.layers:
        raise ModelError(
            f"{tiles.where}: mask layers {', '.join(tiles.layers) or 'none'}, expected {', '.join(facts.layers)}"
        )
    if tiles.classes is None or facts.classes is None:
        raise MaskError(f"{tiles.where}: no pixel is labelled; a mask that is known needs at least one labelled pixel")
    if tiles.classes == facts.classes:
        return tiles.masks
    counts = tiles.label_counts()
    there = [value for value, count in zip(tiles.classes.values, counts, strict=True) if count]
    values: Mapping[int, int] = matched_values(tiles.classes, facts.classes, where=tiles.where, occurring=there)
    return lambda index: replaced(tiles.masks(index), values)


def _amounts(tiles: TileSet, facts: TileFacts) -> Read:
    names = () if tiles.quantities is None else tiles.quantities.names
    wanted = () if facts.quantities is None else facts.quantities.names
    if set(names) != set(wanted):
        raise ModelError(f"{tiles.where}: quantities {', '.join(names) or 'none'}, expected {', '.join(wanted)}")
    order = [names.index(name) for name in wanted]
    return lambda index: tiles.amounts(index)[:, order]
