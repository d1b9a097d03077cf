"""Many tiles with shared wavelengths, classes and provenance: what training reads and synthesis writes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from specdm.errors import MaskError, TileError
from specdm.scenes.classes import UNLABELLED, Classes
from specdm.tiles.layout import PerTile, TileLayout, as_text, check_dataset, new_attrs, tile_coords

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Index = slice | int | np.ndarray | Sequence[int]
COUNT_BATCH = 64


class TileSet:
    """Tiles, real or synthetic, around one `xarray.Dataset`, in memory or lazily from a store.

    Attributes:
        dataset: `image (tile, date, band, y, x)` float32 in the user's units, NaN where no data;
            `mask (tile, layer, y, x)` int16 class values, -1 where unlabelled; coordinates `wavelength`
            and `fwhm` (nm, absent if unknown), `band_name`, `date`, `layer`, and for each tile `split`,
            `source`, `window_y`, `window_x`, `seed`, `index`, `tile_name`.
    """

    def __init__(self, dataset: xr.Dataset, *, where: str = "the dataset") -> None:
        """Wrap a dataset of the layout above; `where` is what messages call it.

        Raises:
            TileError: a variable or coordinate is missing or has the wrong dimensions or type.
        """
        check_dataset(dataset, where=where)
        self.dataset = dataset
        self.where = where

    @classmethod
    def from_arrays(
        cls,
        *,
        images: np.ndarray,
        masks: np.ndarray,
        classes: Classes | None,
        wavelength: np.ndarray | Sequence[float] | None = None,
        fwhm: np.ndarray | Sequence[float] | None = None,
        band_name: Sequence[str] | None = None,
        split: PerTile,
        source: PerTile,
        window_y: PerTile = None,
        window_x: PerTile = None,
        seed: PerTile = None,
        index: PerTile = None,
        tile_name: PerTile = None,
        dates: Sequence[Any] | None = None,
        layers: Sequence[str] | None = None,
        image_units: str | None = None,
        task: str = "segmentation",
        attrs: Mapping[str, Any] | None = None,
    ) -> TileSet:
        """A tile set in memory.

        Args:
            images: float32 `(n, date, band, size, size)`, NaN where no data.
            masks: int16 `(n, layer, size, size)`, class values, -1 where unlabelled.
            classes: what mask values mean; None if all masks are unlabelled.
            wavelength, fwhm: nm, `(band,)`; None if unknown.
            band_name: one name a band; default "band 1", "band 2" ...
            split: "train", "val", "test" or "synthetic", for each tile or for all.
            source: scene name or model id, for each tile or for all.
            window_y, window_x: first row and column in the scene; -1 (default) for synthetic tiles.
            seed, index: of synthetic tiles; -1 (default) for real ones.
            tile_name: default made of the source and the window or the seed and index.
            dates, layers: labels; default 0, 1, ... and "class".
            image_units: unit of image values.
            task: "segmentation", "change" or "regression".
            attrs: further attributes, such as `provenance` and `pixel_policy`; mappings become JSON text.

        Raises:
            TileError: shapes, number types or lengths do not fit together.
            MaskError: a mask value is neither a class nor -1.
        """
        images, masks = np.asarray(images), np.asarray(masks)
        for what, array, dtype, ndim in (("images", images, np.float32, 5), ("masks", masks, np.int16, 4)):
            if array.dtype != dtype or array.ndim != ndim:
                raise TileError(
                    f"{what} are {array.dtype} of shape {array.shape}; expected {np.dtype(dtype)} with "
                    f"{ndim} dimensions"
                )
        if len(images) != len(masks) or images.shape[-2:] != masks.shape[-2:]:
            raise TileError(f"images of shape {images.shape} do not fit masks of shape {masks.shape}")
        check_mask_values(masks, classes)
        layout = TileLayout(
            size=images.shape[-1],
            n_bands=images.shape[2],
            classes=classes,
            wavelength=wavelength,
            fwhm=fwhm,
            band_name=band_name,
            dates=list(range(images.shape[1])) if dates is None else dates,
            layers=default_layers(masks.shape[1]) if layers is None else layers,
            image_units=image_units,
            attrs=new_attrs(task=task, attrs=attrs),
        )
        if len(layout.dates) != images.shape[1] or len(layout.layers) != masks.shape[1]:
            raise TileError(
                f"{len(layout.dates)} dates and {len(layout.layers)} layers named, but the images have "
                f"{images.shape[1]} dates and the masks {masks.shape[1]} layers"
            )
        tiles = tile_coords(
            len(images),
            split=split,
            source=source,
            window_y=window_y,
            window_x=window_x,
            seed=seed,
            index=index,
            tile_name=tile_name,
        )
        return cls(layout.dataset(images, masks, tiles))

    # -- what it is ------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return int(self.dataset.sizes["tile"])

    def __repr__(self) -> str:
        counts = ", ".join(
            f"{n} {part}" for part, n in zip(*np.unique(self.split, return_counts=True), strict=True)
        )
        classes = f"{len(self.classes)} classes" if self.classes else "no classes"
        return f"<TileSet {counts or 'empty'}: {self.size} x {self.size} px, {self.n_bands} bands, {classes}>"

    @property
    def size(self) -> int:
        """Pixels along a tile."""
        return int(self.dataset.sizes["y"])

    @property
    def n_bands(self) -> int:
        return int(self.dataset.sizes["band"])

    @property
    def n_dates(self) -> int:
        return int(self.dataset.sizes["date"])

    @property
    def split(self) -> np.ndarray:
        """Split of each tile, str `(n,)`."""
        return as_text(self.dataset["split"].values)

    @property
    def wavelength(self) -> np.ndarray | None:
        """Band centres in nm, float64 `(band,)`, or None if unknown."""
        return TileLayout.of(self.dataset).wavelength  # type: ignore[return-value]

    @property
    def fwhm(self) -> np.ndarray | None:
        """Band widths in nm, float64 `(band,)`, or None if unknown."""
        return TileLayout.of(self.dataset).fwhm  # type: ignore[return-value]

    @property
    def band_name(self) -> tuple[str, ...]:
        return tuple(str(name) for name in self.dataset["band_name"].values)

    @property
    def classes(self) -> Classes | None:
        """What mask values mean; None if nothing was ever labelled."""
        return TileLayout.of(self.dataset).classes

    @property
    def image_units(self) -> str | None:
        return self.dataset["image"].attrs.get("units")

    @property
    def pixel_policy(self) -> str:
        """ "left_out" or "spectra_seen": whether training tiles show test ground (never with its labels)."""
        return str(self.dataset.attrs.get("pixel_policy", "left_out"))

    @property
    def provenance(self) -> dict[str, Any]:
        """Where the tiles come from."""
        return json.loads(self.dataset.attrs.get("provenance", "{}"))

    @property
    def problems(self) -> list[str]:
        """What a user should know before training: one line each."""
        return json.loads(self.dataset.attrs.get("problems", "[]"))

    # -- parts of it -----------------------------------------------------------------------------------------

    @property
    def train(self) -> TileSet:
        return self._part("train")

    @property
    def val(self) -> TileSet:
        return self._part("val")

    @property
    def test(self) -> TileSet:
        return self._part("test")

    @property
    def synthetic(self) -> TileSet:
        return self._part("synthetic")

    def select(self, indices: Index) -> TileSet:
        """The tiles at these positions (slice, integers or a boolean array), still lazy if this set is."""
        return TileSet(self.dataset.isel(tile=_as_index(indices)), where=self.where)

    def images(self, index: Index = slice(None)) -> np.ndarray:
        """Load images: float32 `(n, date, band, y, x)`, NaN where no data; a single position keeps its axis.

        Raises:
            TileError: the store is damaged.
        """
        return self._load("image", index)

    def masks(self, index: Index = slice(None)) -> np.ndarray:
        """Load masks: int16 `(n, layer, y, x)`, class values, -1 where unlabelled.

        Raises:
            TileError: the store is damaged.
        """
        return self._load("mask", index)

    def batches(self, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Images and masks of `size` tiles after the other, in order; the last may be smaller."""
        for start in range(0, len(self), size):
            part = slice(start, start + size)
            yield self.images(part), self.masks(part)

    def label_counts(self) -> np.ndarray:
        """Labelled pixels of each class over all tiles, int64 `(classes,)`; overlapping tiles count twice."""
        classes = self.classes
        counts = np.zeros(len(classes) if classes else 0, np.int64)
        if classes is not None:
            for start in range(0, len(self), COUNT_BATCH):
                index = classes.index_of(self.masks(slice(start, start + COUNT_BATCH)))
                counts += np.bincount(index[index >= 0], minlength=len(classes))
        return counts

    # -- what it does ----------------------------------------------------------------------------------------

    def save(self, path: str | Path, *, overwrite: bool = False) -> TileSet:
        """Write to a Zarr store and open it from there.

        Raises:
            TileError: the path exists and `overwrite` is off, or cannot be written.
        """
        from specdm.tiles.store import save_tiles

        return save_tiles(self, path, overwrite=overwrite)

    def plot(self, n: int = 8, path: str | Path | None = None) -> Figure:
        """False colour above mask for `n` tiles spread over the set; also written to `path` if given."""
        from specdm.tiles.plot import plot_tiles

        return plot_tiles(self, n=n, path=path)

    def _part(self, split: str) -> TileSet:
        return self.select(np.flatnonzero(self.split == split))

    def _load(self, name: str, index: Index) -> np.ndarray:
        variable = self.dataset[name].isel(tile=_as_index(index))
        try:
            return np.asarray(variable.values)
        except (OSError, ValueError, RuntimeError, TypeError) as error:
            raise TileError(f"{self.where}: cannot read {name}s, the store is damaged ({error})") from error


def check_mask_values(masks: np.ndarray, classes: Classes | None) -> None:
    """Raise MaskError if a mask holds a value that is neither a class nor -1."""
    if classes is not None:
        classes.index_of(masks)
    elif (masks != UNLABELLED).any():
        raise MaskError("masks have labels but no classes are given; give classes")


def default_layers(n: int) -> list[str]:
    """Names for the layers of a mask: "class", then "layer 2" and so on."""
    return ["class", *(f"layer {i + 1}" for i in range(1, n))]


def _as_index(index: Index) -> slice | np.ndarray:
    if isinstance(index, slice):
        return index
    array = np.atleast_1d(np.asarray(index))
    if array.dtype == bool:
        return np.flatnonzero(array)
    return array.astype(np.int64)
