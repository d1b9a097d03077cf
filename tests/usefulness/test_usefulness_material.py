"""What generators and networks are shown: the same labels, no ground that judges, and as many tiles as asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from little_scenes import make_little_scene

from specdm.evaluation.usefulness.jobs import Grid, Group
from specdm.evaluation.usefulness.workbench import Bench, GroupBench
from specdm.report.run_folder import RunFolder
from specdm.tiles.tileset import TileSet
from specdm.training.config import read_config


@pytest.fixture
def bench(run: Path) -> Bench:
    folder = RunFolder(run)
    config = read_config(folder.config)
    return Bench(folder.usefulness, folder.tiles, folder.model, config, config, Grid(tiles=3))


def with_tiles(bench: Bench, tiles: TileSet, path: Path) -> Bench:
    tiles.save(path)
    return replace(bench, tiles=path)


def labels(tiles: TileSet) -> int:
    return int((tiles.masks() >= 0).sum())


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_generator_and_networks_have_the_same_labels(bench: Bench, share: float) -> None:
    group = GroupBench(bench, Group(share, 0, "run"))
    seen, shown, whole = group.material.seen, group.material.labelled, group.real
    np.testing.assert_array_equal(seen.masks(), shown.masks())
    assert set(seen.split) == {"train", "val"}
    assert labels(seen) == labels(whole.select(whole.split != "test")) if share == 1 else labels(seen) < labels(whole)
    assert (group.material.model is None) == (share < 1)


def test_imagery_without_labels_is_for_the_generator_alone(bench: Bench, tmp_path: Path) -> None:
    real = make_little_scene().tile(size=16, stride=8)
    more = real.train.select(np.arange(3)).dataset
    more = more.assign(mask=more["mask"].copy(data=np.full_like(more["mask"].values, -1)))
    more = more.assign_coords(source=("tile", np.array(["more"] * 3, object)))
    both = xr.concat([real.dataset, more], dim="tile", data_vars="minimal", coords="minimal", compat="override")
    both.attrs = real.dataset.attrs | {"unlabelled_sources": '["more"]'}
    bench = with_tiles(bench, TileSet(both), tmp_path / "more.zarr")
    for share in (1.0, 0.5):
        for sight in ("run", "seen", "unseen"):
            material = GroupBench(bench, Group(share, 0, sight)).material
            assert (material.seen.dataset["source"].values == "more").sum() == 3
            assert "more" not in material.labelled.dataset["source"].values
            assert labels(material.seen) == labels(material.labelled)


def _seen_by_training() -> tuple[TileSet, np.ndarray]:
    """Tiles of two fields that are test ground, which training tiles show too, and where that is labelled."""
    scene = make_little_scene()
    image, mask = scene.window(0, 0, 48, 40)
    assert mask is not None
    test = np.zeros((48, 40), bool)
    test[16:32, 10:30] = True
    places = [(y, x) for y in range(0, 33, 8) for x in range(0, 25, 8)]
    split = ["train"] * len(places) + ["test"] * 2
    places += [(16, 8), (16, 16)]
    masks = [np.where(test == (part == "test"), mask, -1) for part in split]
    tiles = TileSet.from_arrays(
        images=np.stack([image[..., y : y + 16, x : x + 16] for y, x in places]),
        masks=np.stack([one[..., y : y + 16, x : x + 16] for one, (y, x) in zip(masks, places, strict=True)]),
        split=split, source="little",
        classes=scene.classes, wavelength=scene.wavelength, window_y=[y for y, _ in places],
        window_x=[x for _, x in places], attrs={"pixel_policy": "spectra_seen"},
    )  # fmt: skip
    shown = np.zeros((48, 40), bool)
    shown[16:32, 8:32] = True
    return tiles, test & shown & (mask[0] != -1)


def test_the_spectra_of_test_ground(bench: Bench, tmp_path: Path) -> None:
    tiles, hidden = _seen_by_training()
    bench = with_tiles(bench, tiles, tmp_path / "seen.zarr")
    for sight in ("run", "unseen"):
        material = GroupBench(bench, Group(0.5, 0, sight)).material
        # what a generator may not see, densified tiles must not bring back to networks
        for shown in (material.seen, material.labelled):
            windows = (shown.dataset[key].values for key in ("window_y", "window_x"))
            for y, x, image in zip(*windows, shown.images(), strict=True):
                expected = hidden[y : y + 16, x : x + 16] if sight == "unseen" else np.zeros((16, 16), bool)
                np.testing.assert_array_equal(np.isnan(image).all(axis=(0, 1)), expected)


def test_test_spectra_are_seen_by_the_generator_alone(bench: Bench) -> None:
    material = GroupBench(bench, Group(1.0, 0, "seen")).material
    n = len(GroupBench(bench, Group(1.0, 0, "seen")).real.test)
    assert len(material.seen) == len(material.labelled) + n and material.model is None
    assert labels(material.seen) == labels(material.labelled)


def test_no_network_is_shown_the_ground_that_judges(bench: Bench) -> None:
    bench = replace(bench, grid=Grid(tiles=3, judge="val"))
    group = GroupBench(bench, Group(1.0, 0, "run"))
    assert set(group.material.labelled.split) == {"train"}, "densified, it would come with labels"
    assert labels(group.material.seen.val) == 0 and labels(group.held_out) > 0
    assert group.material.model is None, "the run's model has seen the labels of validation ground"


def test_tiles_of_another_number_are_drawn_anew(bench: Bench) -> None:
    lines: list[str] = []

    def drawn(n: int) -> TileSet:
        material = GroupBench(replace(bench, grid=Grid(tiles=n)), Group(1.0, 0, "run"), lines.append).material
        return material.tiles("read")[0]

    three = drawn(3)
    images, masks = three.images(), three.masks()
    assert len(three) == 3 and len(drawn(3)) == 3 and lines.count("drawing 3 tiles") == 1
    five = drawn(5)
    assert len(five) == 5 and lines.count("drawing 5 tiles") == 1
    np.testing.assert_allclose(five.images()[:3], images, atol=0.05)
    np.testing.assert_array_equal(five.masks()[:3], masks)
