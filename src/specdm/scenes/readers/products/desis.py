"""DESIS L2A: `DESIS-HSI-L2A-DT..._TILE-TIME-VERSION-METADATA.xml`, `-SPECTRAL_IMAGE.tif`, `-QL_QUALITY-2.tif`.

Layout: "DESIS Product Specification" (PAV-DLR-ICD-003, issue 1.0, 2019-06-04, DLR). Element names, nodata and the order
of the bands of `QL_QUALITY-2` (shadow, land, snow, haze over land, haze over water, cloud over land, cloud over water,
water, then aerosol and water vapour) as open readers of the product use them. `QL_QUALITY` (one layer a band) is not
used.
"""

from __future__ import annotations

from pathlib import Path

from specdm.scenes.raster import Raster
from specdm.scenes.readers.products.metadata import Metadata
from specdm.scenes.readers.products.options import ProductOptions
from specdm.scenes.readers.products.spectral_image import Bands, Layer, band_table, read_spectral_image

_FILE = "QL_QUALITY-2"
LAYERS = (
    Layer("cloud", _FILE, band=6),
    Layer("cloud", _FILE, band=7),
    Layer("shadow", _FILE, band=1),
    Layer("haze", _FILE, band=4),
    Layer("haze", _FILE, band=5),
    Layer("snow", _FILE, band=3),
    Layer("water", _FILE, band=8),
)
DEFAULT = ("cloud", "shadow")


def read(path: Path, options: ProductOptions) -> Raster:
    """The raster of a product; see `read_product`."""
    return read_spectral_image(
        path, options, sensor="desis", title="DESIS", bands_of=_bands, layers=LAYERS, default=DEFAULT
    )


def _bands(metadata: Metadata) -> Bands:
    # bands occur in interiorOrientation too, so the path is given in full
    return band_table(
        metadata, "specific/bandCharacterisation/band", centre="wavelengthCenterOfBand",
        width="wavelengthWidthOfBand", gain="gainOfBand", offset="offsetOfBand",
    )  # fmt: skip
