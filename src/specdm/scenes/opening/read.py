"""A source to a raster, whatever it is: a file, an array, one date of several, or a file a band."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr

from specdm.errors import MaskError, SceneError
from specdm.scenes.georeference import check_same_place
from specdm.scenes.images import without_nodata
from specdm.scenes.opening.plan import RasterSource
from specdm.scenes.pairs import Source, source_name
from specdm.scenes.raster import Raster
from specdm.scenes.readers import read_raster
from specdm.scenes.readers.arrays import ArrayOptions


def read_source(source: RasterSource, options: ArrayOptions) -> Raster:
    """The raster of a source.

    Args:
        source: what to read.
        options: what the user said of arrays that do not describe themselves.

    Raises:
        FileFormatError: a file is missing, damaged or holds several candidates.
        SceneError: files of single bands that have several, or differ in size.
    """
    options = replace(options, variable=source.variable, position=source.position)
    if len(source.files) == 1:
        return _read(source.files[0], options)
    return _stacked(source, [_read(file, options) for file in source.files])


def check_grid(image: Raster, mask: Raster) -> None:
    """Make sure that a mask lies on the image's pixels.

    Raises:
        MaskError: another size, or another place.
    """
    if image.grid != mask.grid:
        hint = "; it looks turned on its side, transpose it" if image.grid == mask.grid[::-1] else ""
        if (image.grid[1], image.n_bands) == mask.grid:
            hint = '; its bands seem to come first, so say layout="byx" (--layout byx)'
        hint = hint or "; if one of them is a flattened matrix give rows= and columns= (--rows, --columns)"
        raise MaskError(
            f"{mask.path}: the mask has {mask.grid[0]} x {mask.grid[1]} px, the image {image.path} has "
            f"{image.grid[0]} x {image.grid[1]} px (rows x columns); expected the same{hint}"
        )
    check_same_place(image.values, mask.values, image_name=str(image.path), mask_name=str(mask.path))


def _read(source: Source, options: ArrayOptions) -> Raster:
    if isinstance(source, np.ndarray):
        from specdm.scenes.readers.numpy_file import array_raster

        return array_raster(source, name=source_name(source), options=options)
    return read_raster(
        source,
        variable=options.variable,
        rows=options.rows,
        columns=options.columns,
        order=options.order,
        layout=options.layout,
        role=options.role,
        position=options.position,
        resolution=options.resolution,
        quality=options.quality,
    )


def _stacked(source: RasterSource, rasters: list[Raster]) -> Raster:
    """One raster of files that hold a band each; its path is their folder."""
    first = rasters[0]
    for raster in rasters:
        if raster.n_bands != 1:
            raise SceneError(f"{raster.path}: has {raster.n_bands} bands; expected a file a band, with one each")
        if raster.grid != first.grid:
            raise SceneError(
                f"{raster.path}: has {raster.grid[0]} x {raster.grid[1]} px, {first.path.name} beside it "
                f"{first.grid[0]} x {first.grid[1]} px; expected all bands resampled to one grid"
            )
    if len({raster.nodata for raster in rasters}) > 1:
        # each file's own value means nothing in the others
        rasters = [
            replace(one, values=without_nodata(one.values, [one.nodata]), nodata=None) for one in rasters
        ]
        first = rasters[0]
    values = first.values.isel(band=0, drop=True)
    data = xr.concat(
        [values, *(raster.values.isel(band=0, drop=True).drop_vars(["x", "y", "spatial_ref"], errors="ignore")
                   for raster in rasters[1:])],
        dim="band", coords="minimal", compat="override", join="override",
    )  # fmt: skip
    return replace(
        first,
        path=Path(source.files[0]).parent if isinstance(source.files[0], (str, Path)) else first.path,
        values=data.transpose("band", "y", "x"),
        wavelength=_listed([raster.wavelength for raster in rasters]),
        fwhm=_listed([raster.fwhm for raster in rasters]),
        band_name=source.band_names,
        good=None,
    )


def _listed(parts: list[np.ndarray | None]) -> np.ndarray | None:
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if len(known) == len(parts) else None
