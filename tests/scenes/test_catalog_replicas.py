"""Tiny replicas of catalogued sets open with the meaning that the published files have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io

from specdm.errors import ConfigError, SceneError, SpecDMError
from specdm.scenes.catalog import DATASETS, DatasetEntry
from specdm.scenes.catalog.arrays import arrays_of, names_by_counts, pair_and_map

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
rng = np.random.default_rng(0)


def cube(rows: int, columns: int, bands: int) -> np.ndarray:
    return rng.uniform(0.1, 0.9, (rows, columns, bands))


def halves(values: tuple[int, ...], rows: int = 9, columns: int = 8) -> np.ndarray:
    return np.resize(np.array(values, np.uint8), (rows, columns))


def geotiff(path: Path, values: np.ndarray) -> None:
    rasterio = pytest.importorskip("rasterio")
    path.parent.mkdir(parents=True, exist_ok=True)
    count, height, width = values.shape
    with rasterio.open(path, "w", driver="GTiff", dtype=values.dtype, count=count, height=height, width=width) as file:
        file.write(values)


REPLICAS: dict[str, tuple[str, dict[str, dict[str, Any]], tuple[int, ...], tuple[str, ...]]] = {
    # case -> entry, file -> arrays, bands of the scene, class or material names in it
    "pavia": ("pavia-university", {
        "PaviaU.mat": {"paviaU": cube(9, 8, 103)}, "PaviaU_gt.mat": {"paviaU_gt": halves((0, 1, 9))},
    }, (103,), ("asphalt", "shadows")),
    "salinas": ("salinas", {
        "Salinas_corrected.mat": {"salinas_corrected": cube(9, 8, 204)},
        "Salinas_gt.mat": {"salinas_gt": halves((0, 3, 16))},
    }, (204,), ("fallow", "vineyard vertical trellis")),
    "indian pines .mat": ("indian-pines", {
        "Indian_pines_corrected.mat": {"indian_pines_corrected": cube(9, 8, 200)},
        "Indian_pines_gt.mat": {"indian_pines_gt": halves((0, 1, 16))},
    }, (200,), ("alfalfa", "stone-steel-towers")),
    "hermiston citius": ("hermiston", {
        "hermiston2004.mat": {"HypeRvieW": cube(9, 8, 7)}, "hermiston2007.mat": {"HypeRvieW": cube(9, 8, 7)},
        "rdChangesHermiston_5classes.mat": {"gt5clasesHermiston": halves((0, 0, 2, 5))},
    }, (7,), ("unchanged", "change 2", "change 5")),
    "hermiston usa": ("hermiston", {
        "USA_Change_Dataset.mat": {
            "T1": cube(9, 8, 7), "T2": cube(9, 8, 7), "Binary": halves((0, 0, 1)), "Multiple": halves((0, 3, 4)),
        },
    }, (7,), ("unchanged", "changed")),
    "yancheng farm": ("yancheng", {
        "farm06.mat": {"imgh": cube(9, 8, 7)}, "farm07.mat": {"imghl": cube(9, 8, 7)},
        "label.mat": {"label": halves((0, 0, 1))},
    }, (7,), ("unchanged", "changed")),
    "yancheng 1/2": ("yancheng", {
        "Farm1.mat": {"imgh": cube(9, 8, 7)}, "Farm2.mat": {"imghl": cube(9, 8, 7)},
        "GTChina1.mat": {"label": halves((1, 1, 2))},
    }, (7,), ("unchanged", "changed")),
    "yancheng china": ("yancheng", {
        "China_Change_Dataset.mat": {"T1": cube(9, 8, 7), "T2": cube(9, 8, 7), "Binary": halves((0, 0, 1))},
    }, (7,), ("unchanged", "changed")),
    "santa barbara": ("santa-barbara", {
        "mat/barbara_2013.mat": {"HypeRvieW": cube(9, 8, 7)}, "mat/barbara_2014.mat": {"HypeRvieW": cube(9, 8, 7)},
        "mat/barbara_gtChanges.mat": {"HypeRvieW": halves((0, 1, 2, 2))},
    }, (7,), ("changed", "unchanged")),
    "bay area": ("bay-area", {
        "Bay_Area_2013.mat": {"HypeRvieW": cube(9, 8, 7)}, "Bay_Area_2015.mat": {"HypeRvieW": cube(9, 8, 7)},
        "bayArea_gtChanges2.mat.mat": {"HypeRvieW": halves((0, 1, 2, 2))},
    }, (7,), ("changed", "unchanged")),
    "bay area, one file": ("bay-area", {
        "BayArea.mat": {"T1": cube(9, 8, 7), "T2": cube(9, 8, 7), "GT": halves((0, 1, 2, 2))},
    }, (7,), ("changed", "unchanged")),
    "benton with images": ("hyperion-benton", {
        "PreImg_2004.mat": {"PreImg": cube(9, 8, 7)}, "PostImg_2007.mat": {"PostImg": cube(9, 8, 7)},
        "Reference_Map_Binary.mat": {"Ref_map_binary": halves((0, 0, 1)).astype(float)},
    }, (7,), ("unchanged", "changed")),
}  # fmt: skip


def save(folder: Path, files: dict[str, dict[str, Any]]) -> Path:
    for name, arrays in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        scipy.io.savemat(folder / name, arrays, appendmat=False)
    return folder


@pytest.mark.parametrize("case", REPLICAS)
def test_replicas_open(case: str, tmp_path: Path) -> None:
    name, files, (n_bands,), names = REPLICAS[case]
    entry = DATASETS[name]
    scene: Any = entry.open(save(tmp_path, files))
    assert scene.task == entry.task
    assert scene.classes.names == names
    assert scene.dataset["image"].sizes["band"] == n_bands
    assert scene.dataset.attrs["dataset"] == name and scene.dataset.attrs["citation"] == entry.citation
    if entry.task == "change":
        assert scene.layers == ("change",) and len(scene.dates) == 2
        arrays = [array for held in files.values() for array in held.values()]
        first, second = (array for array in arrays if array.ndim == 3)
        mask = next(array for array in arrays if array.ndim == 2)
        np.testing.assert_allclose(scene.dataset["image"].values[0], first.transpose(2, 0, 1), rtol=1e-6)
        np.testing.assert_allclose(scene.dataset["image"].values[1], second.transpose(2, 0, 1), rtol=1e-6)
        # the pixels of the change keep their meaning, whatever value the file gives them
        changed = scene.dataset["mask"].values[0] == scene.classes.values[scene.classes.names.index(names[-1])]
        value = {v: k for k, v in _values(entry, case).items()}[names[-1]]
        assert (changed == (mask == value)).all()
    # a replica is smaller than the published set, and the scene says so
    sized = entry.size is not None
    assert any("published with" in problem for problem in scene.problems) == sized


def _values(entry: DatasetEntry, case: str) -> dict[int, str]:
    """What the values of the file mean, where they are not those of the entry."""
    other = {"yancheng 1/2": {1: "unchanged", 2: "changed"}, "hermiston usa": {0: "unchanged", 1: "changed"}}
    return other.get(case, dict(entry.classes))


@pytest.mark.parametrize("materials", [None, 6])
def test_urban_replica(tmp_path: Path, materials: int | None) -> None:
    n_pixels = 307 * 307
    for count in (4, 6):
        amounts = rng.dirichlet(np.ones(count), n_pixels).T
        save(tmp_path, {f"end{count}_groundTruth.mat": {"A": amounts, "M": rng.random((162, count))}})
    image = rng.integers(0, 1000, (162, n_pixels)).astype(np.uint16)
    save(tmp_path, {"Urban_R162.mat": {"Y": image, "nRow": 307, "nCol": 307, "maxValue": 1000}})
    scene: Any = DATASETS["urban"].open(tmp_path, materials=materials)
    count = materials or 4
    assert scene.task == "regression" and len(scene.quantities) == count
    assert scene.quantities.names[-1] == {4: "roof", 6: "dirt"}[count]
    # column by column, and divided by the file's maxValue
    first = scene.dataset["image"].values[0, :, 1, 0]
    np.testing.assert_allclose(first, image[:, 1] / 1000, rtol=1e-5)
    with pytest.raises(ConfigError, match="materials=7"):
        DATASETS["urban"].plan(tmp_path, {"materials": 7})
    with pytest.raises(ConfigError, match=r"no end5_groundTruth\.mat"):
        DATASETS["urban"].plan(tmp_path, {"materials": 5})


def test_copies_of_a_map_are_told_by_their_pixels(tmp_path: Path) -> None:
    for changed, unchanged in ((1, 2), (2, 1)):
        path = tmp_path / f"{changed}.mat"
        values = np.where(np.arange(60).reshape(6, 10) < 20, changed, unchanged).astype(np.uint8)
        scipy.io.savemat(path, {"GT": values})
        found = names_by_counts(path, {"changed": 20, "unchanged": 40})
        assert found == {changed: "changed", unchanged: "unchanged"}
    with pytest.raises(SceneError, match=r"2\.mat.*class_names="):
        names_by_counts(path, {"changed": 21, "unchanged": 39})
    save(tmp_path, {f"Sa{i}.mat": {f"T{i}": cube(6, 10, 7)} for i in (1, 2)})
    path.rename(tmp_path / "SaGT.mat")
    with pytest.raises(SceneError, match="do not tell"):
        DATASETS["hermiston"].plan(tmp_path, {})
    said = DATASETS["hermiston"].plan(tmp_path, {"class_names": {1: "unchanged", 2: "changed"}})
    assert said.options["class_names"] == {1: "unchanged", 2: "changed"}


def test_arrays_are_picked_by_shape(tmp_path: Path) -> None:
    path = tmp_path / "odd.mat"
    arrays = {"after": cube(4, 5, 6), "Aaa_before": cube(4, 5, 6), "names": np.ones((1, 3)), "gt_map": halves((0, 1))}
    scipy.io.savemat(path, arrays)
    assert pair_and_map(path) == (["Aaa_before", "after"], "gt_map")
    scipy.io.savemat(path, {"one": cube(4, 5, 6)})
    with pytest.raises(SceneError, match=r"odd\.mat: expected two image cubes.*one \(4 x 5 x 6\).*variable="):
        pair_and_map(path)
    path.write_bytes(b"no MATLAB file at all" * 20)
    with pytest.raises(SpecDMError, match=r"odd\.mat"):
        arrays_of(path)


def test_houston_labels_become_mask_and_ground(tmp_path: Path) -> None:
    train, test = halves((0, 0, 1), 6, 5), halves((0, 2, 0), 6, 5)
    geotiff(tmp_path / "2013_IEEE_GRSS_DF_Contest_CASI.tif", cube(144, 6, 5).astype(np.float32))
    geotiff(tmp_path / "train_roi.tif", train[None])
    geotiff(tmp_path / "val_roi.tif", test[None])
    scene: Any = DATASETS["houston-2013"].open(tmp_path)
    assert scene.classes.names == ("healthy grass", "stressed grass")
    ground = scene.dataset["split_map"].values if "split_map" in scene.dataset else None
    assert ground is not None and (ground[train == 1] == 1).all() and (ground[test == 2] == 2).all()


def test_oscd_replica(tmp_path: Path) -> None:
    bands = [f"B{number:02d}" for number in range(1, 13)] + ["B8A"]
    for city in ("paris", "rio"):
        for date in (1, 2):
            for band in bands:
                values = rng.integers(0, 900, (1, 6, 7)).astype(np.uint16)
                geotiff(tmp_path / city / f"imgs_{date}_rect" / f"{band}.tif", values)
        geotiff(tmp_path / city / "cm" / f"{city}-cm.tif", halves((1, 1, 2), 6, 7)[None])
    opened: Any = DATASETS["oscd"].open(tmp_path)
    assert opened.task == "change" and len(opened) == 2
    assert opened.classes.names == ("unchanged", "changed")
    assert opened.scenes[0].dataset["image"].sizes["band"] == DATASETS["oscd"].bands
    assert all(scene.dataset.attrs["dataset"] == "oscd" for scene in opened.scenes)


@pytest.mark.parametrize("where", ["set", "set/TUM_128", "."])
def test_segmunich_replica(tmp_path: Path, where: str) -> None:
    for part in ("train", "val"):
        geotiff(tmp_path / where / part / "img" / "1.tif", rng.integers(0, 900, (10, 6, 7)).astype(np.uint16))
        geotiff(tmp_path / where / part / "label" / "1.tif", halves((0, 5, 21, 41), 6, 7)[None])
    entry = DATASETS["segmunich"]
    for account, first in (("card", 443), ("authors", 490)):
        opened: Any = entry.open(tmp_path, bands_list=account)
        assert len(opened) == 2 and opened.scenes[0].wavelength[0] == first
        assert opened.classes.names == ("background", "surface water", "arable land", "wetlands")
    with pytest.raises(SceneError, match="two accounts"):
        entry.open(tmp_path)
    with pytest.raises(ConfigError, match=r"bands_list='both'.*card or authors"):
        entry.open(tmp_path, bands_list="both")
