"""Several scenes as one: the bands usable in all of them, and one list of classes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from specdm.errors import SceneError
from specdm.scenes.class_union import union_of_classes
from specdm.scenes.classes import Classes
from specdm.scenes.common_bands import common_bands
from specdm.scenes.common_truth import (
    shared_layers,
    shared_quantities,
    shared_sensors,
    unknown_amounts,
    unlabelled_mask,
)
from specdm.scenes.dates import DateLabel, shared_date_labels
from specdm.scenes.quantities import Quantities
from specdm.scenes.scene import Scene
from specdm.scenes.scene_problems import amount_problems, class_problems, difference_problems, image_problems

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from specdm.tiles.tileset import TileSet


class SceneCollection:
    """Scenes of the same bands and classes; iterating gives the scenes. See `SceneCollection.create`."""

    def __init__(self, scenes: Sequence[Scene], *, name: str) -> None:
        """Wrap scenes that already agree; `SceneCollection.create` makes them agree."""
        self.scenes = tuple(scenes)
        self.name = name

    @classmethod
    def create(cls, scenes: Sequence[Scene], *, name: str) -> SceneCollection:
        """Bring scenes to the bands usable in all of them and to one list of classes.

        Bands are matched by wavelength if all scenes have one, else by name, else by position. Classes are
        matched by value. A scene without a mask gets one that is unlabelled throughout if others have a mask,
        one without amounts gets unknown ones if others have amounts; `Scene.annotated` still tells a scene that had
        neither. Each scene keeps the labels of its dates.

        Args:
            scenes: at least one, all with the same number of dates, the same units, sensors and quantities, and
                the same kind of mask: one, one of change, or one a date.
            name: what messages and tiles call the collection.

        Raises:
            SceneError: no scene; scenes of other sensors (the message names the wavelengths that differ), of
                other units or numbers of dates; no band usable in all.
            MaskError: a value that has different names in two scenes; other kinds of masks or quantities.
        """
        scenes = list(scenes)
        if not scenes:
            raise SceneError(f"{name}: no scene given; expected at least one")
        _same("number of dates", [scene.n_dates for scene in scenes], scenes)
        # a scene that states no unit may well have the others'
        _same("unit", [scene.units or "" for scene in scenes], scenes, ignore="")
        shared_sensors(scenes)
        kept = common_bands(scenes)
        classes = union_of_classes(scenes)
        kind, quantities = shared_layers(scenes), shared_quantities(scenes)
        names = _different([scene.name for scene in scenes])
        reference = scenes[0].dataset.isel(band=kept[0])
        return cls(
            [
                _with_truth(_with_bands(scene, bands, reference, names[i]), classes, kind, quantities)
                for i, (scene, bands) in enumerate(zip(scenes, kept, strict=True))
            ],
            name=name,
        )

    def __iter__(self) -> Iterator[Scene]:
        return iter(self.scenes)

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, position: int) -> Scene:
        return self.scenes[position]

    def __repr__(self) -> str:
        dates = f", {self.n_dates} dates" if self.n_dates > 1 else ""
        known = [f"{len(self.classes)} classes"] if self.classes else []
        known += [self.quantities.counted()] if self.quantities else []
        size = f"{len(self)} scenes, {self.n_bands} bands{dates}"
        return f"<SceneCollection {self.name}: {size}, {', '.join(known) or 'no mask'}>"

    @property
    def n_bands(self) -> int:
        return self.scenes[0].n_bands

    @property
    def n_dates(self) -> int:
        return self.scenes[0].n_dates

    @property
    def dates(self) -> tuple[DateLabel, ...]:
        """What the dates are called: as in the scenes if all agree, else "date 1", "date 2" ..."""
        return shared_date_labels([scene.dates for scene in self.scenes])

    @property
    def date_sensor(self) -> np.ndarray | None:
        """Sensor of each date, `(date,)`, or None if there is one sensor."""
        return self.scenes[0].date_sensor

    @property
    def band_sensor(self) -> np.ndarray | None:
        """Sensor of each band, `(band,)`, or None if there is one sensor."""
        return self.scenes[0].band_sensor

    def bands_of(self, date: int) -> np.ndarray:
        """Positions of the bands that the date at this position has, int64: all unless there are two sensors."""
        return self.scenes[0].bands_of(date)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the masks' layers; one a date is named as in `dates`. None without masks."""
        own = self.scenes[0].layers
        of_dates = own == tuple(str(date) for date in self.scenes[0].dates)
        return tuple(str(date) for date in self.dates) if of_dates else own

    @property
    def quantities(self) -> Quantities | None:
        """What the amounts are; None without amounts."""
        return self.scenes[0].quantities

    @property
    def task(self) -> str:
        """What dates, layers and quantities amount to: one of `specdm.scenes.task.TASKS`."""
        return self.scenes[0].task

    @property
    def wavelength(self) -> np.ndarray | None:
        """Band centres in nm, `(band,)`, or None if not every scene states them."""
        return self.scenes[0].wavelength

    @property
    def fwhm(self) -> np.ndarray | None:
        """Band widths in nm, `(band,)`, or None if unknown."""
        return self.scenes[0].fwhm

    @property
    def band_name(self) -> tuple[str, ...]:
        return self.scenes[0].band_name

    @property
    def classes(self) -> Classes | None:
        """All classes of all scenes, by rising value; None without masks."""
        return self.scenes[0].classes

    @property
    def units(self) -> str | None:
        """Unit of the image values, or None if no scene states it."""
        return next((scene.units for scene in self.scenes if scene.units), None)

    @property
    def class_counts(self) -> np.ndarray:
        """Pixels of each class over all scenes, int64 in the order of `classes`."""
        return np.sum([scene.class_counts for scene in self.scenes], axis=0)

    @property
    def official_split(self) -> dict[str, list[str]] | None:
        """The published split: part -> names of its scenes, as `tile(split=...)` takes it; None without one."""
        parts: dict[str, list[str]] = {}
        for scene in self.scenes:
            if "split" in scene.dataset.attrs:
                parts.setdefault(str(scene.dataset.attrs["split"]), []).append(scene.name)
        return parts or None

    @property
    def problems(self) -> list[str]:
        """What a user should know: each line once, with how many scenes it holds for."""
        lines: dict[str, list[str]] = {}
        for scene in self.scenes:
            for line in image_problems(scene):
                lines.setdefault(line, []).append(scene.name)
            if scene.classes is not None and not scene.class_counts.any():
                lines.setdefault("no labelled pixel", []).append(scene.name)
            if scene.quantities is not None and np.isnan(scene.amount_ranges).all():
                lines.setdefault("no pixel with a known amount", []).append(scene.name)
        few = {line: who[0] if len(who) == 1 else f"{len(who)} scenes" for line, who in lines.items()}
        shown = [line if len(lines[line]) == len(self) else f"{few[line]}: {line}" for line in lines]
        # a class that one tile lacks is no problem if another has it
        return list(dict.fromkeys([*shown, *self._truth_problems()]))

    def _truth_problems(self) -> list[str]:
        if self.classes is None and self.quantities is None:
            return class_problems(None, np.zeros(0, np.int64))
        lines = [] if self.classes is None else class_problems(self.classes, self.class_counts)
        differing = [scene.differing for scene in self.scenes if scene.differing is not None]
        if differing:
            lines += difference_problems(sum(d[0] for d in differing), sum(d[1] for d in differing))
        if self.quantities is not None:
            ranges = np.stack([scene.amount_ranges for scene in self.scenes])
            low, high = np.fmin.reduce(ranges[..., 0]), np.fmax.reduce(ranges[..., 1])
            lines += amount_problems(self.quantities.names, np.stack([low, high], axis=1))
        return lines

    def plot(self, path: str | Path | None = None) -> Figure:
        """False colour and masks of the first six scenes; also written to `path` if given."""
        from specdm.scenes.plot import save_figure
        from specdm.scenes.scene_figure import plot_scenes

        figure = plot_scenes(self.scenes, name=self.name)
        if path is not None:
            save_figure(figure, path)
        return figure

    def tile(self, **options: Any) -> TileSet:
        """Cut all scenes into one tile set; options as in `specdm.tiles.tiling.tile_scenes`."""
        # as in Scene.tile, the one reach upwards in the house
        from specdm.tiles.tiling import tile_scenes

        return tile_scenes(list(self.scenes), **options)


