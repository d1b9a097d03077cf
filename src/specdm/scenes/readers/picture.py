"""PNG, BMP and GIF: masks as palette positions or grey values, images as channels."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import xarray as xr

from specdm.errors import FileFormatError
from specdm.scenes.raster import Raster
from specdm.scenes.readers.lazy import one_line

_LIMIT = Lock()


def read_picture(path: Path) -> Raster:
    """A picture: one band of palette positions or grey values; three bands if it is in colour.

    A colour picture whose channels are all the same counts as grey; transparency is left out.

    Raises:
        FileFormatError: damaged or truncated.
    """
    colors: dict[int, str] = {}
    try:
        with _open(path) as picture:
            kind = picture.format or "picture"
            picture.load()
            if picture.mode == "P":
                array = np.asarray(picture)
                colors = _palette(picture, np.unique(array))
            elif picture.mode == "1":
                array = np.asarray(picture).astype(np.uint8)
            elif picture.mode in ("L", "I", "F") or picture.mode.startswith("I;16"):
                array = np.asarray(picture)
            elif picture.mode == "LA":
                array = np.asarray(picture)[..., 0]
            else:
                array = np.asarray(picture.convert("RGB"))
                if (array[..., :1] == array).all():
                    array = array[..., 0]
    except Exception as error:  # Pillow raises OSError, SyntaxError, ValueError for damaged pictures
        raise FileFormatError(
            f"{path}: cannot be read as a picture, it is damaged ({one_line(error)})"
        ) from error
    cube = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
    return Raster(
        path=path,
        values=xr.DataArray(cube, dims=("band", "y", "x")),
        format=kind,
        band_name=("red", "green", "blue") if len(cube) == 3 else None,
        class_colors=colors,
    )


def _open(path: Path) -> Any:
    """A picture of any size. Pillow refuses large ones, since a stranger's may be made to fill memory; a user's own
    mask of a whole scene is no such picture."""
    from PIL import Image

    # Pillow keeps its limit in a variable of the module and looks at it when it reads the header
    with _LIMIT:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(path)
        finally:
            Image.MAX_IMAGE_PIXELS = before


def _palette(picture: object, used: np.ndarray) -> dict[int, str]:
    flat = picture.getpalette("RGB") or []  # type: ignore[attr-defined]
    table = np.array(flat, int).reshape(-1, 3)
    used = used[used < len(table)]
    if (table[used] == table[used][:, :1]).all():
        return {}  # greys are values made visible, not colours that anyone chose
    return {int(value): "#{:02x}{:02x}{:02x}".format(*table[value]) for value in used}
