"""When an image and a mask lie in the same place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import xarray as xr
from rasterio.crs import CRS
from rasterio.transform import from_origin

from specdm.errors import MaskError
from specdm.scenes.georeference import check_same_place, georeferenced
from specdm.scenes.readers import read_raster

DEGREES = from_origin(13.0, 52.4, 0.0003, 0.0003)


def placed(crs: str | CRS) -> xr.DataArray:
    return georeferenced(xr.DataArray(np.zeros((1, 4, 5)), dims=("band", "y", "x")), crs=crs, transform=DEGREES)


def check(image: xr.DataArray, mask: xr.DataArray) -> None:
    check_same_place(image, mask, image_name="image.img", mask_name="mask.tif")


def test_the_order_of_latitude_and_longitude_does_not_matter() -> None:
    for here, there in (("OGC:CRS84", "EPSG:4326"), ("EPSG:4326", "OGC:CRS84"), ("OGC:CRS83", "EPSG:4269")):
        check(placed(here), placed(there))


def test_an_envi_image_and_its_mask(tmp_path: Path) -> None:
    for name, driver, crs in (("a.img", "ENVI", "OGC:CRS84"), ("b.tif", "GTiff", "EPSG:4326")):
        shape = {"count": 1, "height": 4, "width": 5, "dtype": "int16"}
        with rasterio.open(tmp_path / name, "w", driver=driver, crs=crs, transform=DEGREES, **shape) as file:
            file.write(np.ones((1, 4, 5), np.int16))
    image, mask = (read_raster(tmp_path / name).values for name in ("a.img", "b.tif"))
    check(image, mask)
    check(mask, image)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("EPSG:4326", "EPSG:4258"),  # another datum
        ("OGC:CRS84", "EPSG:4269"),
        ("EPSG:4326", "EPSG:4979"),  # three dimensions
        ("EPSG:32633", "EPSG:25833"),
        ("EPSG:4326", "EPSG:32633"),
        ("EPSG:31467", "EPSG:31468"),
    ],
)
def test_other_systems_are_refused(here: str, there: str) -> None:
    with pytest.raises(MaskError, match=r"mask\.tif: is in .*, the image image\.img in .*reproject"):
        check(placed(here), placed(there))
