"""The place of a tile in formats that have no words of their own for it: `crs_wkt` and `transform`."""

from __future__ import annotations

from typing import Any

import numpy as np

from specdm.tiles.export.protocol import Source
from specdm.tiles.georeference import Place

CRS, TRANSFORM = "crs_wkt", "transform"
PLACE_COLUMNS = (CRS, TRANSFORM)


def place_facts(place: Place | None) -> dict[str, Any]:
    """JSON-ready, for a table: `crs_wkt` text, `transform` six numbers, see `Place`; None where there is none."""
    return {
        CRS: None if place is None else place.crs_wkt,
        TRANSFORM: None if place is None else list(place.transform),
    }


def place_arrays(place: Place | None) -> dict[str, np.ndarray]:
    """The same as arrays, `crs_wkt` without dimensions, `transform` float64 `(6,)`; what there is not is not in it."""
    return {key: np.asarray(value) for key, value in place_facts(place).items() if value is not None}


def place_bytes(source: Source, *, each: int = 1) -> int:
    """Bytes of them in a tile's file, with names and headers, at the most; `each` of a character."""
    return each * source.crs_length + 1024 if source.places else 0


def place_lines(source: Source) -> list[str]:
    """What they are, lines of Markdown for the card; none if no tile has a place."""
    if not source.places:
        return []
    return [
        "`crs_wkt` and `transform`, of tiles that have a place: coordinate reference system as WKT, and a, b, c, d, e, "
        "f, by which the upper left corner of a pixel lies at x (easting or longitude) = a column + b row + c, "
        "y = d column + e row + f."
    ]
