"""The formats there are."""

from __future__ import annotations

from specdm.errors import ConfigError
from specdm.tiles.export.envi import ENVI
from specdm.tiles.export.geotiff import GEOTIFF
from specdm.tiles.export.huggingface import HUGGING_FACE
from specdm.tiles.export.mat import MAT
from specdm.tiles.export.npz import NPZ
from specdm.tiles.export.protocol import ExportFormat
from specdm.tiles.export.webdataset import WEBDATASET

FORMATS: dict[str, ExportFormat] = {entry.name: entry for entry in (GEOTIFF, ENVI, NPZ, MAT, WEBDATASET, HUGGING_FACE)}


def find_format(name: str) -> ExportFormat:
    """The format of this name, whatever the letters' case.

    Raises:
        ConfigError: there is none.
    """
    if name.lower() not in FORMATS:
        raise ConfigError(f"there is no export format {name!r}; expected one of {', '.join(FORMATS)}")
    return FORMATS[name.lower()]
