"""What a mask's values mean: the classes of a scene, their names and colours."""

from __future__ import annotations

import colorsys
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from specdm.errors import MaskError

UNLABELLED = -1
"""Mask value of a pixel without class. Never written as `_FillValue`: xarray would make the mask float."""

MASK_DTYPE = np.dtype(np.int16)

# Okabe and Ito's colours first, then those farthest (CIE 1976 Lab) from all before them, from white, black
# and the grey of unlabelled pixels, for normal, protanope and deuteranope eyes alike (Machado et al. 2009).
PALETTE = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#0f0fff", "#692d0f",
    "#2d1ea5", "#5aff96", "#5a1e5a", "#0f78ff", "#e10f4b", "#f0965a", "#870f3c", "#96d2a5", "#3c2d87",
    "#8796ff", "#f0d2ff", "#695a78", "#1e4bf0", "#a53c0f", "#b4f069", "#d20fb4", "#0f0fc3", "#2d783c",
    "#d2b4c3", "#873cd2", "#4b4b87", "#f05a78", "#1e3c2d", "#69d278", "#784b5a", "#e178d2", "#96962d",
)  # fmt: skip


@dataclass(frozen=True)
class Classes:
    """The classes of a mask, in order. A class's position is what models use, its value is what files hold.

    Make one with `Classes.create`, which checks and fills in what is missing.

    Attributes:
        values: the mask values, int16 and not `UNLABELLED`.
        names: one name a class, all different.
        colors: one "#rrggbb" a class.
    """

    values: tuple[int, ...]
    names: tuple[str, ...]
    colors: tuple[str, ...]

    @classmethod
    def create(
        cls,
        values: Iterable[int],
        names: Sequence[str] | Mapping[int, str] | None = None,
        colors: Sequence[str] | Mapping[int, str] | None = None,
    ) -> Classes:
        """Classes with default names ("class 3") and colours (a fixed palette) where none are given.

        Args:
            values: mask values, integers between -32768 and 32767, all different, without -1.
            names: one name a value, in the same order, or a mapping value -> name (default where missing).
                A name given twice gets the value behind it, so that names tell the classes apart.
            colors: the same for colours, "#rrggbb".

        Raises:
            MaskError: no value, a value twice or out of range, too few or many names, a colour that is none.
        """
        values = tuple(_as_value(value) for value in values)
        if not values:
            raise MaskError("a mask needs at least one class; every pixel is unlabelled")
        twice = [value for value, count in Counter(values).items() if count > 1]
        if twice:
            raise MaskError(f"class values must be different; given more than once: {_join(twice)}")
        all_names = _per_value("names", names, values)
        all_colors = _per_value("colours", colors, values)
        filled = [
            " ".join(str(name or "").split()) or f"class {value}"
            for value, name in zip(values, all_names, strict=True)
        ]
        counts = Counter(filled)
        unique = tuple(
            f"{name} ({value})" if counts[name] > 1 else name
            for value, name in zip(values, filled, strict=True)
        )
        return cls(
            values=values,
            names=unique,
            colors=tuple(
                _as_color(color) if color else default_color(i) for i, color in enumerate(all_colors)
            ),
        )

    def __len__(self) -> int:
        return len(self.values)

    def index_of(self, values: np.ndarray) -> np.ndarray:
        """Positions of mask values, int64 of the same shape, -1 where unlabelled.

        Raises:
            MaskError: a value is neither a class nor `UNLABELLED`.
        """
        values = np.asarray(values)
        order = np.argsort(self.values)
        known = np.asarray(self.values)[order]
        place = np.minimum(np.searchsorted(known, values), len(known) - 1)
        found = known[place] == values
        strange = ~found & (values != UNLABELLED)
        if strange.any():
            raise MaskError(
                f"mask values {_join(np.unique(values[strange])[:8])} have no class; "
                f"the classes are {self._listed()}"
            )
        return np.where(found, order[place], -1).astype(np.int64)

    def values_of(self, index: np.ndarray) -> np.ndarray:
        """Mask values (int16, same shape) of positions; -1 stays `UNLABELLED`.

        Raises:
            MaskError: a position is below -1 or beyond the last class.
        """
        index = np.asarray(index)
        if index.size and (index.min() < -1 or index.max() >= len(self)):
            raise MaskError(
                f"class positions run from {index.min()} to {index.max()}; expected -1 to {len(self) - 1}"
            )
        # the unlabelled value stands last, where index -1 finds it
        return np.array([*self.values, UNLABELLED], MASK_DTYPE)[index]

    def position(self, name_or_value: str | int) -> int:
        """Position of the class with this name or this value.

        Raises:
            MaskError: there is none; the message lists those there are.
        """
        if isinstance(name_or_value, str):
            if name_or_value in self.names:
                return self.names.index(name_or_value)
        elif int(name_or_value) in self.values:
            return self.values.index(int(name_or_value))
        raise MaskError(f"there is no class {name_or_value!r}; the classes are {self._listed()}")

    def to_attrs(self) -> dict[str, Any]:
        """CF attributes of a mask variable, JSON-ready."""
        return {
            "flag_values": list(self.values),
            "flag_meanings": " ".join(_cf_words(self.names)),
            "flag_colors": " ".join(self.colors),
            "class_names": list(self.names),
            "unlabelled_value": UNLABELLED,
        }

    @classmethod
    def from_attrs(cls, attrs: Mapping[str, Any]) -> Classes:
        """The classes that `to_attrs`, or any CF flag variable, describes.

        Raises:
            MaskError: there are no `flag_values`, or they do not fit their meanings.
        """
        if "flag_values" not in attrs:
            raise MaskError("the mask has no attribute flag_values, so its classes are unknown")
        values = [int(value) for value in np.atleast_1d(attrs["flag_values"])]
        names: Any = attrs.get("class_names")
        if names is None:
            words = str(attrs.get("flag_meanings", "")).split()
            names = [word.replace("_", " ") for word in words] or None
        elif isinstance(names, str):  # netCDF gives a list of one string back as the string
            names = [names]
        colors = attrs.get("flag_colors")
        colors = colors.split() if isinstance(colors, str) else colors
        # CF lets the flags name the unlabelled value too; it is no class
        kept = [i for i, value in enumerate(values) if value != UNLABELLED]
        pick = {"names": names, "colors": colors}
        for what, given in pick.items():
            if given is not None and len(given) != len(values):
                raise MaskError(f"the mask has {len(values)} flag_values but {len(given)} {what}")
        return cls.create(
            [values[i] for i in kept],
            **{what: [given[i] for i in kept] if given is not None else None for what, given in pick.items()},
        )

    def _listed(self) -> str:
        return _join(f"{name} ({value})" for name, value in zip(self.names, self.values, strict=True))


