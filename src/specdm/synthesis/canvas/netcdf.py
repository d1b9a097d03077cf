"""Scenes as NetCDF 4 by the CF conventions, block by block, as `specdm.scenes.readers.netcdf` reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from specdm.models.pixels import Pixels
from specdm.scenes.georeference import georeferenced
from specdm.scenes.scene import Scene
from specdm.scenes.write_failures import os_errors
from specdm.synthesis.canvas.files import SceneHead, mask_words
from specdm.synthesis.canvas.windows import Area


class NetCDFWriter:
    """One file with the variables `image (date, band, y, x)`, `mask (y, x)` (`mask_LAYER` with several layers, whose
    names are in the attribute `layer`) and `amount (quantity, y, x)`.

    Args:
        path: of a new file.
        head: of the scene.
        block: pixels along a chunk.

    Raises:
        OSError: from each method, where the place is full or not writable.
    """

    def __init__(self, path: Path, head: SceneHead, *, block: int):
        self._path, self._head = path, head
        # the library raises RuntimeError where HDF5 cannot write
        with os_errors(path, RuntimeError):
            self._begin(block)

    def _begin(self, block: int) -> None:
        from netCDF4 import Dataset

        head = self._head
        self._file = Dataset(self._path, "w", format="NETCDF4")
        facts, grid = head.facts, {"y": head.height, "x": head.width}
        quantities = 0 if facts.quantities is None else len(facts.quantities)
        sizes = {"date": len(facts.dates), "band": len(facts.band_name), **grid}
        for name, size in {**sizes, **({"quantity": quantities} if quantities else {})}.items():
            self._file.createDimension(name, size)
        place = self._coordinates()
        attrs: dict[str, Any] = {"Conventions": "CF-1.10", "title": head.name, "note": head.note, **head.attrs}
        self._file.setncatts(attrs)

        def variable(name: str, dtype: str, lead: tuple[int, ...], dims: tuple[str, ...], **options: Any) -> Any:
            chunks = (*lead, min(block, head.height), min(block, head.width))
            made = self._file.createVariable(name, dtype, (*dims, "y", "x"), chunksizes=chunks, **options)
            # a few chunks: the library would else keep more the larger the scene
            made.set_var_chunk_cache(size=4 * int(np.prod(chunks)) * made.dtype.itemsize)
            made.setncatts(place)
            return made

        lead = (1, len(facts.band_name))
        self._image = variable("image", "f4", lead, ("date", "band"), fill_value=np.float32("nan"))
        named = [name for name in ("wavelength", "fwhm", "band_name") if name in self._file.variables]
        units = {"units": facts.image_units} if facts.image_units else {}
        self._image.setncatts({"coordinates": " ".join(named), **units})
        self._masks = [variable(n, "i2", (), (), zlib=True, fill_value=False) for n in mask_variables(head)]
        for mask, layer in zip(self._masks, facts.layers, strict=True):
            mask.setncatts({} if facts.classes is None else _attributes(facts.classes.to_attrs()))
            mask.setncatts({"layer": str(layer)} if len(facts.layers) > 1 else {})
        self._amounts = None
        if quantities and facts.quantities is not None:
            self._amounts = variable("amount", "f4", (quantities,), ("quantity",), fill_value=np.float32("nan"))
            unit = next(iter(set(facts.quantities.units))) if len(set(facts.quantities.units)) == 1 else ""
            self._amounts.setncatts({**facts.quantities.to_attrs(), **({"units": unit} if unit else {})})

    def write(self, area: Area, pixels: Pixels) -> None:
        """Write the pixels of an area, of which the first tile has at least the area's size."""
        image, masks, amounts = self._head.values(pixels, area)
        with os_errors(self._path, RuntimeError):
            self._image[:, :, *area.slices] = image
            for variable, mask in zip(self._masks, masks, strict=True):
                variable[area.slices] = mask
            if self._amounts is not None:
                self._amounts[:, *area.slices] = amounts

    def close(self) -> None:
        """Finish the file."""
        if self._file.isopen():
            with os_errors(self._path, RuntimeError):
                self._file.close()

    def _coordinates(self) -> dict[str, str]:
        """Write what is known of dates, bands and place; attributes that bind variables to the place."""
        facts, head = self._head.facts, self._head
        for name, dim, values, attrs in (
            ("date", "date", facts.dates, {"long_name": "label of the date"}),
            ("band_name", "band", facts.band_name, {}),
            ("wavelength", "band", facts.wavelength, {"units": "nm", "standard_name": "radiation_wavelength"}),
            ("fwhm", "band", facts.fwhm, {"units": "nm", "long_name": "full width at half maximum"}),
            ("band_sensor", "band", facts.band_sensor, {}),
            ("date_sensor", "date", facts.date_sensor, {}),
            ("quantity", "quantity", None if facts.quantities is None else facts.quantities.names, {}),
        ):
            if values is not None:
                array = np.asarray(values)
                texts = array.dtype.kind not in "iuf"
                variable = self._file.createVariable(name, str if texts else array.dtype, (dim,))
                variable[:] = array.astype(object) if texts else array
                variable.setncatts(attrs)
        if head.transform is None:
            return {}
        empty = xr.DataArray(np.zeros((head.height, head.width), np.uint8), dims=("y", "x"))
        placed = georeferenced(empty, crs=head.crs, transform=head.transform)
        if "spatial_ref" not in placed.coords:
            return {}
        for name in ("y", "x"):
            if name in placed.coords:
                variable = self._file.createVariable(name, "f8", (name,))
                variable[:] = placed[name].values
                variable.setncatts(_attributes({"axis": name.upper(), **placed[name].attrs}))
        self._file.createVariable("spatial_ref", "i4").setncatts(_attributes(placed["spatial_ref"].attrs))
        return {"grid_mapping": "spatial_ref"}


def mask_variables(head: SceneHead) -> list[str]:
    """What the mask's layers are called in a file."""
    return [f"mask{word}" for word in mask_words(head.facts)]


def open_netcdf(path: Path, head: SceneHead) -> Scene:
    """The scene that `NetCDFWriter` wrote, lazily."""
    data = xr.open_dataset(path, engine="netcdf4", chunks={}, mask_and_scale=False, decode_times=False)
    masks = [data[name].data for name in mask_variables(head)]
    return head.scene(path, data["image"].data, masks, data["amount"].data if "amount" in data else None)


def _attributes(attrs: Any) -> dict[str, Any]:
    """Without what NetCDF has no type for."""
    return {key: value for key, value in attrs.items() if value is not None}
