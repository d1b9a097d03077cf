"""Which sensor's product a path is: by the names that the product specifications give to files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from specdm.scenes.readers.products.files import ProductFiles, archive_names, is_archive, product_files

Sensor = Literal["enmap", "desis", "sentinel2", "landsat", "prisma", "emit"]

# Each sensor's metadata file, from whose name the product's other names follow ("id").
METADATA: dict[Sensor, re.Pattern[str]] = {
    "enmap": re.compile(r"(?P<id>ENMAP\d\d-.*)-METADATA\.XML", re.IGNORECASE),
    "desis": re.compile(r"(?P<id>DESIS-HSI-.*)-METADATA\.XML", re.IGNORECASE),
    "landsat": re.compile(
        r"(?P<id>L[A-Z]\d\d_L\w{3}_\d{6}_\d{8}_\d{8}_\d\d_\w\w)_MTL\.(?:json|txt|xml)", re.IGNORECASE
    ),
    "sentinel2": re.compile(r"(?P<id>)(?:MTD_MSIL\w\w\.xml|S2\w_.*_MTD_\w+\.xml)", re.IGNORECASE),
}

# Files that only a product has: a folder with one of each kind, but without metadata, is an incomplete product.
_PARTS: dict[Sensor, tuple[re.Pattern[str], re.Pattern[str]]] = {
    "enmap": (
        re.compile(r"ENMAP\d\d-.*-SPECTRAL_IMAGE(?:_\w+)?\.TIF", re.IGNORECASE),
        re.compile(r"ENMAP\d\d-.*-QL_QUALITY_CLOUD(?:_COG)?\.TIF", re.IGNORECASE),
    ),
    "desis": (
        re.compile(r"DESIS-HSI-.*-SPECTRAL_IMAGE\.TIF", re.IGNORECASE),
        re.compile(r"DESIS-HSI-.*-QL_QUALITY(?:-2)?\.TIF", re.IGNORECASE),
    ),
    "landsat": (
        re.compile(r"L[A-Z]\d\d_L\w{3}_\d{6}_.*_SR_B\d\.TIF", re.IGNORECASE),
        re.compile(r"L[A-Z]\d\d_L\w{3}_\d{6}_.*_QA_PIXEL\.TIF", re.IGNORECASE),
    ),
}
_SAFE = re.compile(r"S2\w_(?:MSI|OPER_PRD_MSI).*\.SAFE", re.IGNORECASE)
_IMAGE = re.compile(r"(?P<id>(?:ENMAP\d\d|DESIS-HSI)-.*)-SPECTRAL_IMAGE(?:_COG)?\.TIF", re.IGNORECASE)
_COMPANION = re.compile(r"EMIT_L2A_(?:MASK|RFLUNCERT)_.*\.nc", re.IGNORECASE)


def product_of(path: Path) -> Sensor | None:
    """The sensor of the product that a folder, an archive or a metadata file is; None if it is no product.

    An EnMAP or DESIS image counts if it is L2A and its metadata lie beside it; one of another level is a plain GeoTIFF,
    while its folder, archive and metadata are a product, which is then refused. HDF5 and NetCDF files are for
    `hdf5_product`.

    Raises:
        FileFormatError: an archive that is damaged or truncated.
    """
    if path.is_dir():
        found = _by_names(_listed(path))
        return found or ("sentinel2" if _SAFE.fullmatch(path.name) else None)
    if not path.is_file():
        return None
    if is_archive(path):
        # a folder of Sentinel-2 that lacks its metadata is an incomplete product
        folders = {name.removeprefix("./").split("/")[0] for name in archive_names(path)}
        found = _by_names(archive_names(path, most=2))
        return found or ("sentinel2" if any(map(_SAFE.fullmatch, folders)) else None)
    for sensor, pattern in METADATA.items():
        if pattern.fullmatch(path.name):
            return sensor
    image = _IMAGE.fullmatch(path.name)
    if image is not None and level_of(path.name) == "L2A":
        beside = {name.lower() for name in _listed(path.parent)}
        if f"{image['id']}-metadata.xml".lower() in beside:
            return "enmap" if image["id"].upper().startswith("ENMAP") else "desis"
    return None


def is_product(path: Path) -> bool:
    """Whether a folder or an archive is one product, and so one scene.

    Raises:
        FileFormatError: an archive that is damaged or truncated; passed over, a scene would be missing unnoticed.
    """
    return (path.is_dir() or is_archive(path)) and product_of(path) is not None


def is_companion(path: Path) -> bool:
    """Whether a file belongs to a product beside it and is no image of its own: EMIT's masks and uncertainties."""
    return _COMPANION.fullmatch(path.name) is not None


def hdf5_product(path: Path) -> Sensor | None:
    """The sensor of the product that an HDF5 or NetCDF 4 file is, told by its groups.

    Raises:
        OSError, RuntimeError, KeyError: the file is damaged.
    """
    import h5py

    with h5py.File(path, "r") as file:
        swaths = file.get("HDFEOS/SWATHS")
        if swaths is not None and any(str(name).startswith("PRS_L") for name in swaths):
            return "prisma"
        if "sensor_band_parameters" in file and ("reflectance" in file or "radiance" in file):
            return "emit"
    return None


def files_of(path: Path, sensor: Sensor) -> ProductFiles:
    """The files of the one product that a folder, an archive, a metadata file or the image beside it is.

    Raises:
        FileFormatError: several products.
    """
    match = METADATA[sensor].fullmatch(path.name) or _IMAGE.fullmatch(path.name)
    if match is not None and path.is_file():
        return product_files(path, ids=[], named=match["id"])
    names = archive_names(path) if is_archive(path) else _listed(path)
    return product_files(path, ids=_ids_among(sensor, names), named=None)


def level_of(name: str) -> str:
    """The processing level that the name of an EnMAP or DESIS file states, such as "L2A"; else "unknown"."""
    found = re.search(r"(?:^|[-_/])(L\d[A-Z]?)-", name, re.IGNORECASE)
    return "unknown" if found is None else found[1].upper()


def _ids_among(sensor: Sensor, names: Iterable[str]) -> list[str]:
    """What the products are called whose metadata are among these names."""
    matches = [METADATA[sensor].fullmatch(Path(name).name) for name in names]
    return list(dict.fromkeys(match["id"] for match in matches if match is not None))


def _by_names(names: list[str]) -> Sensor | None:
    names = [Path(name).name for name in names]
    for sensor, pattern in METADATA.items():
        if any(pattern.fullmatch(name) for name in names):
            return sensor
    for sensor, parts in _PARTS.items():
        if all(any(part.fullmatch(name) for name in names) for part in parts):
            return sensor
    return None


def _listed(folder: Path) -> list[str]:
    try:
        return [item.name for item in folder.iterdir()]
    except OSError:
        return []
