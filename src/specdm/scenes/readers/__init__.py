"""One reader a format; `read_raster` finds the right one by what is in the file."""

from __future__ import annotations

from pathlib import Path

from specdm.errors import FileFormatError
from specdm.scenes.raster import Raster
from specdm.scenes.readers.arrays import ArrayOptions, Layout, Order, Role
from specdm.scenes.readers.detect import detect_format

__all__ = ["ArrayOptions", "array_shapes", "read_raster"]


def read_raster(
    path: str | Path,
    *,
    variable: str | None = None,
    rows: int | None = None,
    columns: int | None = None,
    order: Order | None = None,
    layout: Layout | None = None,
    role: Role = "image",
    position: int | None = None,
) -> Raster:
    """One image or mask file as `(band, y, x)` with what the file says about it, nothing interpreted.

    Args:
        path: the file (or Zarr folder); told by its content, so a wrong ending does not matter.
        variable: array to take from a file with several; default: for an image the one with the most bands.
        rows, columns: grid of a flattened matrix; default: what the file states.
        order: whether its pixels run column by column ("F", default for MATLAB) or row by row ("C").
        layout: order of the dimensions of an array without names, "yxb" (default) or "byx"; with a
            dimension of dates in front "dyxb" or "dbyx".
        role: whether an image or a mask is looked for, for files that hold both.
        position: which date, for an array with a dimension of dates.

    Raises:
        FileFormatError: not there, of no readable kind, damaged, truncated, or not clear which array is
            meant.
    """
    # heavy libraries load only with the reader that needs them
    path = Path(path)
    options = ArrayOptions(
        variable=variable, rows=rows, columns=columns, order=order, layout=layout, role=role,
        position=position,
    )  # fmt: skip
    kind = detect_format(path)
    if kind == "matlab5":
        from specdm.scenes.readers.matlab import read_matlab5

        return read_matlab5(path, options)
    if kind == "hdf5":
        from specdm.scenes.readers.hdf5 import is_netcdf, read_hdf5

        if not is_netcdf(path):
            return read_hdf5(path, options)
        kind = "netcdf"
    if kind in ("netcdf", "zarr"):
        from specdm.scenes.readers.netcdf import read_netcdf

        return read_netcdf(path, options, engine="zarr" if kind == "zarr" else "netcdf4")
    if kind == "npy":
        from specdm.scenes.readers.numpy_file import read_npy

        return read_npy(path, options)
    if kind == "npz":
        from specdm.scenes.readers.numpy_file import read_npz

        return read_npz(path, options)
    if variable is not None:
        raise FileFormatError(f"{path}: holds one raster without names; leave the variable {variable!r} out")
    if kind == "envi":
        from specdm.scenes.readers.envi import read_envi

        return read_envi(path)
    if kind == "picture":
        from specdm.scenes.readers.picture import read_picture

        return read_picture(path)
    from specdm.scenes.readers.geotiff import read_geotiff

    return read_geotiff(path)


def array_shapes(path: str | Path) -> dict[str, tuple[int, ...]]:
    """Arrays of numbers in a file that can hold several, with their shapes; nothing is loaded.

    Shapes are as users of the format see them, `(y, x, band)` or `(date, y, x, band)` where dimensions have names.
    A file that holds one raster without names gives nothing, a `.npy` file its one shape under "".

    Raises:
        FileFormatError: not there, of no readable kind, damaged or truncated.
    """
    path = Path(path)
    kind = detect_format(path)
    if kind == "matlab5":
        from specdm.scenes.readers.matlab import matlab5_shapes

        return matlab5_shapes(path)
    if kind == "npz":
        from specdm.scenes.readers.numpy_file import npz_shapes

        return npz_shapes(path)
    if kind == "npy":
        from specdm.scenes.readers.numpy_file import npy_shape

        return {"": npy_shape(path)}
    if kind == "hdf5":
        from specdm.scenes.readers.hdf5 import hdf5_shapes, is_netcdf

        if not is_netcdf(path):
            return hdf5_shapes(path)
        kind = "netcdf"
    if kind in ("netcdf", "zarr"):
        from specdm.scenes.readers.netcdf import netcdf_shapes

        return netcdf_shapes(path, engine="zarr" if kind == "zarr" else "netcdf4")
    return {}
