"""One place as acquired: image, mask, wavelengths and names on one grid."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from specdm.errors import MaskError, SceneError
from specdm.scenes.band_names import default_band_names
from specdm.scenes.checks import checked_band_numbers, checked_image, checked_mask, checked_split_map
from specdm.scenes.classes import Classes
from specdm.scenes.dates import checked_date_labels, checked_sensors, date_labels
from specdm.scenes.quantities import Quantities
from specdm.scenes.scene_amounts import checked_amounts
from specdm.scenes.scene_attributes import SceneAttributes
from specdm.scenes.scene_problems import scene_problems

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from specdm.tiles.tileset import TileSet


class Scene(SceneAttributes):
    """Image, what is known about each pixel, and what is known about both, around one `xarray.Dataset`.

    Attributes:
        dataset: variables
            `image (date, band, y, x)` float32 in the user's units, NaN where there is no data;
            `mask (layer, y, x)` int16 class values, -1 where unlabelled, if there is a mask;
            `amount (quantity, y, x)` float32, NaN where unknown, if there is a continuous mask;
            `split_map (y, x)` int8, 0 nothing, 1 train, 2 test, if one was given.
            Coordinates `wavelength` and `fwhm` (nm, absent if unknown), `band_name`, `date` (text or whole
            numbers), `layer`, `quantity`, and `x`, `y`, `spatial_ref` if georeferenced.

            *Layers.* "class" is one mask; "change" is one mask whose classes say what happened between the
            dates; else there is one layer a date, named after it. All share one `Classes`.
            *Two sensors.* `date_sensor (date)` and `band_sensor (band)` say which bands a date has: the band
            axis lists the bands of one sensor after those of the other, and `image` is NaN where a date has
            not that band. Both are absent when there is one sensor.
            *Attributes.* `note` says what must be known wherever the scene is shown, such as "simulated".
            Image, mask and amounts may be lazy (dask).
    """

    @classmethod
    def create(
        cls,
        *,
        image: xr.DataArray,
        mask: xr.DataArray | None = None,
        classes: Classes | None = None,
        amounts: xr.DataArray | None = None,
        quantities: Quantities | None = None,
        date_sensor: Sequence[int] | np.ndarray | None = None,
        band_sensor: Sequence[int] | np.ndarray | None = None,
        wavelength: np.ndarray | Sequence[float] | None = None,
        fwhm: np.ndarray | Sequence[float] | None = None,
        band_name: Sequence[str] | None = None,
        name: str,
        sources: Sequence[str | Path] = (),
        left_out: Sequence[Mapping[str, Any]] = (),
        units: str | None = None,
        split_map: xr.DataArray | np.ndarray | None = None,
        problems: Sequence[str] = (),
        note: str | None = None,
    ) -> Scene:
        """Check the parts and put them together.

        Args:
            image: `(date, band, y, x)`, any real number type; infinite values become NaN (no data). Its
                coordinate `date` holds the dates' labels (default 0, 1 ...).
            mask: `(layer, y, x)` whole numbers: class values, `UNLABELLED` where there is no class.
            classes: what the mask's values mean; without it every value found is a class with a default name.
            amounts: `(quantity, y, x)` continuous mask; NaN or infinite where unknown.
            quantities: what the amounts are; without it free values named by the coordinate `quantity`.
            date_sensor: sensor of each date, `(date,)`, where there are two sensors on the grid.
            band_sensor: sensor of each band, `(band,)`; what a date has in another sensor's bands becomes NaN.
            wavelength: band centres in nm, `(band,)`; None if unknown.
            fwhm: widths in nm, `(band,)`; None if unknown.
            band_name: one name a band; default "band 1", "band 2" ...
            name: what messages and tiles call the scene.
            sources: the files it came from.
            left_out: bands that were not taken, as `{"band": ..., "reason": ...}`.
            units: unit of the image's values.
            split_map: `(y, x)`, 0 nothing, 1 train, 2 test.
            problems: further remarks for `Scene.problems`.
            note: what must be said wherever the scene is shown, such as "semi-synthetic".

        Raises:
            SceneError: the image has the wrong shape or no valid pixel, bands and numbers do not match, two
                dates have one label, or dates and bands are of different sensors.
            MaskError: mask or amounts have another size than the image; the mask is float or holds a value
                without a class; the amounts are not what the quantities say.
        """
        values, remarks = checked_image(image, name=name)
        n_bands = values.sizes["band"]
        grid = (values.sizes["y"], values.sizes["x"])
        keep = {"spatial_ref", "x", "y"}
        dataset = xr.Dataset({"image": values}).drop_vars(
            [coord for coord in values.coords if coord not in keep | {"date"}]
        )
        labels_given = values["date"].values if "date" in values.coords else np.arange(values.sizes["date"])
        dataset = dataset.assign_coords(date=checked_date_labels(labels_given, name=name))
        sensors = checked_sensors(
            date_sensor, band_sensor, n_dates=values.sizes["date"], n_bands=n_bands, name=name
        )
        if sensors is not None:
            dataset = dataset.assign_coords(date_sensor=("date", sensors[0]), band_sensor=("band", sensors[1]))
            dataset["image"] = values.where(dataset["date_sensor"] == dataset["band_sensor"])
        if units:
            dataset["image"].attrs["units"] = units

        for key, given in (("wavelength", wavelength), ("fwhm", fwhm)):
            if given is not None:
                numbers = checked_band_numbers(given, what=key, n_bands=n_bands, name=name)
                dataset = dataset.assign_coords({key: ("band", numbers, {"units": "nm"})})
        names = default_band_names(n_bands) if band_name is None else [str(b) for b in band_name]
        if len(names) != n_bands:
            raise SceneError(f"{name}: {len(names)} band names for {n_bands} bands; give one a band")
        dataset = dataset.assign_coords(band_name=("band", np.array(names, dtype=str)))

        if mask is not None:
            dates = date_labels(dataset["date"].values)
            labels, classes = checked_mask(mask, classes, dates=dates, grid=grid, name=name)
            labels.attrs = classes.to_attrs()
            dataset["mask"] = labels
        elif classes is not None:
            raise MaskError(f"{name}: classes are given but no mask; give the mask too")
        if amounts is not None:
            dataset["amount"], _ = checked_amounts(amounts, quantities, grid=grid, name=name)
        elif quantities is not None:
            raise MaskError(f"{name}: quantities are given but no amounts; give the amounts too")
        if split_map is not None:
            dataset["split_map"] = checked_split_map(split_map, grid=grid, name=name)

        dataset.attrs = {
            "name": str(name),
            "sources": [str(source) for source in sources],
            "left_out_bands": json.dumps([dict(entry) for entry in left_out], default=_plain),
            "problems": [*problems, *remarks],
            **({"note": str(note)} if note else {}),
        }
        return cls(dataset)

    @property
    def problems(self) -> list[str]:
        """What a user should know before training: one line each, empty if all is well."""
        return scene_problems(self)

    def describe(self) -> list[str]:
        """What the scene holds, for people: one line a fact."""
        from specdm.scenes.scene_facts import scene_facts

        return scene_facts(self)

    def __repr__(self) -> str:
        wavelength = self.wavelength
        span = "" if wavelength is None else f", {wavelength.min():.0f}-{wavelength.max():.0f} nm"
        dates = f", {self.n_dates} dates" if self.n_dates > 1 else ""
        known = [f"{len(self.classes)} classes"] if self.classes else []
        known += [self.quantities.counted()] if self.quantities else []
        grid = f"{self.height} x {self.width} px, {self.n_bands} bands"
        return f"<Scene {self.name}: {grid}{span}{dates}, {', '.join(known) or 'no mask'}>"

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
        part = self._part(y, x, height, width)
        mask = np.array(part["mask"].values) if "mask" in part else None
        return np.array(part["image"].values, np.float32), mask

    def amount_window(self, y: int, x: int, height: int, width: int) -> np.ndarray | None:
        """Load the amounts of one window: float32 `(quantity, height, width)`, NaN where unknown; None without.

        Raises:
            SceneError: the window is empty or reaches beyond the scene.
        """
        part = self._part(y, x, height, width)
        return np.array(part["amount"].values, np.float32) if "amount" in part else None

    def _part(self, y: int, x: int, height: int, width: int) -> xr.Dataset:
        inside = min(y, x) >= 0 and y + height <= self.height and x + width <= self.width
        if not inside or min(height, width) < 1:
            raise SceneError(
                f"{self.name}: window of {height} x {width} px at row {y}, column {x} does not lie within "
                f"{self.height} x {self.width} px"
            )
        return self.dataset.isel(y=slice(y, y + height), x=slice(x, x + width))

    def plot(self, path: str | Path | None = None) -> Figure:
        """Every date, what is known about each pixel, and mean spectra; also written to `path` if given."""
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


def _plain(value: Any) -> Any:
    """JSON for numpy numbers."""
    return value.item() if isinstance(value, np.generic) else str(value)
