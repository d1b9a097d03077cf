"""SegMunich: Sentinel-2 tiles of Munich with land cover, as its authors publish it (`TUM_128.zip`).

    train/img/NAME.tif    train/label/NAME.tif    the same under val/ (or test/)
    dataset/train.txt     dataset/val.txt         the names of each part, where they are there

Paper: Hong et al., SpectralGPT: Spectral Remote Sensing Foundation Model, IEEE TPAMI 46(8), 2024,
doi:10.1109/TPAMI.2024.3362475.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from specdm.errors import FileFormatError, SceneError
from specdm.scenes.opening.plan import OpeningPlan, ScenePlan, one_file
from specdm.scenes.raster import Raster
from specdm.scenes.readers import read_raster
from specdm.scenes.sensors import SENSORS, normalised_band

# The authors' loader (TUM_128.py, danfenghong/IEEE_TPAMI_SpectralGPT) renumbers the raw values to 1-12 in the order
# of the paper's list of classes: 21, 22, 23, 31, 5, 32, 33, 41, 13, 14, 11, 12. The names below follow from that, and
# agree with the codes of CORINE and the Urban Atlas (1x artificial, 2x agricultural, 3x natural, 4x wet, 5 water).
# Listing values and names side by side, each in its own order, as others do, mixes them up.
CLASS_NAMES: dict[int, str] = {
    0: "background",
    5: "surface water",
    11: "urban fabric",
    12: "buildings",
    13: "mine dump",
    14: "artificial vegetation",
    21: "arable land",
    22: "permanent crops",
    23: "pastures",
    31: "forests",
    32: "shrub",
    33: "open spaces",
    41: "wetlands",
}
N_BANDS = 10
BANDS_LISTS = {"card": "segmunich-card", "authors": "segmunich-authors"}
"""Account of the bands -> sensor that stands for it."""

PARTS = ("train", "val", "validation", "test")
_IMAGES = ("img", "image", "images")
_LABELS = ("label", "labels", "mask", "masks")
_TESTED = 8
"""Labels looked at to tell SegMunich from another set in such folders; one may hold nothing but background."""


def plan(folder: Path, given: Mapping[str, Any]) -> OpeningPlan | None:
    """The scenes of a folder that is SegMunich, with its class names and its parts as published split.

    `given["sensor"]` (segmunich-card or segmunich-authors) or `given["wavelengths"]` says which bands the files hold,
    if their band names do not.

    Raises:
        SceneError: a label or image is missing, or nothing says which of the two disputed lists of bands is meant.
        FileFormatError: one of the first files cannot be read.
    """
    parts = _parts(folder)
    if not parts or not _is_segmunich(parts):
        return None
    scenes = tuple(
        ScenePlan(
            name=image.stem,
            images=(one_file(image),),
            masks=(one_file(label),),
            split=None if part is None else {"validation": "val"}.get(part, part),
        )
        for part, images, labels in parts
        for image, label in _pairs(folder, part, images, labels)
    )
    first = scenes[0].images[0].files[0]
    defaults: dict[str, Any] = {"class_names": _names(given.get("unlabelled"))}
    # the two may be there as None: what a user did not say
    if given.get("sensor") is None and given.get("wavelengths") is None:
        defaults["sensor"] = _sensor(_opened(Path(str(first))))
    return OpeningPlan(scenes=scenes, name=folder.resolve().name, defaults=defaults)


def _parts(folder: Path) -> list[tuple[str | None, Path, Path]]:
    """Part, folder of images and folder of labels of each part; the folder itself may be one part."""
    found = [
        (name, images, labels)
        for name in PARTS
        if (part := _child(folder, (name,))) is not None
        and (images := _child(part, _IMAGES)) is not None
        and (labels := _child(part, _LABELS)) is not None
    ]
    if found:
        return [*found]
    images, labels = _child(folder, _IMAGES), _child(folder, _LABELS)
    return [(None, images, labels)] if images is not None and labels is not None else []


def _child(folder: Path, names: tuple[str, ...]) -> Path | None:
    if not folder.is_dir():
        return None
    return next((item for item in sorted(folder.iterdir()) if item.is_dir() and item.name.lower() in names), None)


def _is_segmunich(parts: list[tuple[str | None, Path, Path]]) -> bool:
    """Ten bands, and no label value but SegMunich's: other sets lie in folders of these names too."""
    _, images, labels = parts[0]
    image = next(_tiles(images), None)
    if image is None:
        return False
    values: set[int] = set()
    try:
        if _opened(image).n_bands != N_BANDS:
            return False
        for label in islice(_tiles(labels), _TESTED):
            values |= {int(value) for value in np.unique(np.asarray(_opened(label, role="mask").values))}
    except FileFormatError:
        return False  # a folder that is opened as something else says what is wrong with the file
    return bool(values) and values <= set(CLASS_NAMES)


def _pairs(folder: Path, part: str | None, images: Path, labels: Path) -> Iterator[tuple[Path, Path]]:
    left = {path.stem: path for path in _tiles(images)}
    right = {path.stem: path for path in _tiles(labels)}
    listing = None if part is None else folder / "dataset" / f"{part}.txt"
    if listing is not None and listing.is_file():
        names = [line.strip() for line in listing.read_text(encoding="utf-8").splitlines() if line.strip()]
        where = f" (named in {listing})"
    else:
        names, where = sorted({*left, *right}), ""
    for name in names:
        for what, found, place in (("image", left, images), ("label", right, labels)):
            if name not in found:
                raise SceneError(
                    f"{place}: there is no {what} {name}.tif{where}; put it there, or take {name} out of the set"
                )
        yield left[name], right[name]


def _tiles(folder: Path) -> Iterator[Path]:
    return (
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in (".tif", ".tiff", ".png") and not path.name.startswith(".")
    )


def _opened(path: Path, role: Any = "image") -> Raster:
    return read_raster(path, role=role)


def _names(unlabelled: Any) -> dict[int, str]:
    """The class names without those values that the user calls unlabelled."""
    left_out = [] if unlabelled is None else np.ravel(np.asarray(unlabelled)).tolist()
    return {value: name for value, name in CLASS_NAMES.items() if value not in left_out}


def _sensor(raster: Raster) -> str | None:
    """The sensor that stands for the file's bands; None if the file states wavelengths."""
    named = [normalised_band(name) for name in raster.band_name or ()]
    for sensor in BANDS_LISTS.values():
        if named == [band.name for band in SENSORS[sensor.replace("-", "")]]:
            return sensor
    if raster.wavelength is not None:
        return None
    card, authors = (", ".join(b.name for b in SENSORS[s.replace("-", "")]) for s in BANDS_LISTS.values())
    raise SceneError(
        f"{raster.path}: does not name its {raster.n_bands} bands, and there are two accounts of them: SegMunich's "
        f'card says {card}, its authors later {authors}; say sensor="segmunich-card" or sensor="segmunich-authors" '
        '(from the catalogue bands_list="card" or "authors"), or give wavelengths='
    )
