"""ENVI: a text header beside a raw data file in any interleave."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from specdm.errors import FileFormatError
from specdm.scenes.raster import Raster
from specdm.scenes.readers.detect import envi_data_of, envi_header_of
from specdm.scenes.readers.geotiff import gdal_values, open_quietly
from specdm.scenes.readers.lazy import one_line
from specdm.scenes.wavelengths import to_nanometres

_ITEM_BYTES = {1: 1, 2: 2, 3: 4, 4: 4, 5: 8, 6: 8, 9: 16, 12: 2, 13: 4, 14: 8, 15: 8}


def read_envi(path: Path) -> Raster:
    """An ENVI image, given by its header or by its data file.

    `reflectance scale factor` is reported in `attributes`, not applied.

    Raises:
        FileFormatError: header or data file missing, the data shorter than the header says, a key missing or
            wrong, complex numbers, a spectral library.
    """
    header, data = _pair(path)
    fields = parse_header(header)
    samples, lines, bands = (_whole(header, fields, key) for key in ("samples", "lines", "bands"))
    _check_kind(header, fields)
    _check_size(header, data, fields, samples * lines * bands)
    try:
        with open_quietly(data, driver="ENVI") as file:
            values = gdal_values(data, file)
    except FileFormatError:
        raise
    except Exception as error:  # rasterio lets errors of several libraries through
        raise FileFormatError(
            f"{data}: cannot be read as its header {header.name} says ({one_line(error)})"
        ) from error
    if values.shape != (bands, lines, samples):
        raise FileFormatError(
            f"{data}: opens with {' x '.join(map(str, values.shape))} (bands, lines, samples), its header "
            f"{header.name} says {bands} x {lines} x {samples}; is there another header beside it?"
        )

    attributes: dict[str, Any] = {}
    unit = fields.get("wavelength units")
    centres = _numbers(fields, "wavelength", bands, attributes)
    widths = _numbers(fields, "fwhm", bands, attributes)
    wavelength = fwhm = None
    if centres is not None:
        wavelength, remark = to_nanometres(centres, unit)
        if remark:
            attributes["wavelength_remark"] = remark
        if wavelength is not None and widths is not None:
            fwhm, _ = to_nanometres(widths, unit, width_of=centres)
    marks = _numbers(fields, "bbl", bands, attributes)
    names = _items(fields.get("band names", ""))
    for key in ("reflectance scale factor", "sensor type", "acquisition time", "data units"):
        if key in fields:
            attributes[key] = fields[key]
    ignored = _number(fields.get("data ignore value"))
    class_names, class_colors = _classes(fields)
    return Raster(
        path=data,
        values=values,
        format=f"ENVI ({fields.get('interleave', 'bsq').lower()})",
        wavelength=wavelength,
        fwhm=fwhm,
        band_name=tuple(names) if len(names) == bands else None,
        good=None if marks is None else marks != 0,
        nodata=ignored,
        units=fields.get("data units"),
        class_names=class_names,
        class_colors=class_colors,
        attributes=attributes,
    )


def parse_header(header: Path) -> dict[str, str]:
    """Fields of an ENVI header, keys in lower case; values in braces on one line without the braces.

    Raises:
        FileFormatError: not an ENVI header, or cut off within braces.
    """
    try:
        text = header.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise FileFormatError(f"{header}: cannot be opened ({error.strerror or error})") from None
    if text.lstrip("\ufeff \r\n")[:4] != "ENVI":
        raise FileFormatError(f"{header}: is not an ENVI header; its first line must be ENVI")
    text = re.sub(r"(?m)^\s*;.*$", "", text)  # comments
    if text.count("{") > text.count("}"):
        raise FileFormatError(f"{header}: is cut off within braces; copy or download it again")
    fields = {}
    for match in re.finditer(
        r"(?m)^[ \t]*([A-Za-z][^=\n{}]*?)[ \t]*=[ \t]*(?:\{([^{}]*)\}|([^\n{}]*))", text
    ):
        key, braced, plain = match.groups()
        value = braced if braced is not None else plain
        fields[" ".join(key.lower().split())] = " ".join(value.split())
    return fields


def _pair(path: Path) -> tuple[Path, Path]:
    if path.suffix.lower() == ".hdr":
        data = envi_data_of(path)
        if data is None:
            raise FileFormatError(
                f"{path}: has no data file beside it; expected {path.stem}, {path.stem}.img, "
                f"{path.stem}.dat or similar"
            )
        return path, data
    header = envi_header_of(path)
    if header is None:
        raise FileFormatError(
            f"{path}: has no ENVI header beside it; expected {path.name}.hdr or {path.stem}.hdr"
        )
    return header, path


def _check_kind(header: Path, fields: dict[str, str]) -> None:
    kind = fields.get("file type", "").lower()
    if "spectral library" in kind:
        raise FileFormatError(f"{header}: is a spectral library, not an image; expected an ENVI image")
    code = fields.get("data type", "")
    if not code.isdigit() or int(code) not in _ITEM_BYTES:
        raise FileFormatError(f"{header}: data type {code or '(none)'!r} is not one of ENVI's")
    if int(code) in (6, 9):
        raise FileFormatError(f"{header}: holds complex numbers; expected real ones (save its amplitude)")


def _check_size(header: Path, data: Path, fields: dict[str, str], n_values: int) -> None:
    if fields.get("file compression", "0") not in ("0", ""):
        return
    needed = int(_number(fields.get("header offset")) or 0) + n_values * _ITEM_BYTES[int(fields["data type"])]
    size = data.stat().st_size
    if size < needed:
        raise FileFormatError(
            f"{data}: has {size} bytes, its header {header.name} needs {needed}; the file is truncated or "
            f"the "
            "header belongs to another file"
        )


def _whole(header: Path, fields: dict[str, str], key: str) -> int:
    text = fields.get(key, "")
    if not text.isdigit() or int(text) < 1:
        raise FileFormatError(f"{header}: {key} = {text or '(missing)'}; expected a whole number above 0")
    return int(text)


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _numbers(fields: dict[str, str], key: str, count: int, attributes: dict[str, Any]) -> np.ndarray | None:
    if key not in fields:
        return None
    numbers = [_number(item) for item in _items(fields[key])]
    if len(numbers) != count or None in numbers:
        attributes[f"{key} remark"] = f"the header gives {len(numbers)} values for {count} bands: not used"
        return None
    return np.array(numbers, np.float64)


def _classes(fields: dict[str, str]) -> tuple[dict[int, str], dict[int, str]]:
    names = dict(enumerate(_items(fields.get("class names", ""))))
    parts = _items(fields.get("class lookup", ""))
    colors = {}
    if len(parts) >= 3 * len(names) and all(part.isdigit() and int(part) < 256 for part in parts):
        for i in names:
            red, green, blue = (int(part) for part in parts[3 * i : 3 * i + 3])
            colors[i] = f"#{red:02x}{green:02x}{blue:02x}"
    return names, colors
