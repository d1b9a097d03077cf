"""Data sets with the abundances of materials: parts of a pixel that sum to one."""

from __future__ import annotations

from typing import Any

from specdm.errors import ConfigError
from specdm.scenes.catalog.arrays import scale_to_one
from specdm.scenes.catalog.entry import NOT_STATED, DatasetEntry, FileFact, Files, Opening
from specdm.scenes.catalog.spread import SPREAD_NOTE, kept, spread

_ZHU = (
    "F. Zhu (2017), Hyperspectral Unmixing: Ground Truth Labeling, Datasets, Benchmark Performances and Survey, "
    "arXiv:1708.05125, doi:10.48550/arXiv.1708.05125"
)
_RSLAB = "https://rslab.ut.ac.ir/data"
_URBAN = {
    4: ("asphalt", "grass", "tree", "roof"),
    5: ("asphalt", "grass", "tree", "roof", "dirt"),
    6: ("asphalt", "grass", "tree", "roof", "metal", "dirt"),
}


def _names(*names: str) -> dict[int, str]:
    return dict(enumerate(names, start=1))


def _open_jasper(files: Files, given: dict[str, Any]) -> Opening:
    file = files["jasperRidge2_R198.mat"]
    options = {
        "variable": "Y",
        "mask": file,
        "mask_variable": "A",
        "mask_kind": "abundances",
        # in the order of the file; its own names (cood) are the same
        "quantity_names": ["tree", "water", "dirt", "road"],
        "scale": scale_to_one(file, default=5000),
        "units": "reflectance",
    }
    return Opening(file, options)


def _open_samson(files: Files, given: dict[str, Any]) -> Opening:
    file = files["Samson.mat"]
    options = {
        "variable": "Y",
        "mask": file,
        "mask_variable": "S_GT",
        "mask_kind": "abundances",
        "quantity_names": ["soil", "tree", "water"],
    }
    return Opening(file, options)


def _open_urban(files: Files, given: dict[str, Any]) -> Opening:
    image = files["Urban_R162.mat"]
    wanted = int(given.pop("materials", 4))
    if wanted not in _URBAN:
        raise ConfigError(f"materials={wanted} is not known; Urban comes with 4, 5 or 6 of them")
    name = f"end{wanted}_groundTruth.mat"
    if not files.has(name):
        raise ConfigError(f"{files.folder}: there is no {name}; choose another number with materials=, or download it")
    options = {
        "variable": "Y",
        "mask": files[name],
        "mask_variable": "A",
        "mask_kind": "abundances",
        "quantity_names": list(_URBAN[wanted]),
        "rows": 307,
        "columns": 307,
        "scale": scale_to_one(image, default=1000),
        "units": "reflectance",
    }
    return Opening(image, options)


def _open_muufl(files: Files, given: dict[str, Any]) -> Opening:
    file = files["muffle_dataset_130_90.mat"]
    options = {
        "variable": "Y",
        "mask": file,
        "mask_variable": "label",
        "mask_kind": "abundances",
        "quantity_names": ["roof", "grass", "tree", "shadow", "asphalt"],
        "date": "2010-11",
    }
    return Opening(file, options)