def _with_bands(scene: Scene, bands: list[int], reference: xr.Dataset, name: str) -> Scene:
    """The scene with these bands, the first scene's band coordinates, and its name in the collection."""
    dataset = scene.dataset
    if bands != list(range(scene.n_bands)):
        dropped = sorted(set(range(scene.n_bands)) - set(bands))
        left_out = [{"band": scene.band_name[i], "reason": "not usable in every scene"} for i in dropped]
        dataset = dataset.isel(band=bands)
        dataset.attrs = {**dataset.attrs, "left_out_bands": json.dumps([*scene.left_out, *left_out])}
    per_band = ("wavelength", "fwhm", "band_name")
    dataset = dataset.drop_vars([key for key in per_band if key in dataset.coords])
    # bare: with its own coordinates each would bring along where the first scene lies
    dataset = dataset.assign_coords({key: reference[key].variable for key in per_band if key in reference.coords})
    dataset.attrs = {**dataset.attrs, "name": name}
    return Scene(dataset)


def _with_truth(
    scene: Scene, classes: Classes | None, kind: str | None, quantities: Quantities | None
) -> Scene:
    """The scene with a mask of these classes and these quantities, unknown where it has none of its own."""
    dataset = scene.dataset
    if classes is not None:
        mask = dataset["mask"].copy(deep=False) if "mask" in dataset else unlabelled_mask(scene, kind)
        mask.attrs = classes.to_attrs()
        dataset = dataset.assign(mask=mask)
    if quantities is not None and "amount" not in dataset:
        dataset = dataset.assign(amount=unknown_amounts(scene, quantities))
    if not scene.annotated and (classes is not None or quantities is not None):
        dataset.attrs = {**dataset.attrs, "unlabelled_imagery": True}
    return Scene(dataset)


def _different(names: Sequence[str]) -> list[str]:
    """The names, with a number behind each that came before."""
    seen: dict[str, int] = {}
    different = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        different.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return different


def _same(what: str, values: Sequence[Any], scenes: Sequence[Scene], ignore: Any = None) -> None:
    stated = [(value, scene.name) for value, scene in zip(values, scenes, strict=True) if value != ignore]
    for value, name in stated:
        if value != stated[0][0]:
            raise SceneError(
                f"{name} has {what} {value}, {stated[0][1]} has {stated[0][0]}; "
                "scenes used together must agree, open them apart"
            )
