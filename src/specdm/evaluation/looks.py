"""A tile set as the judges look at it: whose labels go with which dates' spectra.

A tile with one mask layer is one look: the layer with the spectra of all dates after each other. A tile with a
layer a date is as many looks as it has dates: each layer with the spectrum of its own date, as if they were
separate tiles. So the judges need not know which of the two they have before them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from specdm.evaluation.reading import BATCH_VALUES
from specdm.scenes.task import dates_of_layer
from specdm.tiles.coverage import GroundSeen
from specdm.tiles.tileset import TileSet


class Looks:
    """Looks at a tile set, `kinds` of them a tile; tiles are given by their positions.

    What comes back holds first all tiles in one kind of look, then all in the next: `(kinds * n, ...)`.
    """

    def __init__(self, tiles: TileSet, layers: tuple[int, ...]) -> None:
        """Look at some layers, whose dates all have the same bands (see `layer_groups`).

        Args:
            tiles: what to look at.
            layers: positions of mask layers; none for all dates without labels.
        """
        self.tiles, self.layers = tiles, layers
        all_dates = list(range(tiles.n_dates))
        n_layers = len(tiles.layers)
        self._dates = [dates_of_layer(i, n_dates=tiles.n_dates, n_layers=n_layers) for i in layers] or [all_dates]
        self._bands = [tiles.bands_of(date) for date in all_dates]
        self._whole = all(len(bands) == tiles.n_bands for bands in self._bands)
        self.classes = tiles.classes if layers else None

    def __len__(self) -> int:
        return len(self.tiles) * self.kinds

    @property
    def kinds(self) -> int:
        """Looks a tile."""
        return len(self._dates)

    @property
    def n_channels(self) -> int:
        """Bands of all dates of a look."""
        return sum(len(self._bands[date]) for date in self._dates[0])

    @property
    def n_classes(self) -> int:
        return len(self.classes) if self.classes else 0

    @property
    def date_labels(self) -> list[int | str]:
        """Labels of the dates looked at."""
        return [self.tiles.dates[date] for date in sorted({date for dates in self._dates for date in dates})]

    @property
    def date_channels(self) -> list[slice]:
        """Which channels are those of a look's first, second, ... date."""
        ends = np.cumsum([len(self._bands[date]) for date in self._dates[0]]).tolist()
        return [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]

    def spectra(self, index: np.ndarray) -> np.ndarray:
        """Own bands of each look's dates, float32 `(looks, y, x, channel)`, NaN where no data."""
        images = self.tiles.images(index)
        parts = [self._channels(images, dates) for dates in self._dates]
        return np.moveaxis(parts[0] if len(parts) == 1 else np.concatenate(parts), 1, -1)

    def labels(self, index: np.ndarray) -> np.ndarray:
        """Class positions int64 `(looks, y, x)`, -1 where unlabelled."""
        shape = (len(index), self.tiles.size, self.tiles.size)
        if self.classes is None:
            return np.full((self.kinds * shape[0], *shape[1:]), -1, np.int64)
        masks = self.tiles.masks(index)
        return np.concatenate([self.classes.index_of(masks[:, layer]) for layer in self.layers])

    def label_counts(self) -> np.ndarray:
        """Labelled pixels of each class in all looks, int64 `(classes,)`; overlapping tiles count twice."""
        counts = np.zeros(self.n_classes, np.int64)
        for layer in self.layers:
            counts += self.tiles.label_counts_of(layer)
        return counts

    def split(self, *arrays: np.ndarray) -> list[tuple[np.ndarray, ...]]:
        """Arrays of `kinds * n` looks as one tuple of arrays of `n` a kind."""
        return list(zip(*(np.split(array, self.kinds) for array in arrays), strict=True))

    def date_by_date(self, by_kind: list[np.ndarray]) -> np.ndarray:
        """A spectrum `(channel,)` a kind as the own bands of all dates after each other, NaN for other dates."""
        parts = {date: np.full(len(bands), np.nan) for date, bands in enumerate(self._bands)}
        for dates, spectrum in zip(self._dates, by_kind, strict=True):
            parts |= {date: spectrum[own] for date, own in zip(dates, self.date_channels, strict=True)}
        return np.concatenate([parts[date] for date in sorted(parts)])

    def of(self, tiles: TileSet) -> Looks:
        """The same looks at another tile set, such as this one after the codec."""
        return Looks(tiles, self.layers)

    def repeat(self, values: np.ndarray) -> np.ndarray:
        """A value a tile as a value a look."""
        return np.tile(values, self.kinds)

    def batches(self, index: np.ndarray) -> Iterator[np.ndarray]:
        """Parts of `index` so small that their images take `BATCH_VALUES` at most (one tile at least)."""
        size = max(1, BATCH_VALUES // (self.tiles.n_dates * self.tiles.n_bands * self.tiles.size**2))
        for start in range(0, len(index), size):
            yield index[start : start + size]

    def _channels(self, images: np.ndarray, dates: list[int]) -> np.ndarray:
        n, n_dates, _, height, width = images.shape
        if self._whole and len(dates) == n_dates:
            return images.reshape(n, -1, height, width)
        return np.concatenate([images[:, date][:, self._bands[date]] for date in dates], axis=1)


class FreshLooks:
    """Tells which pixels show ground that no look of the same kind before has shown."""

    def __init__(self, looks: Looks) -> None:
        self._seen = [GroundSeen(looks.tiles) for _ in range(looks.kinds)]

    def fresh(self, index: np.ndarray) -> np.ndarray:
        """Bool `(looks, y, x)` for the tiles at these positions, which are then seen."""
        return np.concatenate([seen.fresh(index) for seen in self._seen])


def layer_groups(tiles: TileSet) -> list[tuple[int, ...]]:
    """The mask layers, those together whose dates have the same bands; one empty group if there is no mask.

    Spectra of two sensors cannot be pooled, so layers of their own dates are judged after each other.
    """
    n_layers = len(tiles.layers)
    groups: dict[tuple[tuple[int, ...], ...], list[int]] = {}
    for layer in range(n_layers):
        dates = dates_of_layer(layer, n_dates=tiles.n_dates, n_layers=n_layers)
        groups.setdefault(tuple(tuple(tiles.bands_of(date).tolist()) for date in dates), []).append(layer)
    return [tuple(group) for group in groups.values()] or [()]
