"""One place as acquired: image, mask, wavelengths and names on one grid."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from specdm.errors import MaskError, SceneError
from specdm.scenes.checks import checked_band_numbers, checked_image, checked_mask, checked_split_map, strips
from specdm.scenes.classes import Classes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from specdm.tiles.tileset import TileSet


class Scene:
    """Image, mask and what is known about both, around one `xarray.Dataset`.

    Attributes:
        dataset: variables `image (date, band, y, x)` float32 in the user's units, NaN where there is no data;
            `mask (layer, y, x)` int16 class values, -1 where unlabelled, if there is a mask;
            `split_map (y, x)` int8, 0 nothing, 1 train, 2 test, if one was given. Coordinates `wavelength`
            and `fwhm` (nm, absent if unknown), `band_name`, `date`, `layer`, and `x`, `y`, `spatial_ref`
            if georeferenced. The image, and the mask, may be lazy (dask).
    """

    def __init__(self, dataset: xr.Dataset) -> None:
        """Wrap a dataset that is already as described; to build one from arrays use `Scene.create`."""
        self.dataset = dataset

    @classmethod
    def create(
        cls,
        *,
        image: xr.DataArray,
        mask: xr.DataArray | None = None,
        classes: Classes | None = None,
        wavelength: np.ndarray | Sequence[float] | None = None,
        fwhm: np.ndarray | Sequence[float] | None = None,
        band_name: Sequence[str] | None = None,
        name: str,
        sources: Sequence[str | Path] = (),
        left_out: Sequence[Mapping[str, Any]] = (),
        units: str | None = None,
        split_map: xr.DataArray | np.ndarray | None = None,
        problems: Sequence[str] = (),
    ) -> Scene:
        """Check the parts and put them together.

        Args:
            image: `(date, band, y, x)`, any real number type; infinite values become NaN (no data).
            mask: `(layer, y, x)` whole numbers: class values, `UNLABELLED` where there is no class.
            classes: what the mask's values mean; without it every value found is a class with a default name.
            wavelength: band centres in nm, `(band,)`; None if unknown.
            fwhm: widths in nm, `(band,)`; None if unknown.
            band_name: one name a band; default "band 1", "band 2" ...
            name: what messages and tiles call the scene.
            sources: the files it came from.
            left_out: bands that were not taken, as `{"band": ..., "reason": ...}`.
            units: unit of the image's values.
            split_map: `(y, x)`, 0 nothing, 1 train, 2 test.
            problems: further remarks for `Scene.problems`.

        Raises:
            SceneError: the image has the wrong shape or no valid pixel, or bands and numbers do not match.
            MaskError: the mask has another size than the image, is float, or holds a value without a class.
        """
        values, remarks = checked_image(image, name=name)
        n_bands = values.sizes["band"]
        grid = (values.sizes["y"], values.sizes["x"])
        keep = {"spatial_ref", "x", "y"}
        dataset = xr.Dataset({"image": values}).drop_vars(
            [coord for coord in values.coords if coord not in keep | {"date"}]
        )
        if "date" not in dataset.coords:
            dataset = dataset.assign_coords(date=np.arange(values.sizes["date"]))
        if units:
            dataset["image"].attrs["units"] = units

        for key, given in (("wavelength", wavelength), ("fwhm", fwhm)):
            if given is not None:
                numbers = checked_band_numbers(given, what=key, n_bands=n_bands, name=name)
                dataset = dataset.assign_coords({key: ("band", numbers, {"units": "nm"})})
        names = (
            [f"band {i + 1}" for i in range(n_bands)] if band_name is None else [str(b) for b in band_name]
        )
        if len(names) != n_bands:
            raise SceneError(f"{name}: {len(names)} band names for {n_bands} bands; give one a band")
        dataset = dataset.assign_coords(band_name=("band", np.array(names, dtype=str)))

        if mask is not None:
            labels, classes = checked_mask(mask, classes, grid=grid, name=name)
            labels.attrs = classes.to_attrs()
            dataset["mask"] = labels
        elif classes is not None:
            raise MaskError(f"{name}: classes are given but no mask; give the mask too")
        if split_map is not None:
            dataset["split_map"] = checked_split_map(split_map, grid=grid, name=name)

        dataset.attrs = {
            "name": str(name),
            "sources": [str(source) for source in sources],
            "left_out_bands": json.dumps([dict(entry) for entry in left_out], default=_plain),
            "problems": [*problems, *remarks],
        }
        return cls(dataset)

    # -- what it is ------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        return str(self.dataset.attrs["name"])

    @property
    def height(self) -> int:
        """Rows, in pixels."""
        return int(self.dataset.sizes["y"])

    @property
    def width(self) -> int:
        """Columns, in pixels."""
        return int(self.dataset.sizes["x"])

    @property
    def n_bands(self) -> int:
        return int(self.dataset.sizes["band"])

    @property
    def n_dates(self) -> int:
        return int(self.dataset.sizes["date"])

    @property
    def wavelength(self) -> np.ndarray | None:
        """Band centres in nm, float64 `(band,)`, or None if unknown. Not always rising: sensors overlap."""
        return self._band_numbers("wavelength")

    @property
    def fwhm(self) -> np.ndarray | None:
        """Band widths (full width at half maximum) in nm, float64 `(band,)`, or None if unknown."""
        return self._band_numbers("fwhm")

    @property
    def band_name(self) -> tuple[str, ...]:
        return tuple(str(name) for name in self.dataset["band_name"].values)

    @property
    def units(self) -> str | None:
        """Unit of the image's values, or None if unknown."""
        return self.dataset["image"].attrs.get("units")

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(self.dataset.attrs.get("sources", ()))

    @cached_property
    def classes(self) -> Classes | None:
        """What the mask's values mean, or None without a mask."""
        return Classes.from_attrs(self.dataset["mask"].attrs) if "mask" in self.dataset else None

    @property
    def split_map(self) -> np.ndarray | None:
        """Given train/test map `(y, x)` int8: 0 nothing, 1 train, 2 test; None if none was given."""
        return self.dataset["split_map"].values if "split_map" in self.dataset else None

    @property
    def left_out(self) -> list[dict[str, Any]]:
        """Bands that were not taken: `{"band": ..., "reason": ...}`."""
        return json.loads(self.dataset.attrs.get("left_out_bands", "[]"))

    @cached_property
    def class_counts(self) -> np.ndarray:
        """Pixels of each class, int64 in the order of `classes`, over all layers; empty without a mask."""
        classes = self.classes
        counts = np.zeros(len(classes) if classes else 0, np.int64)
        if classes is not None:
            for part in strips(self.dataset["mask"]):
                index = classes.index_of(part)
                counts += np.bincount(index[index >= 0], minlength=len(classes))
        return counts

    @property
    def problems(self) -> list[str]:
        """What a user should know before training: one line each, empty if all is well."""
        return [*self.image_problems, *class_problems(self.classes, self.class_counts)]

    @property
    def image_problems(self) -> list[str]:
        """The part of `problems` that does not concern the mask."""
        lines = list(self.dataset.attrs.get("problems", ()))
        reasons: dict[str, list[str]] = {}
        for entry in self.left_out:
            reasons.setdefault(str(entry.get("reason", "")), []).append(str(entry.get("band", "")))
        for reason, bands in reasons.items():
            lines.append(f"{_count(bands, 'band')} left out, {reason}: {_few(bands)}")
        if self.wavelength is None:
            lines.append("no wavelengths; give them for false-colour pictures and spectra in nm")
        return lines

    def __repr__(self) -> str:
        wavelength = self.wavelength
        span = "" if wavelength is None else f", {wavelength.min():.0f}-{wavelength.max():.0f} nm"
        dates = f", {self.n_dates} dates" if self.n_dates > 1 else ""
        classes = f", {len(self.classes)} classes" if self.classes else ", no mask"
        grid = f"{self.height} x {self.width} px, {self.n_bands} bands"
        return f"<Scene {self.name}: {grid}{span}{dates}{classes}>"

    # -- what it does ----------------------------------------------------------------------------------------

    def window(self, y: int, x: int, height: int, width: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Load one window and nothing else.

        Args:
            y, x: first row and column.
            height, width: rows and columns.

        Returns:
            image float32 `(date, band, height, width)`, NaN where no data; mask int16
            `(layer, height, width)` or None.

        Raises:
            SceneError: the window is empty or reaches beyond the scene.
        """
        inside = min(y, x) >= 0 and y + height <= self.height and x + width <= self.width
        if not inside or min(height, width) < 1:
            raise SceneError(
                f"{self.name}: window of {height} x {width} px at row {y}, column {x} does not lie within "
                f"{self.height} x {self.width} px"
            )
        part = self.dataset.isel(y=slice(y, y + height), x=slice(x, x + width))
        mask = np.array(part["mask"].values) if "mask" in part else None
        return np.array(part["image"].values, np.float32), mask

    def plot(self, path: str | Path | None = None) -> Figure:
        """False colour, mask with legend, and class-mean spectra; also written to `path` if given."""
        from specdm.scenes.plot import save_figure
        from specdm.scenes.scene_figure import plot_scene

        figure = plot_scene(self)
        if path is not None:
            save_figure(figure, path)
        return figure

    def tile(self, **options: Any) -> TileSet:
        """Cut into tiles; options as in `specdm.tiles.tiling.tile_scenes`."""
        # the one reach upwards in the house, so that code reads in the order of the work: scene.tile(...)
        from specdm.tiles.tiling import tile_scenes

        return tile_scenes([self], **options)

    def _band_numbers(self, key: str) -> np.ndarray | None:
        return np.asarray(self.dataset[key].values, np.float64) if key in self.dataset.coords else None


def class_problems(classes: Classes | None, counts: np.ndarray) -> list[str]:
    """What a user should know about a mask of which `counts` gives the pixels of each class."""
    if classes is None:
        return ["no mask"]
    missing = [name for name, count in zip(classes.names, counts, strict=True) if not count]
    if len(missing) == len(classes):
        return ["no labelled pixel"]
    lines = ["only one class has labelled pixels"] if len(missing) == len(classes) - 1 else []
    if missing:
        lines.append(f"{_count(missing, 'class')} without a labelled pixel: {_few(missing)}")
    return lines


def _plain(value: Any) -> Any:
    """JSON for numpy numbers."""
    return value.item() if isinstance(value, np.generic) else str(value)


def _count(items: Sequence[str], noun: str) -> str:
    plural = noun + ("es" if noun.endswith("s") else "s")
    return f"{len(items)} {noun if len(items) == 1 else plural}"


def _few(items: Sequence[str]) -> str:
    return ", ".join(items[:12]) + (f" and {len(items) - 12} more" if len(items) > 12 else "")
