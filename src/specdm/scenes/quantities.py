"""What a continuous mask holds: named quantities with their units, free or parts of a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from specdm.errors import MaskError

SUM_TOLERANCE = 0.02
"""How far abundances may be from summing to one before they are refused; rounding in files is far below."""


@dataclass(frozen=True)
class Quantities:
    """The quantities of a continuous mask, in order. Make one with `Quantities.create`, which checks.

    Attributes:
        names: one a quantity, all different, such as "tree" or "canopy height".
        units: one a quantity; "" if it has none or none is known.
        sum_to_one: whether they are abundances: parts of a pixel, none negative, summing to one.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    sum_to_one: bool = False

    @classmethod
    def create(
        cls, names: Sequence[str], *, units: Sequence[str] | str | None = None, sum_to_one: bool = False
    ) -> Quantities:
        """Checked quantities.

        Args:
            names: one a quantity.
            units: one a quantity, or one for all; default none.
            sum_to_one: whether they are abundances.

        Raises:
            MaskError: no quantity, a name twice, another number of units, one single abundance, or abundances
                with a unit.
        """
        names = tuple(" ".join(str(name).split()) for name in names)
        if not names:
            raise MaskError("a continuous mask needs at least one quantity")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise MaskError(f"quantities must have different names; given more than once: {', '.join(twice)}")
        if units is None or isinstance(units, str):
            units = [units or ""] * len(names)
        if len(units) != len(names):
            raise MaskError(f"{len(units)} units for {len(names)} quantities ({', '.join(names)}); give one each")
        if sum_to_one and len(names) < 2:
            raise MaskError(f"a single abundance ({names[0]}) that sums to one is 1 everywhere; expected two or more")
        if sum_to_one and any(units):
            raise MaskError("abundances that sum to one are parts of a pixel and have no unit; leave the units out")
        return cls(names, tuple(str(unit) for unit in units), bool(sum_to_one))

    def __len__(self) -> int:
        return len(self.names)

    def counted(self) -> str:
        """How many there are, in words: "1 quantity", "4 quantities"."""
        return f"{len(self)} {'quantity' if len(self) == 1 else 'quantities'}"

    def label(self, position: int) -> str:
        """Name with unit, for axes and tables."""
        unit = self.units[position]
        return f"{self.names[position]} ({unit})" if unit else self.names[position]

    def check(self, amounts: np.ndarray, *, where: str) -> None:
        """Make sure that values are what the quantities say.

        Args:
            amounts: `(..., quantity, y, x)`, NaN where unknown.
            where: what messages call them.

        Raises:
            MaskError: another number of quantities; abundances below zero or that do not sum to one.
        """
        if amounts.shape[-3] != len(self):
            raise MaskError(
                f"{where}: has {amounts.shape[-3]} layers for {len(self)} quantities ({', '.join(self.names)}); "
                "expected one each"
            )
        if not self.sum_to_one or not np.isfinite(amounts).any():
            return
        least = float(np.nanmin(amounts))
        if least < -SUM_TOLERANCE:
            raise MaskError(f"{where}: holds an abundance of {least:.4g}; abundances are 0 or above")
        sums = amounts.sum(axis=-3, dtype=np.float64)
        off = np.abs(sums - 1.0)
        if np.nanmax(off, initial=0.0) > SUM_TOLERANCE:
            worst = float(sums.ravel()[np.nanargmax(off)])
            count = int((off > SUM_TOLERANCE).sum())
            raise MaskError(
                f"{where}: abundances do not sum to one: in {count} pixels they are off by more than "
                f"{SUM_TOLERANCE}, at worst {worst:.4g}; divide them by their sum, add the material that is missing, "
                'or say mask_kind="continuous" if they are free values'
            )

    def to_attrs(self) -> dict[str, Any]:
        """Attributes of the variable `amount`, JSON-ready."""
        return {
            "quantity_names": list(self.names),
            "quantity_units": list(self.units),
            "sum_to_one": int(self.sum_to_one),
        }

    @classmethod
    def from_attrs(cls, attrs: Mapping[str, Any]) -> Quantities:
        """What `to_attrs` wrote.

        Raises:
            MaskError: there are no quantity names.
        """
        if "quantity_names" not in attrs:
            raise MaskError("the continuous mask has no attribute quantity_names, so its quantities are unknown")
        # files hand a list of one text back as the text alone
        keys = ("quantity_names", "quantity_units")
        names, units = ([str(value) for value in np.atleast_1d(attrs.get(key, ""))] for key in keys)
        return cls.create(names, units=units, sum_to_one=bool(attrs.get("sum_to_one", 0)))
