"""What MATLAB, HDF5 and .npz files say about an array through other arrays beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from specdm.scenes.wavelengths import to_nanometres

ROW_NAMES = {"nrow", "nrows", "rows", "row", "lines", "nlines", "height"}
COLUMN_NAMES = {"ncol", "ncols", "ncolumn", "ncolumns", "cols", "columns", "col", "samples", "width"}
WAVELENGTH_NAMES = {
    "wavelength",
    "wavelengths",
    "wl",
    "lambda",
    "wave",
    "bandcenters",
    "band_centers",
    "centers",
}
FWHM_NAMES = {"fwhm", "bandwidth", "bandwidths"}
NAME_LISTS = {"cood", "names", "classnames", "class_names", "labelnames", "label_names", "endmembers"}
SCALE_NAMES = {"maxvalue", "max_value", "scale_factor", "scalefactor"}


def stated_grid(scalars: Mapping[str, float]) -> tuple[int, int] | None:
    """Rows and columns that a file states as two single numbers."""
    rows = next((v for name, v in scalars.items() if name.lower() in ROW_NAMES), None)
    columns = next((v for name, v in scalars.items() if name.lower() in COLUMN_NAMES), None)
    if rows is None or columns is None or rows < 1 or columns < 1 or rows % 1 or columns % 1:
        return None
    return int(rows), int(columns)


def stated_factors(scalars: Mapping[str, float]) -> dict[str, Any]:
    """Factors that a file states; reported, never applied, since files differ in what they mean by them."""
    return {name: value for name, value in scalars.items() if name.lower() in SCALE_NAMES}


def stated_bands(
    vectors: Mapping[str, np.ndarray], n_bands: int
) -> tuple[np.ndarray | None, np.ndarray | None, str | None]:
    """Centres and widths in nm that a file holds as vectors of one number a band, and a remark."""
    found: dict[str, np.ndarray] = {}
    for kind, known in (("centre", WAVELENGTH_NAMES), ("width", FWHM_NAMES)):
        for name, values in vectors.items():
            if name.lower() in known and np.size(values) == n_bands and kind not in found:
                found[kind] = np.asarray(values, np.float64).ravel()
    if "centre" not in found or n_bands < 2:
        return None, None, None
    wavelength, remark = to_nanometres(found["centre"], None)
    if wavelength is None or "width" not in found:
        return wavelength, None, remark
    width, _ = to_nanometres(found["width"], None, width_of=found["centre"])
    return wavelength, width, remark


def first_names(lists: Iterable[Iterable[str]], n_bands: int) -> dict[int, str]:
    """`names_by_value` of the first list that has a name a band."""
    for names in lists:
        found = names_by_value(names, n_bands)
        if found:
            return found
    return {}


def names_by_value(names: Iterable[str], n_bands: int) -> dict[int, str]:
    """Names of abundance bands as class names 1, 2, ...; empty if there is not one a band.

    "2-water" becomes "water": the number in front repeats the position.
    """
    texts = [str(name).strip() for name in names]
    if len(texts) != n_bands:
        return {}
    numbered = [re.fullmatch(r"#?(\d+)\s*[-_.: ]\s*(.+)", text) for text in texts]
    if all(match is not None and int(match[1]) == i for i, match in enumerate(numbered, start=1)):
        texts = [match[2] for match in numbered if match is not None]
    return dict(enumerate(texts, start=1))
