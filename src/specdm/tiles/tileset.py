"""Many tiles with shared wavelengths, classes and provenance: what training reads and synthesis writes."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from specdm.errors import TileError
from specdm.scenes.classes import Classes
from specdm.scenes.quantities import Quantities
from specdm.scenes.task import derived_change
from specdm.tiles.checks import check_dataset, check_parts
from specdm.tiles.layout import AMOUNT_SCORES, MASK_SCORES, TileLayout, new_attrs
from specdm.tiles.sharing import TileSetSharing
from specdm.tiles.tile_coords import PerTile, tile_coords

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Index = slice | int | np.ndarray | Sequence[int]
COUNT_BATCH = 64


class TileSet(TileSetSharing):
    """Tiles, real or synthetic, around one `xarray.Dataset`, in memory or lazily from a store.

    Attributes:
        dataset: `image (tile, date, band, y, x)` float32 in the user's units, NaN where no data and in bands
            that a date has not; `mask (tile, layer, y, x)` int16 class values, -1 where unlabelled;
            `amount (tile, quantity, y, x)` float32, NaN where unknown; one of the two, or both. Coordinates
            `wavelength` and `fwhm` (nm, absent if unknown), `band_name`, `date`, `layer`, `quantity`,
            `date_sensor` and `band_sensor` (absent where all dates have all bands), and for each tile
            `split`, `source`, `window_y`, `window_x`, `seed`, `index`, `tile_name`, of completed ones `scene`; the
            attribute `georeference` says where scenes lie, see `place`. Where tiles were judged,
            `reliability (tile, layer, y, x)`, `amount_reliability (tile, y, x)` and the coordinate `tile_reliability`.
            *Imagery without labels.* A tile of a labelled scene whose mask is -1 says that whoever labelled the scene
            left that ground out; a tile of imagery that nobody labelled says nothing. The sources of the latter are
            listed in the attribute `unlabelled_sources` (JSON text; absent if there are none), see `annotated`.
    """

    def __init__(self, dataset: xr.Dataset, *, where: str = "the dataset") -> None:
        """Wrap a dataset of the layout above; `where` is what messages call it.

        Raises:
            TileError: a variable or coordinate is missing or has the wrong dimensions or type.
            MaskError: the attributes of mask or amounts do not describe them.
        """
        check_dataset(dataset, where=where)
        self.dataset = dataset
        self.where = where

    @classmethod
    def from_arrays(
        cls,
        *,
        images: np.ndarray,
        masks: np.ndarray | None = None,
        classes: Classes | None = None,
        amounts: np.ndarray | None = None,
        quantities: Quantities | None = None,
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
        date_sensor: Sequence[int] | np.ndarray | None = None,
        band_sensor: Sequence[int] | np.ndarray | None = None,
        image_units: str | None = None,
        attrs: Mapping[str, Any] | None = None,
        task: str | None = None,
    ) -> TileSet:
        """A tile set in memory.

        Args:
            images: float32 `(n, date, band, size, size)`, NaN where no data.
            masks: int16 `(n, layer, size, size)`, class values, -1 where unlabelled; None or 0 layers if
                there are only amounts.
            classes: what mask values mean; None if all masks are unlabelled.
            amounts: float32 `(n, quantity, size, size)`, NaN where unknown.
            quantities: what the amounts are; goes with them.
            wavelength, fwhm: nm, `(band,)`; None if unknown.
            band_name: one name a band; default "band 1", "band 2" ...
            split: "train", "val", "test" or "synthetic", for each tile or for all.
            source: scene name or model id, for each tile or for all.
            window_y, window_x: first row and column in the scene; -1 (default) for synthetic tiles.
            seed, index: of synthetic tiles; -1 (default) for real ones.
            tile_name: default made of the source and the window or the seed and index.
            dates, layers: labels; default 0, 1, ... and "class".
            date_sensor, band_sensor: sensor number of each date and band where not all dates have all bands.
            image_units: unit of image values.
            attrs: further attributes, such as `provenance` and `pixel_policy`; mappings become JSON text.
            task: does nothing, and will go with 0.3: it is derived, see the attribute of that name.

        Warns:
            DeprecationWarning: `task` is given.

        Raises:
            TileError: shapes, number types or lengths do not fit together.
            MaskError: a mask value is neither a class nor -1, or abundances that do not sum to one.
        """
        if task is not None:
            warnings.warn(
                "TileSet.from_arrays(task=...) does nothing since 0.2 and will go with 0.3: what dates, layers and "
                "quantities amount to is derived; leave it out",
                DeprecationWarning,
                stacklevel=2,
            )
        images = np.asarray(images)
        masks = None if masks is None else np.asarray(masks)
        amounts = None if amounts is None else np.asarray(amounts)
        for what, array, ndim in (("images", images, 5), ("masks", masks, 4), ("amounts", amounts, 4)):
            if array is not None and array.ndim != ndim:
                raise TileError(f"{what} are of shape {array.shape}; expected {ndim} dimensions")
            if array is not None and (len(array) != len(images) or array.shape[-2:] != images.shape[-2:]):
                raise TileError(f"{what} of shape {array.shape} do not fit images of shape {images.shape}")
        if images.shape[-2] != images.shape[-1]:
            raise TileError(f"tiles of {images.shape[-2]} x {images.shape[-1]} px; expected squares")
        n_layers = 0 if masks is None else masks.shape[1]
        if (amounts is None or not amounts.shape[1]) != (quantities is None):
            raise TileError("amounts and quantities go together; give both or none")
        layout = TileLayout(
            size=images.shape[-1],
            n_bands=images.shape[2],
            classes=classes,
            wavelength=wavelength,
            fwhm=fwhm,
            band_name=band_name,
            dates=list(range(images.shape[1])) if dates is None else dates,
            layers=default_layers(n_layers) if layers is None else layers,
            quantities=quantities,
            date_sensor=date_sensor,
            band_sensor=band_sensor,
            image_units=image_units,
            attrs=new_attrs(attrs=attrs),
        )
        check_parts(layout, images, masks, amounts, where="the tiles")
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
        return cls(layout.dataset(images, masks, tiles, amounts))

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

    def of_labelled_scenes(self) -> TileSet:
        """Without tiles of imagery that nobody labelled: all that says anything about masks, see `annotated`."""
        annotated = self.annotated
        return self if annotated.all() else self.select(annotated)

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
        """Load masks: int16 `(n, layer, y, x)`, class values, -1 where unlabelled; `(n, 0, y, x)` without masks.

        Raises:
            TileError: the store is damaged.
        """
        return self._load("mask", index) if "mask" in self.dataset else self._nothing(index, np.int16)

    def amounts(self, index: Index = slice(None)) -> np.ndarray:
        """Load amounts: float32 `(n, quantity, y, x)`, NaN where unknown; `(n, 0, y, x)` without amounts.

        Raises:
            TileError: the store is damaged.
        """
        return self._load("amount", index) if "amount" in self.dataset else self._nothing(index, np.float32)

    def reliability(self, index: Index = slice(None)) -> np.ndarray:
        """Load score maps: how likely each label is right, as `specdm reliability` judged it.

        Returns:
            float32 `(n, layer, y, x)`, 0..1, NaN where there is none; amounts are one more layer, after those of the
            masks. The score of each tile is the coordinate `tile_reliability` of the dataset.

        Raises:
            TileError: the tiles have no scores (see `scored`), or the store is damaged.
        """
        if not self.scored:
            raise TileError(f"{self.where} has no scores of reliability; run: specdm reliability")
        parts = [self._load(MASK_SCORES, index)] if MASK_SCORES in self.dataset else []
        parts += [self._load(AMOUNT_SCORES, index)[:, None]] if AMOUNT_SCORES in self.dataset else []
        return np.concatenate(parts, axis=1)

    def change_masks(self, index: Index = slice(None)) -> np.ndarray:
        """What changed between the first and the last date, derived from the masks of the two.

        Returns:
            int8 `(n, y, x)`: 1 changed, 0 unchanged, -1 where one of the two is unlabelled.

        Raises:
            TileError: there is no mask a date (a given change mask has classes: see `masks`), or the store is
                damaged.
        """
        if self.n_dates < 2 or len(self.layers) != self.n_dates:
            raise TileError(
                f"{self.where}: change is derived from a mask a date, but the masks of {self.n_dates} dates have the "
                f"layers {', '.join(self.layers) or 'none'}; use masks(), whose classes say what changed"
            )
        masks, classes = self.masks(index), self.classes
        return derived_change(masks if classes is None else classes.index_of(masks))

    def batches(self, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Images and masks of `size` tiles after the other, in order; the last may be smaller."""
        for start in range(0, len(self), size):
            part = slice(start, start + size)
            yield self.images(part), self.masks(part)

    def label_counts(self) -> np.ndarray:
        """Labelled pixels of each class over all tiles and layers, int64 `(classes,)`; overlaps count twice."""
        return self._layer_counts().sum(axis=0)

    def label_counts_of(self, layer: int | str) -> np.ndarray:
        """`label_counts` of one layer, given by its position or name.

        Raises:
            TileError: there is no such layer.
        """
        layers = self.layers
        position = layers.index(layer) if layer in layers else layer
        if not isinstance(position, (int, np.integer)) or not 0 <= position < len(layers):
            raise TileError(f"{self.where} has no mask layer {layer!r}; its layers are {', '.join(layers) or 'none'}")
        return self._layer_counts()[position]

    # -- what it does ----------------------------------------------------------------------------------------

    def plot(self, n: int = 8, path: str | Path | None = None) -> Figure:
        """Every date above masks and amounts for `n` tiles spread over the set; also written to `path` if given."""
        from specdm.tiles.plot import plot_tiles

        return plot_tiles(self, n=n, path=path)

    def _part(self, split: str) -> TileSet:
        return self.select(np.flatnonzero(self.split == split))

    def _layer_counts(self) -> np.ndarray:
        classes = self.classes
        counts = np.zeros((len(self.layers), len(classes) if classes else 0), np.int64)
        if classes is not None:
            for start in range(0, len(self), COUNT_BATCH):
                for layer, mask in enumerate(np.moveaxis(self.masks(slice(start, start + COUNT_BATCH)), 1, 0)):
                    index = classes.index_of(mask)
                    counts[layer] += np.bincount(index[index >= 0], minlength=len(classes))
        return counts

    def _load(self, name: str, index: Index) -> np.ndarray:
        variable = self.dataset[name].isel(tile=_as_index(index))
        try:
            return np.asarray(variable.values)
        except (OSError, ValueError, RuntimeError, TypeError) as error:
            raise TileError(f"{self.where}: cannot read {name}s, the store is damaged ({error})") from error

    def _nothing(self, index: Index, dtype: type) -> np.ndarray:
        n = self.dataset["split"].isel(tile=_as_index(index)).size
        return np.zeros((n, 0, self.size, self.size), dtype)


def default_layers(n: int) -> list[str]:
    """Names for the layers of a mask: "class", then "layer 2" and so on."""
    return ["class", *(f"layer {i + 1}" for i in range(1, n))] if n else []


def _as_index(index: Index) -> slice | np.ndarray:
    if isinstance(index, slice):
        return index
    array = np.atleast_1d(np.asarray(index))
    if array.dtype == bool:
        return np.flatnonzero(array)
    return array.astype(np.int64)