def default_color(position: int) -> str:
    """Colour of the class at a position: the fixed palette, then ever new hues."""
    if position < len(PALETTE):
        return PALETTE[position]
    turn = position - len(PALETTE)
    # the golden angle never repeats a hue; two lightness levels keep neighbours apart
    red, green, blue = colorsys.hls_to_rgb((turn * 0.618034) % 1.0, 0.35 + 0.3 * (turn % 2), 0.65)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def _as_value(value: Any) -> int:
    number = int(value)
    if number != value:
        raise MaskError(f"class value {value} is not a whole number; masks hold classes, not measurements")
    if number == UNLABELLED:
        raise MaskError(f"class value {UNLABELLED} means unlabelled; give the class another value")
    if not -32768 <= number <= 32767:
        raise MaskError(f"class value {number} is out of range; expected -32768 to 32767")
    return number


def _as_color(color: str) -> str:
    text = str(color).strip().lower()
    if not re.fullmatch(r"#[0-9a-f]{6}", text):
        raise MaskError(f"class colour {color!r} is not of the form #rrggbb")
    return text


def _per_value(
    what: str, given: Sequence[str] | Mapping[int, str] | None, values: tuple[int, ...]
) -> list[str | None]:
    if given is None:
        return [None] * len(values)
    if isinstance(given, Mapping):
        return [given.get(value) for value in values]
    if isinstance(given, str) or len(given) != len(values):
        count = 1 if isinstance(given, str) else len(given)
        raise MaskError(f"{count} class {what} given for {len(values)} class values ({_join(values)})")
    return list(given)


def _cf_words(names: Sequence[str]) -> list[str]:
    """Names as the words CF allows (letters, digits and _-.+@), kept different."""
    words = [re.sub(r"[^\w\-.+@]", "_", name) for name in names]
    counts = Counter(words)
    return [f"{word}_{i}" if counts[word] > 1 else word for i, word in enumerate(words)]


def _join(items: Iterable[Any]) -> str:
    listed = [str(item) for item in items]
    return ", ".join(listed[:40]) + (f" and {len(listed) - 40} more" if len(listed) > 40 else "")
