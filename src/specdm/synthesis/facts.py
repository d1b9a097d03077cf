"""What the tiles of a model are like: all that a tile set needs beside its values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from specdm.errors import ModelError
from specdm.models.pixels import Pixels
from specdm.scenes.classes import Classes
from specdm.scenes.quantities import Quantities
from specdm.synthesis.known_parts import KnownParts
from specdm.tiles.georeference import GEOREFERENCE, completed_ground
from specdm.tiles.layout import TileLayout, new_attrs
from specdm.tiles.tileset import TileSet
from specdm.training.compositions import part_names

KEPT_ATTRS = ("note", "citation", "licence")
"""Attributes of training tiles that hold for synthetic ones too."""


@dataclass(frozen=True)
class TileFacts:
    """Layout of a model's tiles, as plain values.

    Attributes:
        size: pixels along a tile.
        classes, quantities: what masks mean; None without a mask of that kind.
        dates, layers: labels.
        wavelength, fwhm: nm, or None if unknown.
        band_name: one name a band.
        band_sensor, date_sensor: sensor of each band and date; None with one sensor.
        image_units: unit of image values, or None.
        parts: names of the parts of a composition by group, see `specdm.training.compositions`.
        attrs: further attributes for synthetic tile sets.
        provenance: where the training tiles came from.
    """

    size: int
    classes: Classes | None
    quantities: Quantities | None
    dates: list[Any]
    layers: list[str]
    wavelength: list[float] | None
    fwhm: list[float] | None
    band_name: list[str]
    band_sensor: list[int] | None
    date_sensor: list[int] | None
    image_units: str | None
    parts: list[list[str]]
    attrs: dict[str, Any]
    provenance: dict[str, Any]

    @classmethod
    def of(cls, tiles: TileSet) -> TileFacts:
        layout = TileLayout.of(tiles.dataset)
        if layout.classes is None and layout.quantities is None:
            raise ModelError(f"{tiles.where}: tiles without classes or amounts cannot make a model")
        return cls(
            size=layout.size,
            classes=layout.classes,
            quantities=layout.quantities,
            dates=[date.item() if isinstance(date, np.generic) else date for date in layout.dates],
            layers=list(layout.layers),
            wavelength=_plain(layout.wavelength, float),
            fwhm=_plain(layout.fwhm, float),
            band_name=[str(name) for name in layout.band_name or ()],
            band_sensor=_plain(layout.band_sensor, int),
            date_sensor=_plain(layout.date_sensor, int),
            image_units=layout.image_units,
            parts=part_names(tiles),
            attrs={key: layout.attrs[key] for key in KEPT_ATTRS if key in layout.attrs},
            provenance=tiles.provenance,
        )

    @property
    def words(self) -> str:
        """What the tiles are, in a line."""
        dates = f", {len(self.dates)} dates" if len(self.dates) > 1 else ""
        labels = [f"{len(self.classes)} classes"] if self.classes is not None else []
        labels += [f"{len(self.quantities)} quantities"] if self.quantities is not None else []
        return f"tiles of {self.size} x {self.size} px, {len(self.band_name)} bands{dates}, {', '.join(labels)}"

    def to_dict(self) -> dict[str, Any]:
        record = dict(self.__dict__)
        record["classes"] = None if self.classes is None else _legend(self.classes, ("values", "names", "colors"))
        record["quantities"] = (
            None if self.quantities is None else _legend(self.quantities, ("names", "units", "sum_to_one"))
        )
        return record

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> TileFacts:
        legend, amounts = record["classes"], record["quantities"]
        classes = None if legend is None else Classes.create(legend["values"], legend["names"], legend["colors"])
        quantities = (
            None
            if amounts is None
            else Quantities.create(amounts["names"], units=amounts["units"], sum_to_one=amounts["sum_to_one"])
        )
        return cls(**{**record, "classes": classes, "quantities": quantities})

    def difference(self, tiles: TileSet, *, image: bool = True, mask: bool = True) -> str | None:
        """In what a tile set differs from the model's own tiles, in words; None if in nothing.

        Args:
            tiles: any tile set.
            image, mask: whether its images, and its masks, have to be alike.
        """
        layout = TileLayout.of(tiles.dataset)
        if image:
            if len(layout.dates) != len(self.dates):
                return f"images of {len(layout.dates)} dates, expected {len(self.dates)}, as the model has"
            bands = [str(name) for name in layout.band_name or ()]
            if (found := band_difference(bands, layout.wavelength, self.band_name, self.wavelength)) is not None:
                return found
        if mask:
            return self._mask_difference(layout)
        return None

    def _mask_difference(self, layout: TileLayout) -> str | None:
        if list(layout.layers) != self.layers:
            return f"mask layers {', '.join(layout.layers) or 'none'}, expected {', '.join(self.layers) or 'none'}"
        if layout.classes != self.classes and self.layers:
            mine, theirs = (set(c.names) if c is not None else set() for c in (self.classes, layout.classes))
            if more := sorted(theirs - mine):
                return f"classes that the model does not know: {', '.join(more)}; it knows {', '.join(sorted(mine))}"
            return (
                f"its classes {', '.join(sorted(theirs)) or 'none'} differ from the model's, in number or values: "
                f"{', '.join(sorted(mine))}"
            )
        if layout.quantities != self.quantities:
            both = (self.quantities, layout.quantities)
            wanted, found = (", ".join(q.names) if q is not None else "none" for q in both)
            return f"quantities {found}, expected {wanted}"
        return None

    def tile_set(
        self,
        pixels: Pixels,
        *,
        source: str,
        seed: int,
        index: np.ndarray,
        given: TileSet | None = None,
        known: KnownParts | None = None,
    ) -> TileSet:
        """Synthetic tiles of this layout.

        Args:
            pixels: the tiles, on the CPU.
            source: id of the model.
            seed, index: what they were drawn from.
            given: tiles that they complete.
            known: what of these was known.
        """
        drawn = TileSet.from_arrays(
            images=pixels.images.numpy().astype(np.float32),
            masks=self.masks_of(pixels) if self.layers else None,
            classes=self.classes,
            amounts=None if self.quantities is None else pixels.amounts.numpy().astype(np.float32),
            quantities=self.quantities,
            wavelength=self.wavelength,
            fwhm=self.fwhm,
            band_name=self.band_name,
            band_sensor=self.band_sensor,
            date_sensor=self.date_sensor,
            dates=self.dates,
            layers=self.layers,
            split="synthetic",
            source=source,
            seed=np.full(len(pixels), seed),
            index=index,
            image_units=self.image_units,
            attrs=self.drawn_attrs(source=source, given=given, known=known),
        )
        if given is None:
            return drawn
        ground = completed_ground(given.dataset, index % len(given))
        coords = {key: ("tile", values) for key, values in ground.items()}
        return TileSet(drawn.dataset.assign_coords(coords), where=drawn.where)

    def layout(self, attrs: Mapping[str, Any]) -> TileLayout:
        """The layout of a tile set of the model, with these attributes of `new_attrs`."""
        return TileLayout(
            size=self.size,
            n_bands=len(self.band_name),
            classes=self.classes,
            wavelength=self.wavelength,
            fwhm=self.fwhm,
            band_name=self.band_name,
            dates=self.dates,
            layers=self.layers,
            quantities=self.quantities,
            date_sensor=self.date_sensor,
            band_sensor=self.band_sensor,
            image_units=self.image_units,
            attrs=new_attrs(attrs=attrs),
        )

    def drawn_attrs(
        self, *, source: str, given: TileSet | None = None, known: KnownParts | None = None
    ) -> dict[str, Any]:
        """Attributes of synthetic tiles of a model; `given` are tiles that they complete, where those lie, and `known`
        what of them was.
        """
        completes = {} if given is None else {"completes": given.where, **(known or KnownParts()).record()}
        there = {} if given is None else given.dataset.attrs
        place = {GEOREFERENCE: there[GEOREFERENCE]} if GEOREFERENCE in there else {}
        return {**self.attrs, **place, "provenance": {"model": source, "trained_on": self.provenance, **completes}}

    def masks_of(self, pixels: Pixels) -> np.ndarray:
        """Class values `(n, layer, y, x)`, int16."""
        positions = pixels.positions.cpu().numpy()
        return positions.astype(np.int16) if self.classes is None else self.classes.values_of(positions)


NEAR_NM = 2.0
"""Band centres nearer than this are the same band."""


def band_difference(
    names: Sequence[str],
    wavelength: Sequence[float] | np.ndarray | None,
    expected_names: Sequence[str],
    expected_wavelength: Sequence[float] | np.ndarray | None,
) -> str | None:
    """In what bands differ from those expected, in words; None if in nothing.

    Wavelengths decide where both sides have them, names elsewhere.
    """
    if len(names) != len(expected_names):
        return f"images of {len(names)} bands, expected {len(expected_names)}"
    if wavelength is not None and expected_wavelength is not None:
        off = np.abs(np.asarray(wavelength) - np.asarray(expected_wavelength)) > NEAR_NM
        if off.any():
            first = int(np.flatnonzero(off)[0])
            return (
                f"{int(off.sum())} of {len(names)} bands are centred elsewhere, the first is band "
                f"{first} at {np.asarray(wavelength)[first]:.1f} nm, expected {expected_wavelength[first]:.1f} nm"
            )
        return None
    if list(names) != list(expected_names):
        first = next(i for i, pair in enumerate(zip(names, expected_names, strict=True)) if pair[0] != pair[1])
        return f"bands differ: band {first} is {names[first]}, expected {expected_names[first]}"
    return None


def _plain(values: Any, kind: type) -> list[Any] | None:
    return None if values is None else [kind(value) for value in values]


def _legend(part: Any, keys: tuple[str, ...]) -> dict[str, Any]:
    record = {key: getattr(part, key) for key in keys}
    return {key: list(value) if isinstance(value, tuple) else value for key, value in record.items()}
