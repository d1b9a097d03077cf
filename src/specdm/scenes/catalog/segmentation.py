"""Data sets of one date with a class a pixel, airborne and hyperspectral; and EnMAP."""

from __future__ import annotations

from typing import Any

import numpy as np

from specdm.errors import MaskError
from specdm.scenes.catalog.entry import NOT_STATED, DatasetEntry, FileFact, Files, Opening
from specdm.scenes.catalog.spread import SPREAD_NOTE, kept, spread

_GIC = "https://www.ehu.eus/ccwintco/index.php/Hyperspectral_Remote_Sensing_Scenes"


def _names(*names: str) -> dict[int, str]:
    return dict(enumerate(names, start=1))


_INDIAN_PINES = _names(
    "alfalfa", "corn-notill", "corn-mintill", "corn", "grass-pasture", "grass-trees", "grass-pasture-mowed",
    "hay-windrowed", "oats", "soybean-notill", "soybean-mintill", "soybean-clean", "wheat", "woods",
    "buildings-grass-trees-drives", "stone-steel-towers",
)  # fmt: skip
_PAVIA = _names(
    "asphalt", "meadows", "gravel", "trees", "painted metal sheets", "bare soil", "bitumen",
    "self-blocking bricks", "shadows",
)  # fmt: skip
_SALINAS = _names(
    "broccoli green weeds 1", "broccoli green weeds 2", "fallow", "fallow rough plow", "fallow smooth", "stubble",
    "celery", "grapes untrained", "soil vineyard develop", "corn senesced green weeds", "lettuce romaine 4wk",
    "lettuce romaine 5wk", "lettuce romaine 6wk", "lettuce romaine 7wk", "vineyard untrained",
    "vineyard vertical trellis",
)  # fmt: skip
_HOUSTON = _names(
    "healthy grass", "stressed grass", "synthetic grass", "trees", "soil", "water", "residential", "commercial",
    "road", "highway", "railway", "parking lot 1", "parking lot 2", "tennis court", "running track",
)  # fmt: skip
_ENMAP = _names("roof", "pavement", "low vegetation", "tree", "soil", "water")


def _open_indian_pines(files: Files, given: dict[str, Any]) -> Opening:
    from specdm.scenes.samples import _calibration

    suffix = "mat" if files.variant == "MATLAB" else "npy"
    _, wavelength, fwhm = _calibration()
    options = {
        "mask": files[f"Indian_pines_gt.{suffix}"],
        "class_names": _INDIAN_PINES,
        "wavelengths": wavelength,
        "fwhm": fwhm,
        "date": "1992-06-12",
        "units": "calibrated counts",
    }
    return Opening(files[f"Indian_pines_corrected.{suffix}"], options)


def _open_pavia(files: Files, given: dict[str, Any]) -> Opening:
    options = {"mask": files["PaviaU_gt.mat"], "class_names": _PAVIA}
    return Opening(files["PaviaU.mat"], options)


def _open_salinas(files: Files, given: dict[str, Any]) -> Opening:
    options = {"mask": files["Salinas_gt.mat"], "class_names": _SALINAS}
    return Opening(files["Salinas_corrected.mat"], options)


def _open_houston(files: Files, given: dict[str, Any]) -> Opening:
    from specdm.scenes.readers import read_raster

    train, test = (
        np.asarray(read_raster(files[name], role="mask").values[0]).astype(np.int16)
        for name in ("train_roi.tif", "val_roi.tif")
    )
    if train.shape != test.shape:
        raise MaskError(
            f"{files['val_roi.tif']}: has {test.shape[0]} x {test.shape[1]} px, {files['train_roi.tif']} has "
            f"{train.shape[0]} x {train.shape[1]}; both must lie on the image's grid"
        )
    options = {
        "mask": np.where(train > 0, train, test),
        "class_names": _HOUSTON,
        "split_map": np.where(train > 0, 1, np.where(test > 0, 2, 0)).astype(np.int16),
        "date": "2012-06",
    }
    return Opening(files["2013_IEEE_GRSS_DF_Contest_CASI.tif"], options)


