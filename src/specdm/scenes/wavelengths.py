"""Wavelengths in nm, whatever a file states them in."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np

from specdm.errors import FileFormatError

_NM_PER_UNIT = {
    "nm": 1.0, "nanometer": 1.0, "nanometers": 1.0, "nanometre": 1.0, "nanometres": 1.0,
    "um": 1e3, "µm": 1e3, "μm": 1e3, "micron": 1e3, "microns": 1e3, "micrometer": 1e3, "micrometers": 1e3,
    "micrometre": 1e3, "micrometres": 1e3,
    "mm": 1e6, "millimeter": 1e6, "millimeters": 1e6, "cm": 1e7, "centimeters": 1e7,
    "m": 1e9, "meter": 1e9, "meters": 1e9, "metre": 1e9, "metres": 1e9,
    "angstrom": 0.1, "angstroms": 0.1, "ångström": 0.1, "ångströms": 0.1, "å": 0.1,
}  # fmt: skip
_WAVENUMBER = {"wavenumber", "wavenumbers", "cm-1", "cm^-1", "1/cm"}

LONGEST_NM = 100_000.0
"""No optical sensor sees longer waves: thermal infrared ends near 20 micrometres."""

# Optical imaging lies within 0.2 to 20 micrometres; a list wholly within one of these cannot be the other.
_MICROMETRE_RANGE = (0.2, 20.0)
_NANOMETRE_RANGE = (200.0, 20_000.0)


def known_unit(unit: str | None) -> bool:
    """Whether `to_nanometres` can convert from this unit."""
    text = (unit or "").strip().lower()
    return text in _NM_PER_UNIT or text in _WAVENUMBER


def unit_of_light(unit: str | None) -> bool:
    """Whether a unit in running text must mean wavelengths; "10 m" in the name of a band is its pixel."""
    text = (unit or "").strip().lower()
    return text in _NM_PER_UNIT and _NM_PER_UNIT[text] <= 1e3


def to_nanometres(
    values: np.ndarray, unit: str | None, *, width_of: np.ndarray | None = None
) -> tuple[np.ndarray | None, str | None]:
    """Band centres, or band widths, in nm.

    Args:
        values: numbers as stated, `(band,)`.
        unit: the unit as stated; None or an unknown word makes the unit be told from the range, if that is
            unambiguous.
        width_of: band centres in the same unit as `values`, if `values` are widths (needed to convert
            wavenumbers, and to tell the unit: widths alone do not say it).

    Returns:
        float64 nm, or None if they cannot be used; and a remark if anything was concluded or refused.
    """
    values = np.asarray(values, np.float64)
    what = "wavelengths" if width_of is None else "band widths"
    if not np.isfinite(values).all() or (values <= 0).any():
        return None, f"{what} hold zeros, negative numbers or gaps: not used"
    text = (unit or "").strip().lower()
    if text in _NM_PER_UNIT or text in _WAVENUMBER:
        if text in _NM_PER_UNIT:
            found = values * _NM_PER_UNIT[text]
        else:
            found = 1e7 / values if width_of is None else 1e7 * values / np.asarray(width_of) ** 2
        if found.max(initial=0.0) > LONGEST_NM:
            return None, f"{what} of up to {found.max():g} nm (unit {unit!r}) cannot be those of light: not used"
        return found, None
    stated = f"unit {unit!r}" if text else "no unit"
    centres = values if width_of is None else np.asarray(width_of, np.float64)
    for (low, high), factor, name in (
        (_MICROMETRE_RANGE, 1e3, "micrometres"),
        (_NANOMETRE_RANGE, 1.0, "nm"),
    ):
        if low <= centres.min() and centres.max() <= high and _not_counting(centres):
            return values * factor, f"{what} have {stated}; taken as {name} from their range"
    return None, f"{what} have {stated} and their range does not tell it: not used"


def read_wavelengths(path: str | Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Band centres, and widths if there, from a text table: one band a line.

    A heading may name the columns: `wavelength` (or `wl`, `center`, ...) and `fwhm`; it may state the unit as
    in "wavelength (um)". Without a heading, one column holds wavelengths, two hold wavelengths and widths.
    Each column has its own unit; widths without one have that of the wavelengths, and wavelengths without one are nm.

    Raises:
        FileFormatError: no such file, not a table of numbers, no column that names wavelengths, or numbers that
            cannot be wavelengths of light.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FileFormatError(f"{path}: cannot be read as a table of wavelengths ({error})") from None
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        raise FileFormatError(f"{path}: holds no wavelengths; expected one a line, in nm")
    separator = next((s for s in (";", "\t", ",") if s in lines[0]), None)
    rows = [
        [cell.strip() for cell in row]
        for row in (csv.reader(lines, delimiter=separator) if separator else map(_words, lines))
    ]
    heading = None if _is_number(rows[0][0]) and _is_number(rows[0][-1]) else rows.pop(0)
    if heading is None and len(rows) == 1 and len(rows[0]) > 2:
        rows = [[cell] for cell in rows[0]]  # all on one line
    centre, width = _columns(path, heading, len(rows[0]) if rows else 0)
    unit = (_stated_unit(heading[centre]) if heading else None) or "nm"
    centres = _numbers(path, rows, centre) * _NM_PER_UNIT[unit]
    if centres.max(initial=0.0) > LONGEST_NM:
        raise FileFormatError(
            f"{path}: states wavelengths of up to {centres.max():g} nm (unit {unit}), which cannot be those of light; "
            "expected up to 100 micrometres, so write the right unit into the heading, as in wavelength (nm)"
        )
    if width is None:
        return centres, None
    # a heading may state one unit for both columns, or each its own
    unit = (_stated_unit(heading[width]) if heading else None) or unit
    return centres, _numbers(path, rows, width) * _NM_PER_UNIT[unit]


def _words(line: str) -> list[str]:
    """What blanks separate; a unit in brackets belongs to the word before it."""
    return re.split(r"\s+(?![(\[])", line)


def _columns(path: Path, heading: list[str] | None, count: int) -> tuple[int, int | None]:
    if heading is None:
        if count > 2:
            raise FileFormatError(
                f"{path}: has {count} columns without a heading; name them (wavelength, fwhm) in the "
                f"first line"
            )
        return 0, 1 if count == 2 else None
    names = [cell.lower() for cell in heading]
    centre = next(
        (i for i, n in enumerate(names) if re.search(r"wave|^wl\b|cent(er|re)|lambda|^nm$", n)), None
    )
    width = next((i for i, n in enumerate(names) if re.search(r"fwhm|width", n)), None)
    if centre is None and len(names) == 1:
        centre = 0
    if centre is None:
        raise FileFormatError(f"{path}: no column is called wavelength; found {', '.join(heading)}")
    return centre, width


def _numbers(path: Path, rows: list[list[str]], column: int) -> np.ndarray:
    try:
        return np.array([float(row[column]) for row in rows])
    except (ValueError, IndexError):
        bad = next((i for i, row in enumerate(rows) if len(row) <= column or not _is_number(row[column])), 0)
        raise FileFormatError(f"{path}: band {bad + 1} has no number for its wavelength or width") from None


def _stated_unit(title: str) -> str | None:
    words = re.findall(r"[^\W\d_]+", title.lower())
    return next((word for word in words[1:] if word in _NM_PER_UNIT), None)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _not_counting(values: np.ndarray) -> bool:
    """False for 1, 2, 3 ...: band numbers, not wavelengths."""
    return not (values.size > 1 and (np.diff(values) == 1).all() and (values == np.round(values)).all())
