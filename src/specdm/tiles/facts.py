"""What a tile set says of itself: sizes, names and attributes. Nothing here reads a tile."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from specdm.scenes.classes import Classes
from specdm.scenes.quantities import Quantities
from specdm.tiles.georeference import Place, TilePlaces
from specdm.tiles.layout import TILE_SCORES, TileLayout
from specdm.tiles.tile_coords import as_text


class TileSetFacts:
    """The readable side of `TileSet`, around its `dataset`."""

    dataset: xr.Dataset
    where: str

    def __len__(self) -> int:
        return int(self.dataset.sizes["tile"])

    def __repr__(self) -> str:
        counts = ", ".join(f"{n} {part}" for part, n in zip(*np.unique(self.split, return_counts=True), strict=True))
        labels = [f"{len(self.classes)} classes" if self.classes else "no classes"] if self.layers else []
        labels += [f"{len(self.quantities)} quantities"] if self.quantities else []
        dates = f", {self.n_dates} dates" if self.n_dates > 1 else ""
        grid = f"{self.size} x {self.size} px, {self.n_bands} bands{dates}"
        return f"<TileSet {counts or 'empty'}: {grid}, {', '.join(labels)}>"

    @property
    def layout(self) -> TileLayout:
        """Everything about the set but its tiles."""
        return TileLayout.of(self.dataset)

    @property
    def size(self) -> int:
        """Pixels along a tile."""
        return int(self.dataset.sizes["y"])

    @property
    def n_bands(self) -> int:
        """Bands of all sensors together."""
        return int(self.dataset.sizes["band"])

    @property
    def n_dates(self) -> int:
        return int(self.dataset.sizes["date"])

    @property
    def dates(self) -> tuple[int | str, ...]:
        """Label of each date."""
        return tuple(self.layout.dates)

    @property
    def layers(self) -> tuple[str, ...]:
        """Name of each layer of the masks; empty if there are none."""
        return tuple(self.layout.layers)

    @property
    def quantities(self) -> Quantities | None:
        """What the amounts are; None if there are none."""
        return self.layout.quantities

    @property
    def task(self) -> str:
        """What dates, layers and quantities amount to: one of `specdm.scenes.task.TASKS`."""
        return self.layout.task

    @property
    def date_sensor(self) -> tuple[int, ...] | None:
        """Number of the sensor of each date; None where all dates have all bands."""
        return self.layout.date_sensor  # type: ignore[return-value]

    @property
    def band_sensor(self) -> tuple[int, ...] | None:
        """Number of the sensor of each band; None where all dates have all bands."""
        return self.layout.band_sensor  # type: ignore[return-value]

    def bands_of(self, date: int) -> np.ndarray:
        """Positions of the bands that the date at a position has, int64 `(n,)`, rising."""
        return self.layout.bands_of(date)

    @property
    def split(self) -> np.ndarray:
        """Split of each tile, str `(n,)`."""
        return as_text(self.dataset["split"].values)

    @property
    def scored(self) -> bool:
        """Whether the tiles have scores of reliability, see `TileSet.reliability`."""
        return TILE_SCORES in self.dataset.coords

    @property
    def unlabelled_sources(self) -> tuple[str, ...]:
        """Sources of tiles that are of imagery nobody labelled, beside others; empty if there are none."""
        return tuple(json.loads(self.dataset.attrs.get("unlabelled_sources", "[]")))

    @property
    def annotated(self) -> np.ndarray:
        """Whether somebody labelled the scene of each tile, be it with gaps, bool `(n,)`."""
        others = set(self.unlabelled_sources)
        return np.array([str(source) not in others for source in self.dataset["source"].values], bool)

    @property
    def wavelength(self) -> np.ndarray | None:
        """Band centres in nm, float64 `(band,)`, or None if unknown."""
        return self.layout.wavelength  # type: ignore[return-value]

    @property
    def fwhm(self) -> np.ndarray | None:
        """Band widths in nm, float64 `(band,)`, or None if unknown."""
        return self.layout.fwhm  # type: ignore[return-value]

    @property
    def band_name(self) -> tuple[str, ...]:
        return tuple(str(name) for name in self.dataset["band_name"].values)

    @property
    def classes(self) -> Classes | None:
        """What mask values mean; None if nothing was ever labelled."""
        return self.layout.classes

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

    @property
    def note(self) -> str | None:
        """What must be said wherever the tiles are shown, such as "semi-synthetic"; None if nothing."""
        return self.dataset.attrs.get("note")

    def place(self, position: int) -> Place | None:
        """Where the tile at a position lies; None if nowhere, as drawn tiles, or if its scene has no georeference."""
        return TilePlaces(self.dataset)[position]

    @property
    def citation(self) -> str | None:
        """The work to cite for the data; None if unknown."""
        return self.dataset.attrs.get("citation")

    @property
    def licence(self) -> str | None:
        """Under what terms the source data may be used; None if unknown."""
        return self.dataset.attrs.get("licence")
