"""OSCD, the Onera Satellite Change Detection data set, as published: Sentinel-2 pairs of cities.

    CITY/imgs_1_rect/B01.tif ... B12.tif   date 1, every band on the 10 m grid
    CITY/imgs_2_rect/B01.tif ...           date 2
    CITY/dates.txt                         "date_1: 20161130", "date_2: 20171107"
    CITY/cm/cm.png                         change map, 0 and 255; or CITY-cm.tif, 1 and 2
    train.txt, test.txt                    the cities of each part

Images and labels are separate downloads: the folder may hold the cities themselves, or the downloads' folders ("...
Images", "... Train Labels", "... Test Labels") side by side; the flat form `CITY-cm.tif` is found as well.

Paper: Caye Daudt, Le Saux, Boulch, Gousseau, Urban Change Detection for Multispectral Earth Observation Using
Convolutional Neural Networks, IGARSS 2018, doi:10.1109/IGARSS.2018.8518015.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from specdm.errors import SceneError
from specdm.scenes.opening.plan import OpeningPlan, RasterSource, ScenePlan, one_file
from specdm.scenes.sensors import SENSORS, normalised_band

IMAGE_FOLDERS = ("imgs_1_rect", "imgs_2_rect")
SENSOR = "sentinel2"
PARTS = ("train", "val", "test")

_BAND_FILE = re.compile(r"(?:.*_)?(B\d{1,2}A?)\.(?:tif|tiff|jp2)", re.IGNORECASE)
_ORDER = {band.name: position for position, band in enumerate(SENSORS[SENSOR])}


def plan(folder: Path, given: Mapping[str, Any]) -> OpeningPlan | None:
    """The scenes of a folder that is OSCD or one city of it.

    `given["bands"]`, if it is names of Sentinel-2 bands, chooses which files are needed. `given["mask"]` is a folder
    to look for the change maps in.

    Raises:
        SceneError: a date, a band or a change map missing in a city, or a city that a list names.
    """
    alone = any((folder / name).is_dir() for name in IMAGE_FOLDERS)
    cities = {folder.resolve().name: folder} if alone else {city.name: city for city in _cities(folder)}
    if not cities:
        return None
    mask = given.get("mask")
    if mask is not None and not (isinstance(mask, (str, Path)) and Path(mask).is_dir()):
        raise SceneError(f"{folder}: is OSCD, so mask= should be the folder of its change maps; or leave it out")
    roots = [folder if mask is None else Path(mask)]
    parts = {} if alone else _parts(folder, cities)
    files = {name: [_band_files(city, images) for images in IMAGE_FOLDERS] for name, city in cities.items()}
    bands = _needed(files, given.get("bands"))
    maps = {name: _change_map(name, city, roots) for name, city in cities.items()}
    remarks = _check_maps(maps, parts, cities)
    scenes = []
    for name, city in cities.items():
        change = maps[name]
        scenes.append(
            ScenePlan(
                name=name,
                images=tuple(_stack(city, images, found, bands)
                             for images, found in zip(IMAGE_FOLDERS, files[name], strict=True)),
                masks=() if change is None else (one_file(change),),
                dates=_dates(city, change),
                split=parts.get(name),
            )
        )  # fmt: skip
    return OpeningPlan(
        scenes=tuple(scenes),
        name=folder.resolve().name,
        dates=("date 1", "date 2"),
        many=not alone,
        defaults={} if given.get("wavelengths") is not None else {"sensor": SENSOR},
        remarks=tuple(remarks),
    )


def _cities(folder: Path) -> list[Path]:
    """Folders of cities in the folder, or in the folders within it."""
    inside = [item for item in sorted(folder.iterdir()) if item.is_dir()]
    cities = [item for item in inside if _is_city(item)]
    return cities or [
        item for part in inside for item in sorted(part.iterdir()) if item.is_dir() and _is_city(item)
    ]


def _is_city(folder: Path) -> bool:
    return any((folder / name).is_dir() for name in IMAGE_FOLDERS)


def _band_files(city: Path, images: str) -> dict[str, Path]:
    """Band name -> file, in the sensor's order."""
    folder = city / images
    if not folder.is_dir():
        raise SceneError(f"{city}: there is no folder {images}, so the city {city.name} lacks a date; get it too")
    matches = [(path, _BAND_FILE.fullmatch(path.name)) for path in sorted(folder.iterdir())]
    found = {normalised_band(match[1]): path for path, match in matches if match is not None}
    found = {name: path for name, path in found.items() if name in _ORDER}
    if not found:
        raise SceneError(f"{folder}: holds no band such as B02.tif, so the city {city.name} lacks a date; get it too")
    return dict(sorted(found.items(), key=lambda item: _ORDER[item[0]]))