ABUNDANCES = (
    DatasetEntry(
        name="jasper-ridge",
        title="Jasper Ridge",
        task="regression",
        sensor="AVIRIS (airborne)",
        where=_RSLAB,
        files=(
            FileFact(
                "jasperRidge2_R198.mat", 3_165_367,
                "7dd702f9958510f35c7fee35f7f18ecfca393c9eebd39bddf6c9b7d147754caa",
                "Y 198 x 10000 uint16, A 4 x 10000, M 198 x 4, nRow = nCol = 100",
            ),
        ),
        size=(100, 100),
        bands=198,
        wavelengths=(380, 2500),
        classes=_names("tree", "water", "dirt", "road"),
        citation=_ZHU + "; cube NASA/JPL",
        licence=NOT_STATED + "; open for research",
        opener=_open_jasper,
        nominal_wavelengths=kept(spread(380, 2500, 224), (1, 3), (108, 112), (154, 166), (220, 224)),
        note=(
            "Values are divided by the file's maxValue (5000), so that they are reflectance. Pixels run column by "
            "column. Channels 1-3, 108-112, 154-166 and 220-224 of 224 are left out. Pages about the set list "
            "the materials in other orders; this is the order of the file (cood). " + SPREAD_NOTE
        ),
        place="Jasper Ridge, California, USA",
        gsd=20,
    ),
    DatasetEntry(
        name="samson",
        title="Samson",
        task="regression",
        sensor="SAMSON (airborne)",
        where=_RSLAB,
        files=(
            FileFact(
                "Samson.mat", 3_735_621,
                "49530e80d0dabf6b1fb9cde2d6cf257f89a344afe9c13b2cc912eb22f344de18",
                "Y 156 x 9025, S_GT 95 x 95 x 3, GT 3 x 156, lines = cols = 95",
            ),
        ),
        size=(95, 95),
        bands=156,
        wavelengths=(401, 889),
        classes=_names("soil", "tree", "water"),
        citation=_ZHU,
        licence=NOT_STATED + "; open for research",
        opener=_open_samson,
        nominal_wavelengths=spread(401, 889, 156),
        note="Y runs column by column, S_GT is a cube. " + SPREAD_NOTE,
        place="Florida Environmental Research Institute; place and date not stated",
    ),
    DatasetEntry(
        name="urban",
        title="Urban",
        task="regression",
        sensor="HYDICE (airborne)",
        where=_RSLAB,
        files=(
            FileFact("Urban_R162.mat", shape="Y 162 x 94249 uint16, nRow = nCol = 307, maxValue"),
            FileFact("end4_groundTruth.mat", shape="A 4 x 94249, M 162 x 4", optional=True),
            FileFact("end5_groundTruth.mat", shape="A 5 x 94249, M 162 x 5", optional=True),
            FileFact("end6_groundTruth.mat", shape="A 6 x 94249, M 162 x 6", optional=True),
        ),
        size=(307, 307),
        bands=162,
        wavelengths=(400, 2500),
        classes=_names(*_URBAN[4]),
        citation=_ZHU,
        licence=NOT_STATED,
        opener=_open_urban,
        nominal_wavelengths=kept(
            spread(400, 2500, 210), (1, 4), (76, 76), (87, 87), (101, 111), (136, 153), (198, 210)
        ),
        note=(
            "Three references, of 4, 5 (with dirt) and 6 materials (with metal and dirt): materials=4 is taken unless "
            "you say otherwise. Channels 1-4, 76, 87, 101-111, 136-153 and 198-210 of 210 are left out. Values are "
            "divided by the file's maxValue (else 1000: check on download). " + SPREAD_NOTE
        ),
        place="Copperas Cove, Texas, USA, October 1995 (check on download)",
        gsd=2,
    ),
    DatasetEntry(
        name="muufl",
        title="MUUFL Gulfport (crop)",
        task="regression",
        sensor="CASI-1500 (airborne)",
        where="https://github.com/hanzhu97702/IEEE_TGRS_MUNet (whole scene: https://github.com/GatorSense/MUUFLGulfport)",
        files=(
            FileFact(
                "muffle_dataset_130_90.mat", 3_880_526,
                "207a19630faf445eccc403f3ccea0e85d898f8458200d225b34e618372cbf3cd",
                "Y 90 x 90 x 64, label 90 x 90 x 5, M 64 x 5, DSM 90 x 90",
            ),
        ),
        size=(90, 90),
        bands=64,
        wavelengths=(375, 1050),
        classes=_names("roof", "grass", "tree", "shadow", "asphalt"),
        citation=(
            "Gader, Zare, Close, Aitken, Tuell (2013), MUUFL Gulfport Hyperspectral and LiDAR Airborne Data Set, Tech. "
            "Rep. REP-2013-570, University of Florida, doi:10.5281/zenodo.1186326; crop and abundances: Han et al. "
            "(2022), Multimodal Hyperspectral Unmixing: Insights from Attention Networks, IEEE TGRS"
        ),
        licence=NOT_STATED + "; the data are used with the citation given",
        opener=_open_muufl,
        nominal_wavelengths=kept(spread(375, 1050, 72), (1, 4), (69, 72)),
        note=(
            "The materials are not named in the file; the names are those of the MUNet page in its order, and agree "
            "with the spectra and the LiDAR height of the purest pixels. " + SPREAD_NOTE
        ),
        place="Long Beach, Mississippi, USA, November 2010",
        gsd=1,
    ),
)
