"""EnMAP L2A: `ENMAP01-____L2A-DT..._TIME_TILE_VERSION_TIME-METADATA.XML`, `-SPECTRAL_IMAGE.TIF`, `-QL_*.TIF`.

Layout: "EnMAP HSI Level 1 / Level 2 Products Specification" (EN-PCV-ICD-2009-2, DLR); element names, nodata and the
values of the quality layers as read by DLR's and GFZ's own open tools (EnMAP-Box, EnPT, UKIS tutorials). Files may
carry `_COG` before their ending, as DLR's STAC catalogue delivers them.

The 224 bands of both spectrometers are kept in the product's order, by wavelength, their overlap at 900 to 1000 nm
included. Bands in the water vapour that the processor gives up hold nodata throughout and are left out as such.

`QL_PIXELMASK` (one layer a band) marks defective detector elements, which the processor interpolates. They are not
made no data unless asked for ("defective"): as each is a whole column of the detector in one band, they would together
take a large part of all pixels. `QL_QUALITY_TESTFLAGS` is not used.
"""

from __future__ import annotations

from pathlib import Path

from specdm.scenes.raster import Raster
from specdm.scenes.readers.products.metadata import Metadata
from specdm.scenes.readers.products.options import ProductOptions
from specdm.scenes.readers.products.spectral_image import Bands, Layer, band_table, read_spectral_image

LAYERS = (
    Layer("cloud", "QL_QUALITY_CLOUD", values=(1,)),
    Layer("cirrus", "QL_QUALITY_CIRRUS", values=(1, 2, 3)),  # thin, medium, thick
    Layer("shadow", "QL_QUALITY_CLOUDSHADOW", values=(1,)),
    Layer("haze", "QL_QUALITY_HAZE", values=(1,)),
    Layer("snow", "QL_QUALITY_SNOW", values=(1,)),
    Layer("water", "QL_QUALITY_CLASSES", values=(2,)),  # 1 land, 2 water, 3 background
    Layer("defective", "QL_PIXELMASK", band=None, values=(1,)),
)
DEFAULT = ("cloud", "cirrus", "shadow")


def read(path: Path, options: ProductOptions) -> Raster:
    """The raster of a product; see `read_product`."""
    return read_spectral_image(
        path, options, sensor="enmap", title="EnMAP", bands_of=_bands, layers=LAYERS, default=DEFAULT
    )


def _bands(metadata: Metadata) -> Bands:
    return band_table(
        metadata, "specific/bandCharacterisation/bandID", centre="wavelengthCenterOfBand", width="FWHMOfBand",
        gain="GainOfBand", offset="OffsetOfBand",
    )  # fmt: skip
