"""Real scenes of several dates, and real change maps on images made up in their size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from specdm.errors import MaskError
from specdm.scenes import open_scene
from specdm.scenes.scene import Scene

random = np.random.default_rng(3)
DATES = ["2000-03-17", "2003-02-06"]


def scene(*args: Any, **options: Any) -> Scene:
    found = open_scene(*args, **options)
    assert isinstance(found, Scene)
    return found


def test_real_taizhou(shared_data: Path) -> None:
    folder = shared_data / "landsat_taizhou"
    opened = scene(
        [folder / "2000TM", folder / "2003TM"],
        dates=DATES,
        mask={"unchanged": folder / "unchanged.bmp", "changed": folder / "change.bmp"},
    )
    assert (opened.height, opened.width, opened.n_bands, opened.n_dates) == (400, 400, 6, 2)
    assert opened.task == "change" and opened.classes is not None
    assert opened.classes.names == ("unchanged", "changed")
    assert opened.class_counts.tolist() == [17163, 4227]
    image = opened.dataset["image"].values
    mask = opened.dataset["mask"].values[0]
    level = image - image.mean(axis=(2, 3), keepdims=True)  # the dates differ in season and light
    moved = np.linalg.norm(level[1] - level[0], axis=0)
    # the masks lie on the images: changed ground differs more than unchanged ground
    assert np.median(moved[mask == 1]) > 2 * np.median(moved[mask == 0])


def test_real_time_series(shared_data: Path) -> None:
    folder = shared_data / "sentinel2_timeseries"
    dates = [f"date {i}" for i in range(5)]
    opened = scene(folder / "REFERENCE_SCENES.npy", dates=dates, mask=folder / "LULC.npy", sensor="sentinel2")
    assert (opened.n_dates, opened.n_bands, opened.height, opened.width) == (5, 13, 101, 100)
    assert opened.class_counts.sum() == 9945 and opened.layers == ("class",)


@pytest.mark.parametrize("place", ["benton", "yancheng"])
def test_real_hyperion_change_maps(shared_data: Path, place: str) -> None:
    folder = shared_data / "hyperion_change_maps" / place
    rows, columns = {"benton": (225, 180), "yancheng": (430, 220)}[place]
    made_up = random.integers(0, 99, (2, rows, columns, 3)).astype(np.int16)
    binary = scene(list(made_up), dates=DATES, mask=folder / "Reference_Map_Binary.mat")
    unchanged, changed = {"benton": (30579, 9921), "yancheng": (70442, 24158)}[place]
    assert binary.class_counts.tolist() == [unchanged, changed]
    several = folder / "Reference_Map_Multiclass.mat"
    with pytest.raises(MaskError, match="third value"):
        scene(list(made_up), dates=DATES, mask=several)
    values = range(6) if place == "yancheng" else range(1, 8)
    names = {value: f"change {value}" for value in values}
    opened = scene(list(made_up), dates=DATES, mask=several, class_names=names)
    assert opened.task == "change" and opened.class_counts.sum() == rows * columns
