"""What a file is, told by its first bytes; the name decides only where bytes cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from specdm.errors import FileFormatError
from specdm.scenes.readers.folder_listing import files_beside
from specdm.scenes.readers.products.detect import product_of

Format = Literal["matlab5", "hdf5", "envi", "gdal", "netcdf", "zarr", "npy", "npz", "picture", "product"]

READABLE = (
    "MATLAB .mat, ENVI .hdr with its data file, GeoTIFF, NetCDF, Zarr, HDF5, NumPy .npy or .npz, "
    "PNG or BMP masks, and products of EnMAP, DESIS, PRISMA, EMIT, Sentinel-2 and Landsat"
)

_HDF5 = b"\x89HDF\r\n\x1a\n"
_TIFF = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"BM", b"GIF8")
_GDAL_SUFFIXES = {".jp2", ".vrt", ".img", ".pix"}
_ENVI_SUFFIXES = {"", ".img", ".dat", ".raw", ".bin", ".bsq", ".bil", ".bip", ".sli", ".envi", ".cube"}
_EXPECTED = {
    ".mat": "a MATLAB", ".tif": "a TIFF", ".tiff": "a TIFF", ".nc": "a NetCDF", ".nc4": "a NetCDF",
    ".npy": "a NumPy", ".npz": "a NumPy", ".h5": "an HDF5", ".hdf5": "an HDF5", ".he5": "an HDF5",
    ".png": "a PNG", ".bmp": "a BMP", ".hdr": "an ENVI header",
}  # fmt: skip


def detect_format(path: Path) -> Format:
    """What kind of file this is. A "product" is a folder, archive or metadata file; products in HDF5 are "hdf5".

    Raises:
        FileFormatError: there is no such file, it is empty, a folder that is no Zarr store, or of no known
            kind.
    """
    if path.is_dir() and is_zarr(path):
        return "zarr"
    if product_of(path) is not None:
        return "product"
    if path.is_dir():
        raise FileFormatError(f"{path}: is a folder, not a Zarr store; expected one file ({READABLE})")
    if not path.exists():
        raise FileFormatError(f"{path}: there is no such file")
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be opened ({error.strerror or error})") from None
    if not head:
        raise FileFormatError(f"{path}: is empty (0 bytes); copy or download it again")
    suffix = path.suffix.lower()
    if head.lstrip()[:4] == b"ENVI" and suffix == ".hdr":
        return "envi"
    # raw binary data may begin with any bytes, so the header beside it counts more than they do
    if suffix in _ENVI_SUFFIXES and envi_header_of(path) is not None:
        return "envi"
    return _by_content(path, head, suffix)


def _by_content(path: Path, head: bytes, suffix: str) -> Format:
    if head.startswith(b"MATLAB 5.0"):
        return "matlab5"
    if head.startswith(b"MATLAB 7.3"):
        if len(head) < 520 or head[512:520] != _HDF5:
            raise FileFormatError(f"{path}: is a MATLAB 7.3 file cut off in its header; copy it again")
        return "hdf5"
    # HDF5 may start after a user block of 512, 1024, ... bytes
    if any(head[at : at + 8] == _HDF5 for at in (0, 512, 1024, 2048)):
        return "hdf5"
    if head.startswith((b"CDF\x01", b"CDF\x02", b"CDF\x05")):
        return "netcdf"
    if head.startswith(_TIFF):
        return "gdal"
    if head.startswith(b"\x93NUMPY"):
        return "npy"
    if head.startswith(b"PK\x03\x04") and suffix in (".npz", ".npy"):
        return "npz"
    if head.startswith(_PICTURES):
        return "picture"
    if suffix in _GDAL_SUFFIXES:
        return "gdal"
    if suffix == ".mat":
        return "matlab5"  # version 4 has no signature; the reader says whether it is one
    if suffix in _EXPECTED:
        raise FileFormatError(
            f"{path}: is not {_EXPECTED[suffix]} file, whatever its name says, or it is damaged; expected "
            f"{READABLE}"
        )
    if head.startswith(b"\xff\xd8\xff"):
        raise FileFormatError(
            f"{path}: is a JPEG picture, which does not keep exact values; expected {READABLE}"
        )
    raise FileFormatError(f"{path}: is of no kind that can be read; expected {READABLE}")


def is_zarr(path: Path) -> bool:
    """Whether a folder is a Zarr store."""
    return any((path / name).is_file() for name in ("zarr.json", ".zgroup", ".zmetadata", ".zarray"))


def envi_header_of(path: Path) -> Path | None:
    """The ENVI header beside a data file: `name.hdr` or `name.ext.hdr`, in any case of letters."""
    found = files_beside(path, {f"{path.name}.hdr".lower(), f"{path.stem}.hdr".lower()})
    # the header named after the whole file name is the nearer one
    for header in sorted(found, key=lambda other: -len(other.name)):
        with header.open("rb") as file:
            if file.read(64).lstrip()[:4] == b"ENVI":
                return header
    return None


def envi_data_of(header: Path) -> Path | None:
    """The data file that an ENVI header describes, or None if it is not there."""
    whole = header.name[: -len(".hdr")].lower()
    exact = files_beside(header, {whole})
    beside = exact or files_beside(header, {whole + suffix for suffix in _ENVI_SUFFIXES})
    return beside[0] if beside else None
