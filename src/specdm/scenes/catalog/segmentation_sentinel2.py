"""Sentinel-2 data sets with a class a pixel: tiles of one date, and one site at five dates."""

from __future__ import annotations

from typing import Any

from specdm.errors import ConfigError
from specdm.scenes.catalog.entry import DatasetEntry, FileFact, Files, Opening
from specdm.scenes.layouts.segmunich import BANDS_LISTS, CLASS_NAMES, PARTS

_LAND_COVER = {
    1: "cultivated land", 2: "forest", 3: "grassland", 4: "shrubland", 5: "water", 6: "wetlands", 7: "tundra",
    8: "artificial surface", 9: "bare land", 10: "snow and ice",
}  # fmt: skip


def _open_segmunich(files: Files, given: dict[str, Any]) -> Opening:
    account = given.pop("bands_list", None)
    if account is not None and account not in BANDS_LISTS:
        raise ConfigError(f"bands_list={account!r} is not known; expected {' or '.join(BANDS_LISTS)}")
    # train/img/NAME.tif: the folder with the parts; img/NAME.tif: the folder is one part
    part = files["img/*.tif"].parent.parent
    root = part.parent if part.name.lower() in PARTS else part
    return Opening(root, {} if account is None else {"sensor": BANDS_LISTS[account]})


def _open_time_series(files: Files, given: dict[str, Any]) -> Opening:
    options = {
        "mask": files["LULC.npy"],
        "class_names": _LAND_COVER,
        "unlabelled": 0,
        # the days are not published; five dates of 2015-2017, in this order
        "dates": [f"date {i}" for i in range(1, 6)],
        "mask_kind": "values",
        "sensor": "sentinel2",
        "units": "reflectance",
    }
    return Opening(files["REFERENCE_SCENES.npy"], options)


SEGMENTATION_SENTINEL2 = (
    DatasetEntry(
        name="segmunich",
        title="SegMunich",
        task="segmentation",
        sensor="Sentinel-2 MSI (satellite)",
        where="https://huggingface.co/datasets/Moonboy12138/SegMunich (TUM_128.zip, 7.08 GB)",
        files=(
            FileFact("img/*.tif", shape="128 x 128 x 10, under train/ and val/"),
            FileFact("label/*.tif", shape="128 x 128, raw values 0, 5, 11 ... 41"),
            FileFact("dataset/train.txt", shape="names of the tiles", optional=True),
            FileFact("dataset/val.txt", shape="names of the tiles", optional=True),
        ),
        size=(128, 128),
        bands=10,
        wavelengths=(443, 2190),
        classes=CLASS_NAMES,
        citation=(
            "Hong et al. (2024), SpectralGPT: Spectral Remote Sensing Foundation Model, IEEE TPAMI 46(8), "
            "doi:10.1109/TPAMI.2024.3362475"
        ),
        licence="GPL-3.0 (as stated on the page of the download; other copies state CC BY-NC 4.0 or none)",
        opener=_open_segmunich,
        note=(
            "Which ten bands these are is disputed: the paper and card say B01-B07, B8A, B11, B12, the authors agreed "
            "to B02-B08, B8A, B11, B12 when asked (danfenghong/IEEE_TPAMI_SpectralGPT, issue 31). If the files do not "
            'name their bands, say bands_list="card" or "authors" (on the command line --sensor segmunich-card or '
            "segmunich-authors). Names of the raw values follow the authors' own loader (TUM_128.py). 0 is background, "
            "a class; unlabelled=0 makes it none. About 3800 tiles; numbers of the parts: check on download."
        ),
        place="Munich, Germany, three years",
        gsd=10,
        scenes=3806,
    ),
    DatasetEntry(
        name="sentinel2-timeseries",
        title="Sentinel-2 time series with land cover",
        task="segmentation",
        sensor="Sentinel-2 MSI (satellite), L1C",
        where="https://github.com/sentinel-hub/eo-learn (example data)",
        files=(
            FileFact(
                "REFERENCE_SCENES.npy", 2_626_128,
                "2fbd4921483ef21129446d7d79c153975f1590310cd5b1dc569c04090c78a0f4",
                "5 x 101 x 100 x 13 float32 (date, row, column, band)",
            ),
            FileFact(
                "LULC.npy", 20_328,
                "9e1717d8ebc8df18b8cd36ab54f275616c5f874967662d8a2c2af0a4654be451", "101 x 100 x 1 uint16",
            ),
        ),
        size=(101, 100),
        bands=13,
        wavelengths=(443, 2190),
        classes=_LAND_COVER,
        citation=(
            "eo-learn (Sinergise); modified Copernicus Sentinel data; land cover from the Slovenian register of "
            "agricultural land use (MKGP); no DOI"
        ),
        licence="MIT (eo-learn)",
        opener=_open_time_series,
        note=(
            "One mask for all five dates. 0 is no data; 5, 6, 7, 9 and 10 do not occur. The days are not in the files, "
            'so the dates are called "date 1" to "date 5".'
        ),
        place="Slovenia, 2015-2017",
        gsd=10,
    ),
)
