"""Real scenes that come with an installed package, so that the first steps need no download."""

from __future__ import annotations

import csv
import importlib.util
from importlib.resources import files
from pathlib import Path

import numpy as np
import xarray as xr

from specdm.errors import FileFormatError
from specdm.scenes.catalog import DATASETS
from specdm.scenes.classes import MASK_DTYPE, UNLABELLED, Classes
from specdm.scenes.scene import Scene

IMAGE_FILE = "Indian_pines_corrected.npy"
MASK_FILE = "Indian_pines_gt.npy"

# channels (from 1) that the corrected cube leaves out: water vapour, and the noise of the last
WATER_CHANNELS = (*range(104, 109), *range(150, 164), 220)

# names as the University of the Basque Country lists them; the colours keep what is alike together
# (corn yellow to orange, grass light green, soybean blue to violet, trees dark green)
INDIAN_PINES_CLASSES = (
    ("alfalfa", "#e10f4b"),
    ("corn-notill", "#e69f00"),
    ("corn-mintill", "#f0e442"),
    ("corn", "#b8730a"),
    ("grass-pasture", "#96d2a5"),
    ("grass-trees", "#4fae5b"),
    ("grass-pasture-mowed", "#b4f069"),
    ("hay-windrowed", "#cc79a7"),
    ("oats", "#5aff96"),
    ("soybean-notill", "#56b4e9"),
    ("soybean-mintill", "#0072b2"),
    ("soybean-clean", "#8796ff"),
    ("wheat", "#f0965a"),
    ("woods", "#1e5c33"),
    ("buildings-grass-trees-drives", "#5a1e5a"),
    ("stone-steel-towers", "#692d0f"),
)

CITATION = (
    "Baumgardner, M. F., Biehl, L. L., Landgrebe, D. A. (2015). 220 Band AVIRIS Hyperspectral Image Data "
    "Set: June 12, 1992 Indian Pine Test Site 3. Purdue University Research Repository. doi:10.4231/R7RX991C"
)
WAVELENGTH_SOURCE = (
    "AVIRIS spectral calibration 92AV3C.spc (JPL, November 1992; Purdue University, MultiSpec "
    "documentation), less channels 104-108, 150-163 and 220"
)


def indian_pines() -> Scene:
    """Indian Pines: AVIRIS, 145 x 145 px of 20 m, 200 bands of 400-2489 nm, 16 classes, 10 249 px labelled.

    The arrays are those of the package tensorly (CC BY 3.0). Image values are calibrated counts; according to
    Purdue University (value - 1000) / 500 is radiance. 0 in the published map is unlabelled.

    Wavelengths and widths are the sensor's calibration of that time, less the channels that the corrected
    cube leaves out. They differ from the list in tensorly, which leaves out channels 104-109 and 151-164 and
    so stands one band off from the 104th band on: the carbon dioxide absorption of the image (2.006 and
    2.060 um) lies where this list has it.

    Raises:
        FileFormatError: tensorly is not installed, or has other files than expected.
    """
    folder = _tensorly_data()
    cube = _load(folder / IMAGE_FILE, (145, 145, 200))
    labels = _load(folder / MASK_FILE, (145, 145))
    channels, wavelength, fwhm = _calibration()
    mask = labels.astype(MASK_DTYPE)  # before marking: unsigned bytes have no -1
    mask[mask == 0] = UNLABELLED
    names, colors = zip(*INDIAN_PINES_CLASSES, strict=True)
    scene = Scene.create(
        image=xr.DataArray(cube.transpose(2, 0, 1)[None], dims=("date", "band", "y", "x")),
        mask=xr.DataArray(mask[None], dims=("layer", "y", "x"), coords={"layer": ["class"]}),
        classes=Classes.create(range(1, 17), names, colors),
        wavelength=wavelength,
        fwhm=fwhm,
        band_name=[f"channel {channel}" for channel in channels],
        name="Indian Pines",
        sources=[
            "tensorly/datasets/data/Indian_pines_corrected.npy",
            "tensorly/datasets/data/Indian_pines_gt.npy",
        ],
        units="calibrated counts",
    )
    scene.dataset = scene.dataset.assign_coords(date=["1992-06-12"])
    licence = DATASETS["indian-pines"].licence
    scene.dataset.attrs |= {"citation": CITATION, "licence": licence, "wavelength_source": WAVELENGTH_SOURCE}
    return scene


def _calibration() -> tuple[list[int], np.ndarray, np.ndarray]:
    """Channel numbers, centres and widths (nm) of the 200 bands of the corrected cube."""
    table = files("specdm.scenes").joinpath("data/indian_pines_wavelengths.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in table.splitlines() if not line.startswith("#"))
    kept = [row for row in rows if int(row["channel"]) not in WATER_CHANNELS]
    return (
        [int(row["channel"]) for row in kept],
        np.array([float(row["wavelength_nm"]) for row in kept]),
        np.array([float(row["fwhm_nm"]) for row in kept]),
    )


def _tensorly_data() -> Path:
    # found without importing tensorly, which would pull in its tensor back end
    spec = importlib.util.find_spec("tensorly")
    if spec is None or not spec.submodule_search_locations:
        raise FileFormatError(
            "Indian Pines comes with the package tensorly, which is not installed; pip install tensorly"
        )
    return Path(spec.submodule_search_locations[0]) / "datasets" / "data"


def _load(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise FileFormatError(f"{path} cannot be read ({error}); reinstall the package tensorly") from error
    if values.shape != shape:
        raise FileFormatError(
            f"{path} holds {values.shape} values; expected {shape}; install another release of tensorly"
        )
    return values
