"""Where a tile lies, as ENVI headers say it: GDAL writes the words, for a raster of one pixel."""

from __future__ import annotations

import re
import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np

from specdm.scenes.readers.envi import parse_header
from specdm.scenes.readers.geotiff import open_quietly
from specdm.tiles.georeference import Place

FIELDS = ("map info", "projection info", "coordinate system string")
_CORNER = re.compile(r"^(?P<name>.*?), 1, 1, [^,]+, [^,]+, ")
"""Of map info: the reference pixel (1, 1) is the first one's upper left corner, whose coordinates follow."""


def map_fields(place: Place) -> dict[str, str] | None:
    """Fields of a header, in braces; None if ENVI cannot say it: sheared, or pixels that are turned and not square."""
    a, b, c, d, e, f = place.transform
    fields = _at_origin(place.crs_wkt, a, b, d, e)
    if fields is None:
        return None
    # a scene has many tiles, which differ in their corner alone
    return {**fields, "map info": _CORNER.sub(rf"\g<name>, 1, 1, {c!r}, {f!r}, ", fields["map info"])}


@lru_cache(maxsize=256)
def _at_origin(crs_wkt: str | None, a: float, b: float, d: float, e: float) -> dict[str, str] | None:
    from rasterio.crs import CRS
    from rasterio.transform import Affine

    # not 0, which GDAL takes for a raster without a place
    transform = Affine(a, b, 1.0, d, e, 2.0)
    crs = None if crs_wkt is None else CRS.from_wkt(crs_wkt)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pixel.img"
        shape = {"width": 1, "height": 1, "count": 1, "dtype": "uint8"}
        with open_quietly(path, mode="w", driver="ENVI", crs=crs, transform=transform, **shape) as file:
            file.write(np.zeros((1, 1, 1), np.uint8))
        # beside it GDAL keeps what the header does not say, which other programs never see
        path.with_name("pixel.img.aux.xml").unlink(missing_ok=True)
        with open_quietly(path) as file:
            found = tuple(file.transform)[:6]
            same = np.allclose(found, tuple(transform)[:6], rtol=1e-9, atol=1e-9 * (abs(a) + abs(b)))
        header = parse_header(path.with_suffix(".hdr"))
    fields = {key: f"{{{header[key]}}}" for key in FIELDS if key in header}
    return fields if same and "map info" in fields else None