def _needed(files: Mapping[str, Sequence[Mapping[str, Path]]], chosen: Any) -> list[str]:
    """The bands that every city should have: those chosen by name, else all that any city has."""
    there = {name for dates in files.values() for found in dates for name in found}
    names = [chosen] if isinstance(chosen, str) else chosen
    if isinstance(names, (list, tuple)) and all(isinstance(name, str) for name in names):
        wanted = {normalised_band(name) for name in names}
        if wanted <= set(_ORDER):
            there = wanted
    return sorted(there, key=_ORDER.__getitem__)


def _stack(city: Path, images: str, found: Mapping[str, Path], bands: Sequence[str]) -> RasterSource:
    lacking = [name for name in bands if name not in found]
    if lacking:
        names = ", ".join(f"{name}.tif" for name in lacking)
        raise SceneError(
            f"{city / images}: the city {city.name} lacks {names}; download it again, or choose the bands that all "
            "cities have with bands="
        )
    return RasterSource(files=tuple(found[name] for name in bands), band_names=tuple(bands))


def _change_map(name: str, city: Path, roots: Sequence[Path]) -> Path | None:
    """The city's change map: in its own folder, else in a folder of labels beside the images."""
    parts = [
        part
        for root in roots
        if root.is_dir()
        for part in (root, *(item for item in sorted(root.iterdir()) if item.is_dir()))
    ]
    own = [city / "cm", city, *(place for part in parts for place in (part / name / "cm", part / name))]
    candidates = [place / file for place in own for file in (f"{name}-cm.tif", "cm.png", "cm.tif")]
    candidates += [part / f"{name}-cm.tif" for part in parts]
    return next((path for path in candidates if path.is_file()), None)


def _check_maps(
    maps: Mapping[str, Path | None], parts: Mapping[str, str], cities: Mapping[str, Path]
) -> list[str]:
    """Every city of a part has a change map, or none of the part has: the test labels are a download of their own."""
    remarks = []
    for part in dict.fromkeys([*parts.values(), None]):
        members = [name for name in cities if parts.get(name) == part]
        lacking = [name for name in members if maps[name] is None]
        if lacking and (len(lacking) < len(members) or part == "train"):
            raise SceneError(
                f"{cities[lacking[0]]}: the city {lacking[0]} has no change map; expected cm/cm.png or "
                f"{lacking[0]}-cm.tif in it or in a folder of labels beside the images (or name that with mask=)"
            )
        if lacking and part is not None:
            remarks.append(f"no change maps for the {part} cities ({', '.join(lacking[:4])} ...): not labelled")
    return remarks


def _parts(folder: Path, cities: Mapping[str, Path]) -> dict[str, str]:
    """City -> part, from lists such as train.txt: names with commas or line breaks between."""
    places = {folder, *(city.parent for city in cities.values())}
    found: dict[str, str] = {}
    for part in PARTS:
        for path in sorted(place / f"{part}.txt" for place in places if (place / f"{part}.txt").is_file()):
            names = [name for name in re.split(r"[,;\s]+", path.read_text(encoding="utf-8-sig")) if name]
            for name in names:
                if name not in cities:
                    raise SceneError(
                        f"{path}: names the city {name}, but there is no folder {name} with imgs_1_rect beside it; "
                        "download it, or take the name out of the list"
                    )
                if found.setdefault(name, part) != part:
                    raise SceneError(f"{path}: names {name}, which is in {found[name]}.txt too; keep it in one")
    return found


def _dates(city: Path, change_map: Path | None) -> tuple[str, str] | None:
    """The days from `dates.txt`, as 2016-11-30; None if it is not there or not understood."""
    places = [city / "dates.txt"]
    if change_map is not None:
        places.append(change_map.parent / f"{city.name}-dates.txt")
    text = next((place.read_text(encoding="utf-8", errors="replace") for place in places if place.is_file()), "")
    days = re.findall(r"date_?\s*[12]\s*:\s*(\d{4})-?(\d{2})-?(\d{2})", text)
    if len(days) != 2 or days[0] == days[1]:
        return None
    first, second = ("-".join(day) for day in days)
    return first, second
