"""Where a raster lies on the ground, as rioxarray keeps it."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import xarray as xr

from specdm.errors import MaskError, SceneError


def georeferenced(values: xr.DataArray, *, crs: Any, transform: Any) -> xr.DataArray:
    """Values with `spatial_ref`, and `x`, `y` of pixel centres where the grid is not rotated.

    Args:
        values: `(..., y, x)`.
        crs: coordinate reference system, anything rasterio knows, or None.
        transform: affine transform from column and row to coordinates, or None.
    """
    import rioxarray  # noqa: F401  (gives xarray its .rio)

    if transform is None or transform.is_identity:
        return values
    if transform.b == 0 and transform.d == 0:
        height, width = values.sizes["y"], values.sizes["x"]
        values = values.assign_coords(
            x=transform.c + (np.arange(width) + 0.5) * transform.a,
            y=transform.f + (np.arange(height) + 0.5) * transform.e,
        )
    if crs is not None:
        values = values.rio.write_crs(crs)
    return values.rio.write_transform(transform)


def georeference_of(values: xr.DataArray) -> dict[str, Any] | None:
    """Coordinate reference system (WKT or None) and affine transform `(a, b, c, d, e, f)`; None if there is none."""
    if "spatial_ref" not in values.coords:
        return None
    import rioxarray  # noqa: F401  (gives xarray its .rio)

    crs, transform = values.rio.crs, values.rio.transform()
    # what nobody has placed has rows and columns for coordinates
    if transform.is_identity:
        return None
    return {"crs": None if crs is None else crs.to_wkt(), "transform": [float(v) for v in transform[:6]]}


def check_same_place(
    image: xr.DataArray,
    mask: xr.DataArray,
    *,
    image_name: str,
    mask_name: str,
    what: Literal["mask", "date"] = "mask",
) -> None:
    """Refuse a mask, or another date, that is georeferenced elsewhere; one without georeference lies wherever the
    image lies.

    Raises:
        MaskError: another coordinate reference system, or shifted or scaled by more than a tenth of a pixel.
        SceneError: the same for a date.
    """
    if "spatial_ref" not in image.coords or "spatial_ref" not in mask.coords:
        return
    import rioxarray  # noqa: F401

    error = MaskError if what == "mask" else SceneError
    here, there = image.rio.crs, mask.rio.crs
    if here is not None and there is not None and not _same_crs(here, there):
        raise error(
            f"{mask_name}: is in {crs_name(there)}, the image {image_name} in {crs_name(here)}; "
            f"reproject the {what} onto the image's grid"
        )
    a, b = image.rio.transform(), mask.rio.transform()
    pixel = abs(a.a) + abs(a.b)
    height, width = image.sizes["y"], image.sizes["x"]
    corners = [(0, 0), (width, 0), (0, height), (width, height)]
    shift = max(
        max(abs(p - q) for p, q in zip(_at(a, corner), _at(b, corner), strict=True)) for corner in corners
    )
    if shift > 0.1 * pixel:
        raise error(
            f"{mask_name}: lies on another grid than the image {image_name} (corners differ by up to "
            f"{shift / pixel:.1f} pixels); resample the {what} onto the image's grid"
        )


def _same_crs(here: Any, there: Any) -> bool:
    """Whether two systems, of rasterio, differ at most in the order of latitude and longitude: files give x first
    whatever their system says, so "OGC:CRS84" lies where "EPSG:4326" does."""
    if here == there:
        return True
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        return CRS.from_wkt(here.to_wkt()).equals(CRS.from_wkt(there.to_wkt()), ignore_axis_order=True)
    except CRSError:  # GDAL knows systems that PROJ alone cannot read
        return False


def _at(transform: Any, corner: tuple[int, int]) -> tuple[float, float]:
    """Coordinates of a column and row; affine's own operator for it changes between its versions."""
    x, y = corner
    return (
        transform.a * x + transform.b * y + transform.c,
        transform.d * x + transform.e * y + transform.f,
    )


def wkt_name(wkt: str) -> str:
    """What people call a coordinate reference system that is given as WKT."""
    from rasterio.crs import CRS

    return crs_name(CRS.from_wkt(wkt))


def crs_name(crs: Any) -> str:
    """ "EPSG:32633", or the beginning of its WKT; `crs` is one of rasterio's."""
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else str(crs)[:60]
