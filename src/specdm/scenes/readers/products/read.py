"""A product as one raster: the module of its sensor is loaded only where it is needed."""

from __future__ import annotations

import importlib
from pathlib import Path

from specdm.scenes.raster import Raster
from specdm.scenes.readers.products.detect import Sensor
from specdm.scenes.readers.products.options import ProductOptions


def read_product(path: Path, sensor: Sensor, options: ProductOptions) -> Raster:
    """The reflectance of a product, `(band, y, x)` float32 and lazy, with NaN where nothing is known.

    Scale factors and offsets are applied. Pixels that the quality layers mark are NaN, as `options.quality` says;
    `facts` of the raster tells which and how many.

    Args:
        path: folder, archive, metadata file or HDF5 file.
        sensor: as `product_of` or `hdf5_product` told it.
        options: what the user said.

    Raises:
        FileFormatError: a file is missing, damaged or truncated, there are several products, or the processing level
            is not one that is read.
    """
    module = importlib.import_module(f"specdm.scenes.readers.products.{sensor}")
    raster: Raster = module.read(path, options)
    if options.resolution is not None and sensor != "sentinel2":
        raster.facts.append(f"resolution={options.resolution} does not apply: the bands have pixels of one size")
    return raster
