"""One reader a format; `read_raster` finds the right one by what is in the file."""

from __future__ import annotations

from pathlib import Path

from specdm.errors import FileFormatError
from specdm.scenes.raster import Raster
from specdm.scenes.readers.arrays import ArrayOptions, Layout, Order, Role
from specdm.scenes.readers.detect import detect_format
from specdm.scenes.readers.products.options import ProductOptions, Quality

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
    resolution: int | None = None,
    quality: Quality | None = None,
) -> Raster:
    """One image or mask file as `(band, y, x)` with what the file says about it, nothing interpreted.

    Args:
        path: the file (or Zarr folder), told by its content, so a wrong ending does not matter; or a sensor's product:
            its folder, archive or metadata file.
        variable: array to take from a file with several; default: for an image the one with the most bands.
        rows, columns: grid of a flattened matrix; default: what the file states.
        order: whether its pixels run column by column ("F", default for MATLAB) or row by row ("C").
        layout: order of the dimensions of an array without names, "yxb" (default) or "byx"; with a
            dimension of dates in front "dyxb" or "dbyx".
        role: whether an image or a mask is looked for, for files that hold both.
        position: which date, for an array with a dimension of dates.
        resolution, quality: of sensor products, see `ProductOptions`; of no account for other files.

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
    product = ProductOptions(resolution=resolution, quality=quality)
    kind = detect_format(path)
    if kind == "product":
        return _read_product(path, product, variable=variable)
    if kind == "matlab5":
        from specdm.scenes.readers.matlab import read_matlab5

        return read_matlab5(path, options)
    if kind == "hdf5":
        from specdm.scenes.readers.hdf5 import is_netcdf, read_hdf5

        if _hdf5_product(path, variable) is not None:
            return _read_product(path, product, variable=variable)
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

        if _hdf5_product(path, None) is not None:
            return {}

        if not is_netcdf(path):
            return hdf5_shapes(path)
        kind = "netcdf"
    if kind in ("netcdf", "zarr"):
        from specdm.scenes.readers.netcdf import netcdf_shapes

        return netcdf_shapes(path, engine="zarr" if kind == "zarr" else "netcdf4")
    return {}


def _read_product(path: Path, options: ProductOptions, *, variable: str | None) -> Raster:
    from specdm.scenes.readers.products import emit
    from specdm.scenes.readers.products.detect import hdf5_product, product_of
    from specdm.scenes.readers.products.read import read_product

    sensor = product_of(path) or hdf5_product(path)
    if sensor == "emit" and variable == emit.ARRAY:
        return emit.read(path, options, mapped=False)
    if sensor is None or variable is not None:
        raise FileFormatError(f"{path}: is a product without named arrays; leave the variable {variable!r} out")
    return read_product(path, sensor, options)


def _hdf5_product(path: Path, variable: str | None) -> str | None:
    """The sensor of a product in HDF5, unless another array of it is named, which is then read as it is."""
    from specdm.scenes.readers.hdf5 import damaged
    from specdm.scenes.readers.products import emit
    from specdm.scenes.readers.products.detect import hdf5_product

    try:
        sensor = hdf5_product(path)
    except (OSError, RuntimeError, KeyError) as error:
        raise damaged(path, error) from error
    return sensor if variable is None or (sensor == "emit" and variable == emit.ARRAY) else None
