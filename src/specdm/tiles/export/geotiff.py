"""GeoTIFF: a file for the image of each date, for each mask layer, for amounts and for scores.

Wavelengths stand where GDAL keeps them, in the domain IMAGERY (micrometres), and once more as exact tags in nm.
Files are made in memory: GDAL does not always tell that a disk is full, writing bytes does.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from specdm.scenes.classes import UNLABELLED, Classes
from specdm.scenes.raster_writer import mask_storage
from specdm.tiles.export.names import file_words
from specdm.tiles.export.protocol import ExportFormat, Source, TileFiles
from specdm.tiles.export.rasters import file_depths, layout_lines, rgb, score_names
from specdm.tiles.export.sizes import on_disk
from specdm.tiles.export.tile import Tile
from specdm.tiles.georeference import Place

HEADER_BYTES, BAND_BYTES = 8192, 1024
"""What tags take at the most: of a file, of a band."""


class GeoTiffFiles:
    """`image_00000.tif`, `mask_00000.tif` and so on; the date or layer is in the name where there are several."""

    def __init__(self, folder: Path, source: Source) -> None:
        self._folder, self._source = folder, source
        layout = source.layout
        self._dates, self._layers = file_words(layout.dates), file_words(layout.layers)
        self._bands = [layout.bands_of(date) for date in range(len(layout.dates))]
        self._band_tags = [band_tags(source, bands) for bands in self._bands]

    def write(self, tile: Tile) -> tuple[str, ...]:
        layout, number = self._source.layout, f"{tile.position:0{self._source.digits}d}"
        about = {key: str(value) for key, value in tile.facts.items() if value not in (-1, None, "")}
        put = partial(raster_bytes, place=tile.place)
        if layout.attrs.get("note"):
            about["note"] = str(layout.attrs["note"])
        files: dict[str, bytes] = {}
        for date, word in enumerate(self._dates):
            bands = self._bands[date]
            files[f"image_{number}{word}.tif"] = put(
                tile.image[date, bands],
                nodata=np.nan,
                names=[str((layout.band_name or ())[band]) for band in bands],
                units=[layout.image_units or ""] * len(bands),
                band_tags=self._band_tags[date],
                tags=about | {"date": str(layout.dates[date])},
            )
        if tile.mask is not None:
            for mask, word, layer in zip(tile.mask, self._layers, layout.layers, strict=True):
                files[f"mask_{number}{word}.tif"] = put(**_mask(mask, layout.classes, layer), tags=about)
        if tile.amount is not None and layout.quantities is not None:
            files[f"amount_{number}.tif"] = put(
                tile.amount,
                nodata=np.nan,
                names=layout.quantities.names,
                units=layout.quantities.units,
                tags=about,
            )
        if tile.reliability is not None:
            files[f"reliability_{number}.tif"] = put(
                tile.reliability, nodata=np.nan, names=score_names(self._source), tags=about
            )
        for name, content in files.items():
            (self._folder / name).write_bytes(content)
        return tuple(files)

    def close(self) -> None:
        """Nothing is left to do."""


def raster_bytes(
    values: np.ndarray,
    *,
    nodata: float,
    place: Place | None = None,
    names: Sequence[str] = (),
    units: Sequence[str] = (),
    band_tags: Sequence[Mapping[str, Mapping[str, str]]] = (),
    tags: Mapping[str, str] | None = None,
    colors: Mapping[int, tuple[int, int, int, int]] | None = None,
) -> bytes:
    """A GeoTIFF.

    Args:
        values: `(band, y, x)`, written as they are.
        nodata: value that means nothing.
        place: where it lies; None for none.
        names, units: one a band, or none.
        band_tags: for each band domain ("" for GDAL's own) -> tags.
        tags: of the file.
        colors: value -> red, green, blue, alpha; one band of uint8 only.
    """
    from rasterio.errors import NotGeoreferencedWarning
    from rasterio.io import MemoryFile

    count, height, width = values.shape
    with warnings.catch_warnings(), MemoryFile() as memory:
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with memory.open(
            driver="GTiff", count=count, height=height, width=width, dtype=values.dtype, nodata=nodata,
            compress="deflate", interleave="band", BIGTIFF="IF_SAFER", **_georeference(place),
        ) as file:  # fmt: skip
            if tags:
                file.update_tags(**tags)
            for band, name in enumerate(names, start=1):
                file.set_band_description(band, name)
            for band, unit in enumerate(units, start=1):
                if unit:
                    file.set_band_unit(band, unit)
            for band, domains in enumerate(band_tags, start=1):
                for domain, found in domains.items():
                    file.update_tags(band, ns=domain or None, **found)
            if colors:
                file.write_colormap(1, colors)
            file.write(values)
        return bytes(memory.getbuffer())


def _georeference(place: Place | None) -> dict[str, Any]:
    from rasterio.transform import Affine

    if place is None:
        return {}
    return {"transform": Affine(*place.transform)} | ({} if place.crs_wkt is None else {"crs": _crs(place.crs_wkt)})


@lru_cache(maxsize=64)
def _crs(wkt: str) -> Any:
    from rasterio.crs import CRS

    return CRS.from_wkt(wkt)


def band_tags(source: Source, bands: np.ndarray) -> list[dict[str, dict[str, str]]]:
    """Centres and widths of these bands, where known: domain -> tags, for each band."""
    layout = source.layout
    found: list[dict[str, dict[str, str]]] = []
    for band in bands:
        own: dict[str, str] = {}
        imagery: dict[str, str] = {}
        for name, key, numbers in (
            ("wavelength", "CENTRAL_WAVELENGTH_UM", layout.wavelength),
            ("fwhm", "FWHM_UM", layout.fwhm),
        ):
            if numbers is not None and np.isfinite(numbers[band]):
                own[name] = repr(float(numbers[band]))
                imagery[key] = repr(round(float(numbers[band]) / 1000.0, 9))
        found.append({"": own | {"wavelength_units": "nm"}, "IMAGERY": imagery} if own else {})
    return found


def _mask(values: np.ndarray, classes: Classes | None, layer: str) -> dict[str, Any]:
    """A mask layer `(y, x)` as arguments of `raster_bytes`."""
    dtype, free = (np.dtype(np.int16), UNLABELLED) if classes is None else mask_storage(classes)
    stored = np.where(values == UNLABELLED, free, values).astype(dtype)[None]
    tags: dict[str, str] = {}
    colors = None
    if classes is not None:
        for value, name, color in zip(classes.values, classes.names, classes.colors, strict=True):
            tags |= {f"class_{value}": name, f"color_{value}": color}
        if dtype == np.uint8:
            colors = {value: (*rgb(color), 255) for value, color in zip(classes.values, classes.colors, strict=True)}
    return {"values": stored, "nodata": free, "names": [layer], "band_tags": [{"": tags}], "colors": colors}


def _check(source: Source) -> list[str]:
    classes = source.layout.classes
    if classes is None or mask_storage(classes)[0] == np.uint8:
        return []
    return [
        "GeoTIFF has colour tables for values from 0 to 255 only: class colours of masks are tags (color_VALUE), "
        "masks are int16"
    ]


def _tile_bytes(source: Source) -> int:
    layout = source.layout
    files = file_depths(source, class_names=len(layout.classes) if layout.classes is not None else 0)
    pixels = layout.size**2
    # deflate makes nothing larger by more than a thousandth
    return sum(on_disk(int(depth * pixels * 1.002) + HEADER_BYTES + BAND_BYTES * tagged) for depth, tagged in files)


def _layout(source: Source) -> list[str]:
    classes = source.layout.classes
    free = UNLABELLED if classes is None else mask_storage(classes)[1]
    lines = layout_lines(
        source,
        suffix="tif",
        image="`image_N.tif`: float32, one band a band, nodata NaN, values as they are. Wavelengths in GDAL's domain "
        "`IMAGERY` (`CENTRAL_WAVELENGTH_UM`, `FWHM_UM`) and, exact, in the band tags `wavelength` and `fwhm` (nm); "
        "band names are the descriptions.",
        mask=f"class values, {free} (nodata) where unlabelled; names and colours in the band tags `class_VALUE` and "
        "`color_VALUE`, and in the colour table",
        nodata="nodata NaN",
    )
    return [*lines, "Tiles that have a place are georeferenced."] if source.places else lines


def _open(folder: Path, source: Source) -> TileFiles:
    return GeoTiffFiles(folder, source)


GEOTIFF = ExportFormat("geotiff", "GeoTIFF", _check, _tile_bytes, _open, _layout)
