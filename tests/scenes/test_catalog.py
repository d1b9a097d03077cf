"""The catalogue: its facts hold together, its checks find damage, and every set opens as published."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from specdm.errors import SceneError
from specdm.scenes.catalog import DATASETS, DatasetEntry, find
from specdm.scenes.catalog.entry import FileFact
from specdm.scenes.task import TASKS

DATA = Path("/work/shared/data")
WANTED = (
    "segmunich", "oscd", "indian-pines", "pavia-university", "salinas", "houston-2013", "hermiston", "yancheng",
    "santa-barbara", "bay-area", "taizhou", "jasper-ridge", "samson", "urban", "muufl", "enmap-potsdam",
    "hyperion-benton", "hyperion-yancheng", "sentinel2-timeseries",
)  # fmt: skip
ENTRIES = list(DATASETS.values())
FOLDERS = {
    "indian-pines": "indian_pines", "enmap-potsdam": "enmap_potsdam", "sentinel2-timeseries": "sentinel2_timeseries",
    "taizhou": "landsat_taizhou", "jasper-ridge": "jasper_ridge", "samson": "samson", "muufl": "muufl_gulfport_crop",
    "hyperion-benton": "hyperion_change_maps/benton", "hyperion-yancheng": "hyperion_change_maps/yancheng",
}  # fmt: skip
real = pytest.mark.skipif(not DATA.exists(), reason="real data is not here")


def test_all_that_are_wanted_are_there() -> None:
    assert set(WANTED) <= set(DATASETS)
    assert all(name == entry.name == name.lower() for name, entry in DATASETS.items())


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_facts_hold_together(entry: DatasetEntry) -> None:
    assert entry.task in TASKS and entry.title and entry.sensor and "http" in entry.where
    assert entry.licence and "  " not in entry.note
    names = list(entry.classes.values())
    assert len(names) == len(set(names)) >= 2 and all(name == name.strip() and name for name in names)
    # a citation has a DOI, or says that there is none
    assert re.search(r"doi:10\.\d{4,}/\S+", entry.citation) or "no DOI" in entry.citation
    assert entry.wavelengths is None or 300 < entry.wavelengths[0] < entry.wavelengths[1] < 2600
    assert entry.files and any(not fact.optional for fact in entry.files)
    for fact in entry.files:
        assert fact.shape, fact.name
        assert fact.sha256 is None or re.fullmatch("[0-9a-f]{64}", fact.sha256)
        assert fact.bytes is None or fact.bytes > 0


def test_no_checksum_stands_for_two_files() -> None:
    sums = [fact.sha256 for entry in ENTRIES for fact in entry.files if fact.sha256]
    assert len(sums) == len(set(sums))


@real
def test_checksums_are_those_of_the_collection() -> None:
    listed = dict(re.findall(r"^([0-9a-f]{64})  (\S+)$", (DATA / "README.md").read_text(), re.MULTILINE))
    for name, folder in FOLDERS.items():
        for fact in DATASETS[name].files:
            if fact.sha256 is not None:
                assert listed[fact.sha256] == f"{folder}/{fact.name}"


@real
@pytest.mark.parametrize("name", FOLDERS)
def test_real_folders_are_as_published(name: str) -> None:
    assert DATASETS[name].check(DATA / FOLDERS[name]) == []


@pytest.mark.parametrize("name", ["taizhou", "Taizhou", "Jasper Ridge", "jasper_ridge", "SENTINEL2 timeseries"])
def test_found_however_it_is_written(name: str) -> None:
    assert find(name).name == name.lower().replace(" ", "-").replace("_", "-")


@pytest.mark.parametrize(("name", "close"), [("taizou", "taizhou"), ("houston", "houston-2013"), ("pavia", "pavia-")])
def test_an_unknown_name_gets_the_closest(name: str, close: str) -> None:
    with pytest.raises(SceneError, match=f"{name}.*{close}.*specdm catalog"):
        find(name)
    with pytest.raises(SceneError, match=r"'qqqq'; specdm catalog"):
        find("qqqq")


def little(folder: Path, *facts: FileFact) -> DatasetEntry:
    folder.mkdir(exist_ok=True)
    return replace(DATASETS["samson"], files=facts)


def test_check_finds_what_is_missing_short_or_other(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"abc").hexdigest()
    entry = little(tmp_path, FileFact("a.mat", 3, digest), FileFact("b.mat", optional=True))
    assert "is no folder" in entry.check(tmp_path / "gone")[0]
    assert "there is no a.mat" in entry.check(tmp_path)[0] and entry.where in entry.check(tmp_path)[0]
    deep = tmp_path / "inside" / "A.MAT"
    deep.parent.mkdir()
    deep.write_bytes(b"ab")
    assert entry.check(tmp_path) == [f"{deep}: has 2 bytes, the published file 3; download it again"]
    deep.write_bytes(b"abd")
    assert "content is not that" in entry.check(tmp_path)[0]
    assert entry.check(tmp_path, hash_up_to=2) == []
    deep.write_bytes(b"abc")
    assert entry.check(tmp_path) == []


def test_forms_are_told_apart(tmp_path: Path) -> None:
    files = (FileFact("all.mat"), FileFact("x1.mat", variant="x"), FileFact("x2.mat", variant="x"))
    entry = little(tmp_path, *files, FileFact("y.mat", variant="y"))
    for name in ("all.mat", "x1.mat"):
        (tmp_path / name).touch()
    with pytest.raises(SceneError, match=r"there is no (x2|y)\.mat \(or the files of another form: [xy]\)"):
        entry.locate(tmp_path)
    (tmp_path / "y.mat").touch()
    assert entry.locate(tmp_path).variant == "y"
    (tmp_path / "x2.mat").touch()
    assert entry.locate(tmp_path).variant == "x"


@real
@pytest.mark.parametrize("name", ["hyperion-benton", "hyperion-yancheng"])
def test_maps_without_images_say_so(name: str) -> None:
    with pytest.raises(SceneError, match=r"change maps of .* but no image; put PreImg"):
        DATASETS[name].open(DATA / FOLDERS[name])


@real
@pytest.mark.parametrize("name", [name for name in FOLDERS if not name.startswith("hyperion")])
def test_real_sets_open(name: str) -> None:
    entry = DATASETS[name]
    opened: Any = entry.open(DATA / FOLDERS[name])
    scenes = opened.scenes if hasattr(opened, "scenes") else [opened]
    assert len(scenes) == entry.scenes
    assert {scene.task for scene in scenes} == {entry.task}
    assert not any("published" in problem for scene in scenes for problem in scene.problems)
    scene = scenes[0]
    sizes = scene.dataset["image"].sizes
    assert (sizes["y"], sizes["x"]) == entry.size and sizes["band"] + len(scene.left_out) == entry.bands
    if entry.nominal_wavelengths:
        assert scene.wavelength is None, "a wavelength was invented"
        scene = entry.open(DATA / FOLDERS[name], wavelengths="nominal")
    assert scene.wavelength is not None and len(scene.wavelength) == sizes["band"]
    if entry.task == "regression":
        assert scene.quantities.names == tuple(entry.classes.values()) and scene.quantities.sum_to_one
        assert float(scene.dataset["image"].max()) < 1.5
    else:
        assert set(opened.classes.names) <= set(entry.classes.values())


@real
def test_real_taizhou_through_open_scene() -> None:
    from specdm.scenes.open import open_scene

    scene: Any = open_scene(DATA / "landsat_taizhou", dataset="taizhou")
    mask = scene.dataset["mask"].values[0]
    by_name = dict(zip(scene.classes.names, scene.classes.values, strict=True))
    assert (mask == by_name["changed"]).sum() == 4227 and (mask == by_name["unchanged"]).sum() == 17163
    assert list(scene.dates) == ["2000-03-17", "2003-02-06"]
    np.testing.assert_allclose(scene.wavelength, [482.5, 565, 660, 825, 1650, 2220])
