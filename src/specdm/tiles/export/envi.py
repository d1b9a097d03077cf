"""ENVI: a text header beside raw values, for the image of each date, each mask layer, amounts and scores."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from specdm.errors import TileError
from specdm.scenes.classes import UNLABELLED, Classes
from specdm.tiles.export.envi_place import map_fields
from specdm.tiles.export.names import file_words
from specdm.tiles.export.protocol import ExportFormat, Source, TileFiles
from specdm.tiles.export.rasters import file_depths, layout_lines, rgb, score_names
from specdm.tiles.export.sizes import on_disk
from specdm.tiles.export.tile import Tile

DATA_TYPES = {"uint8": 1, "int16": 2, "float32": 4}
MOST_CLASSES = 256


class EnviFiles:
    """`image_00000.hdr` with `image_00000.img`, `mask_00000.hdr` and so on, band by band (bsq), little-endian."""

    def __init__(self, folder: Path, source: Source) -> None:
        self._folder, self._source = folder, source
        layout = source.layout
        self._dates, self._layers = file_words(layout.dates), file_words(layout.layers)
        self._bands = [layout.bands_of(date) for date in range(len(layout.dates))]
        self._spectra = [_spectra(source, bands) for bands in self._bands]
        self._legend = {} if layout.classes is None else _legend(layout.classes)

    def write(self, tile: Tile) -> tuple[str, ...]:
        layout, number = self._source.layout, f"{tile.position:0{self._source.digits}d}"
        about = str(tile.facts["tile_name"])
        lies = (None if tile.place is None else map_fields(tile.place)) or {}
        written: list[str] = []

        def put(stem: str, values: np.ndarray, fields: dict[str, Any]) -> None:
            written.extend(write_envi(self._folder, stem, values, {"description": [about], **lies, **fields}))

        for date, word in enumerate(self._dates):
            units = {"data units": plain_name(layout.image_units)} if layout.image_units else {}
            fields = {"data ignore value": "nan", **units, **self._spectra[date]}
            put(f"image_{number}{word}", tile.image[date, self._bands[date]], fields)
        if tile.mask is not None:
            for mask, word, name in zip(tile.mask, self._layers, layout.layers, strict=True):
                free = UNLABELLED if layout.classes is None else free_value(layout.classes)
                dtype = np.int16 if layout.classes is None else np.uint8
                stored = np.where(mask == UNLABELLED, free, mask).astype(dtype)[None]
                fields = {"data ignore value": free, "band names": [name], **self._legend}
                put(f"mask_{number}{word}", stored, fields)
        if tile.amount is not None and layout.quantities is not None:
            names = [layout.quantities.label(i) for i in range(len(layout.quantities))]
            put(f"amount_{number}", tile.amount, {"data ignore value": "nan", "band names": names})
        if tile.reliability is not None:
            fields = {"data ignore value": "nan", "band names": score_names(self._source)}
            put(f"reliability_{number}", tile.reliability, fields)
        return tuple(written)

    def close(self) -> None:
        """Nothing is left to do."""


def write_envi(folder: Path, stem: str, values: np.ndarray, fields: dict[str, Any]) -> tuple[str, str]:
    """Write `stem.img` and `stem.hdr`.

    Args:
        folder, stem: where.
        values: `(band, y, x)`, uint8, int16 or float32.
        fields: further fields of the header; lists are put in braces.

    Returns:
        The two names.
    """
    bands, lines, samples = values.shape
    kind = "ENVI Classification" if "classes" in fields else "ENVI Standard"
    header = {
        "samples": samples, "lines": lines, "bands": bands, "header offset": 0, "file type": kind,
        "data type": DATA_TYPES[values.dtype.name], "interleave": "bsq", "byte order": 0, **fields,
    }  # fmt: skip
    text = "ENVI\n" + "".join(f"{key} = {_text(value)}\n" for key, value in header.items())
    (folder / f"{stem}.img").write_bytes(values.astype(values.dtype.newbyteorder("<")).tobytes())
    (folder / f"{stem}.hdr").write_text(text, encoding="utf-8", newline="\n")
    return f"{stem}.hdr", f"{stem}.img"


def free_value(classes: Classes) -> int:
    """Value of unlabelled pixels: 0, which ENVI calls unclassified, or the first above all classes."""
    return 0 if 0 not in classes.values else max(classes.values) + 1


def plain_name(name: str) -> str:
    """A name without what ends an item or a list in a header: commas, braces, line ends."""
    return " ".join(re.sub(r"\s", " ", name).replace(",", ";").replace("{", "(").replace("}", ")").split())


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "{" + ", ".join(plain_name(item) if isinstance(item, str) else str(item) for item in value) + "}"
    return str(value)


def _spectra(source: Source, bands: np.ndarray) -> dict[str, Any]:
    layout = source.layout
    fields: dict[str, Any] = {"band names": [str((layout.band_name or ())[band]) for band in bands]}
    if layout.wavelength is not None:
        fields |= {"wavelength units": "Nanometers", "wavelength": _numbers(layout.wavelength, bands)}
        if layout.fwhm is not None and np.isfinite(np.asarray(layout.fwhm)[bands]).all():
            fields["fwhm"] = _numbers(layout.fwhm, bands)
    return fields


def _numbers(values: Sequence[float] | np.ndarray, bands: np.ndarray) -> list[float]:
    return [float(values[band]) for band in bands]


def _legend(classes: Classes) -> dict[str, Any]:
    """Names and colours count from 0; values that are no class are named so."""
    count = max(*classes.values, free_value(classes)) + 1
    names, colors = [f"(no class {value})" for value in range(count)], [0] * (3 * count)
    names[free_value(classes)] = "unlabelled"
    for value, name, color in zip(classes.values, classes.names, classes.colors, strict=True):
        names[value] = name
        colors[3 * value : 3 * value + 3] = rgb(color)
    return {"classes": count, "class names": names, "class lookup": colors}


def _check(source: Source) -> list[str]:
    classes = source.layout.classes
    if classes is not None:
        strange = [value for value in classes.values if not 0 <= value < MOST_CLASSES]
        if strange:
            raise TileError(
                f"ENVI classifications number their classes from 0 to {MOST_CLASSES - 1}: the mask values "
                f"{', '.join(map(str, strange[:5]))} would be lost; export to geotiff, npz, mat, webdataset or hf"
            )
        if free_value(classes) >= MOST_CLASSES:
            raise TileError(
                "ENVI classifications have values from 0 to 255 and all would be classes: which pixels are unlabelled "
                "would be lost; export to geotiff, npz, mat, webdataset or hf"
            )
    return [*_renamed(source), *_unplaced(source)]


def _renamed(source: Source) -> list[str]:
    classes, layout = source.layout.classes, source.layout
    named = [*(layout.band_name or ()), *(classes.names if classes is not None else ()), *layout.layers]
    named += list(layout.quantities.names) if layout.quantities is not None else []
    changed = [name for name in map(str, named) if plain_name(name) != name]
    if not changed:
        return []
    return [
        f"names in ENVI headers hold no commas, braces or line ends: {changed[0]!r} is written as "
        f"{plain_name(changed[0])!r}" + (f", and {len(changed) - 1} more" if len(changed) > 1 else "")
    ]


def _unplaced(source: Source) -> list[str]:
    if all(map_fields(place) is not None for place in source.places):
        return []
    return [
        "ENVI headers cannot say where sheared grids lie, nor turned ones whose pixels are not square: tiles of such "
        "scenes have no map info, where they lie stands in manifest.csv alone"
    ]


def _tile_bytes(source: Source) -> int:
    layout = source.layout
    named = 0 if layout.classes is None else len(_legend(layout.classes)["class names"])
    files = file_depths(source, class_names=named)
    place = 2 * source.crs_length + 1024 if source.places else 0
    return sum(on_disk(depth * layout.size**2) + on_disk(2048 + 96 * names + place) for depth, names in files)


def _layout(source: Source) -> list[str]:
    kind, free = ("int16", UNLABELLED)
    if source.layout.classes is not None:
        kind, free = "ENVI Classification with names and colours", free_value(source.layout.classes)
    lines = layout_lines(
        source,
        suffix="hdr",
        image="`image_N.hdr` and `image_N.img`: float32, bsq, little-endian, `data ignore value` nan; wavelengths and "
        "widths in nm, band names.",
        mask=f"{kind}; class values, {free} where unlabelled",
        nodata="`data ignore value` nan",
    )
    if all(map_fields(place) is None for place in source.places):
        return lines
    return [*lines, "`map info` and `coordinate system string` of tiles that have a place."]


def _open(folder: Path, source: Source) -> TileFiles:
    return EnviFiles(folder, source)


ENVI = ExportFormat("envi", "ENVI", _check, _tile_bytes, _open, _layout)