def _open_enmap(files: Files, given: dict[str, Any]) -> Opening:
    options = {
        "mask": files["labels/enmap_potsdam_tile_*.tif"].parent,
        "class_names": _ENMAP,
        "scale": 1e-4,
        "units": "reflectance",
        "date": "2022-07-24",
    }
    return Opening(files["images/enmap_potsdam_tile_*.tif"].parent, options)


SEGMENTATION = (
    DatasetEntry(
        name="indian-pines",
        title="Indian Pines",
        task="segmentation",
        sensor="AVIRIS (airborne)",
        where=_GIC,
        files=(
            FileFact(
                "Indian_pines_corrected.npy", 8_410_128,
                "8f038e4d81569e38ebfc72a15c9984c150de42580ab260be10a13442e912e451", "145 x 145 x 200 uint16", "NumPy",
            ),
            FileFact(
                "Indian_pines_gt.npy", 21_153,
                "44610d21625b311b05b8e0c4ba9a6cc755c2fbb9df48e4d89419024aa6ad3f9d", "145 x 145 uint8", "NumPy",
            ),
            FileFact("Indian_pines_corrected.mat", shape="145 x 145 x 200", variant="MATLAB"),
            FileFact("Indian_pines_gt.mat", shape="145 x 145", variant="MATLAB"),
        ),
        size=(145, 145),
        bands=200,
        wavelengths=(400, 2489),
        classes=_INDIAN_PINES,
        citation=(
            "Baumgardner, Biehl, Landgrebe (2015), 220 Band AVIRIS Hyperspectral Image Data Set: June 12, 1992 Indian "
            "Pine Test Site 3, Purdue University Research Repository, doi:10.4231/R7RX991C"
        ),
        licence="CC BY 3.0 (Purdue University Research Repository)",
        opener=_open_indian_pines,
        note=(
            "Without a download: specdm.scenes.samples.indian_pines(). The corrected cube leaves out the channels "
            "104-108, 150-163 and 220; the NumPy files are the published arrays in another format. Sizes of the "
            "MATLAB files: check on download."
        ),
        place="Indiana, USA, 12 June 1992",
        gsd=20,
    ),
    DatasetEntry(
        name="pavia-university",
        title="Pavia University",
        task="segmentation",
        sensor="ROSIS (airborne)",
        where=_GIC,
        files=(
            FileFact("PaviaU.mat", shape="paviaU 610 x 340 x 103"),
            FileFact("PaviaU_gt.mat", shape="paviaU_gt 610 x 340"),
        ),
        size=(610, 340),
        bands=103,
        wavelengths=(430, 860),
        classes=_PAVIA,
        citation=(
            "P. Gamba, University of Pavia; distributed by the Computational Intelligence Group, University of the "
            f"Basque Country ({_GIC}); no DOI"
        ),
        licence=NOT_STATED,
        opener=_open_pavia,
        nominal_wavelengths=spread(430, 860, 103),
        note="42 776 px labelled. " + SPREAD_NOTE,
        place="Pavia, Italy",
        gsd=1.3,
    ),
    DatasetEntry(
        name="salinas",
        title="Salinas",
        task="segmentation",
        sensor="AVIRIS (airborne)",
        where=_GIC,
        files=(
            FileFact("Salinas_corrected.mat", shape="salinas_corrected 512 x 217 x 204"),
            FileFact("Salinas_gt.mat", shape="salinas_gt 512 x 217"),
        ),
        size=(512, 217),
        bands=204,
        wavelengths=(400, 2500),
        classes=_SALINAS,
        citation=(
            "NASA/JPL AVIRIS; distributed by the Computational Intelligence Group, University of the Basque Country "
            f"({_GIC}); no DOI"
        ),
        licence=NOT_STATED,
        opener=_open_salinas,
        nominal_wavelengths=kept(spread(400, 2500, 224), (108, 112), (154, 167), (224, 224)),
        note=(
            "At-sensor radiance. The corrected cube leaves out the channels 108-112, 154-167 and 224 of 224. "
            + SPREAD_NOTE
        ),
        place="Salinas Valley, California, USA",
        gsd=3.7,
    ),
    DatasetEntry(
        name="houston-2013",
        title="Houston 2013",
        task="segmentation",
        sensor="CASI-1500 (airborne)",
        where=(
            "https://machinelearning.ee.uh.edu/2egf4tg8hial13gt/2013_DFTC.zip "
            "(page: https://hyperspectral.ee.uh.edu/?page_id=459)"
        ),
        files=(
            FileFact(
                "2013_IEEE_GRSS_DF_Contest_CASI.tif", None,
                "1440f38594e8e82cc1944c084fc138ef55a70af54122828e999c4fb438574c14", "349 x 1905 x 144 uint16",
            ),
            FileFact("train_roi.tif", shape="349 x 1905, 0 and 1-15"),
            FileFact("val_roi.tif", shape="349 x 1905, 0 and 1-15"),
            FileFact(
                "2013_IEEE_GRSS_DF_Contest_Samples_TR.txt", None,
                "16c69cf216535d7b4df2045b05d49c50a078609aa6d011a5e23e54f4cd08abda", "ENVI ROI as text", "", True,
            ),
        ),
        size=(349, 1905),
        bands=144,
        wavelengths=(364, 1046),
        classes=_HOUSTON,
        citation=(
            "Debes et al. (2014), Hyperspectral and LiDAR Data Fusion: Outcome of the 2013 GRSS Data Fusion Contest, "
            "IEEE JSTARS 7(6), 2405-2418, doi:10.1109/JSTARS.2014.2305441"
        ),
        licence="see copyright.txt in the download: research use, with the acknowledgement asked for there",
        opener=_open_houston,
        nominal_wavelengths=spread(364.0, 1046.1, 144),
        note=(
            "The labels come as ENVI regions of interest (Samples_TR, Samples_VA); export them as rasters of the "
            "values 1-15 in the order of the classes, named train_roi.tif and val_roi.tif. They become the mask and "
            "the given training and test ground. Readers of the text files disagree on whether its pixels count from "
            "0 or 1, so it is not read here. The checksums are those a public loader compares with "
            "(songyz2019/fetch_houston2013). " + SPREAD_NOTE
        ),
        place="University of Houston, Texas, USA, June 2012",
        gsd=2.5,
    ),
    DatasetEntry(
        name="enmap-potsdam",
        title="EnMAP Potsdam",
        task="segmentation",
        sensor="EnMAP (satellite), L2A",
        where="https://github.com/EnMAP-Box/enmap-box (example data; see its readme.txt)",
        files=(
            FileFact("images/enmap_potsdam_tile_*.tif", shape="18 tiles 224 x 32 x 32 float32"),
            FileFact("labels/enmap_potsdam_tile_*.tif", shape="18 tiles 32 x 32 float32"),
            FileFact(
                "enmap_landcover_unstyled.tif", 270_652,
                "ec57bb7271c68849c2edb1bf3a1ef732769060f3475bbfb3364072fc4ea14baf", "200 x 330 float32", "", True,
            ),
        ),
        size=(32, 32),
        bands=224,
        wavelengths=(418.2, 2445.5),
        classes=_ENMAP,
        citation=(
            "EnMAP data (c) DLR 2022; EnMAP-Box example data set (readme.txt); reference from aerial imagery, "
            "GeoBasis-DE/LGB, dl-de/by-2-0; no DOI"
        ),
        licence="GPL-3.0 (tiles, with EnMAP-Box); reference dl-de/by-2-0; EnMAP data (c) DLR 2022",
        opener=_open_enmap,
        note=(
            "Tiles of one scene of 200 x 330 px; bands 130-135 (from 1) are empty and are left out. The names are the "
            "third level of the scheme in the order of the legend, checked against the mean spectra. Some tiles lie "
            "beside each other: split them by ground, not at random."
        ),
        place="Potsdam, Germany, 24 July 2022",
        gsd=30,
        scenes=18,
    ),
)
