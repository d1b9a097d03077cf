"""Gradients across the borders of tiles against those elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from specdm.errors import SceneError
from specdm.evaluation import seams
from specdm.evaluation.seams import measure_seams
from specdm.scenes.scene import Scene

SPACING = 16


def scene_of(image: np.ndarray) -> Scene:
    values = xr.DataArray(image[None].astype(np.float32), dims=("date", "band", "y", "x"))
    return Scene.create(image=values, name="made")


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(4, 150, 130))


def test_no_seam_in_noise_and_a_seam_where_tiles_meet() -> None:
    smooth = noise()
    found = measure_seams(scene_of(smooth), spacing=SPACING)
    assert found.ratio == pytest.approx(1, abs=0.03)
    assert found.elsewhere == pytest.approx(np.sqrt(np.square(np.diff(smooth, axis=2)).sum(axis=0)).mean(), rel=0.02)
    levels = np.random.default_rng(1).normal(size=(4, 10, 9)) * 2
    tiles = np.kron(levels, np.ones((1, SPACING, SPACING)))[:, :150, :130]
    seen = measure_seams(scene_of(smooth + tiles), spacing=SPACING)
    assert seen.ratio > 1.3 and seen.by_phase.argmax() == 0
    assert measure_seams(scene_of((smooth + tiles)[:, 3:, 3:]), spacing=SPACING).by_phase.argmax() == SPACING - 3


def test_parts_in_which_a_scene_is_read_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = scene_of(noise())
    whole = measure_seams(scene, spacing=SPACING)
    monkeypatch.setattr(seams, "WINDOW", 37)
    parts = measure_seams(scene, spacing=SPACING)
    np.testing.assert_allclose(parts.by_phase, whole.by_phase)
    assert parts.ratio == pytest.approx(whole.ratio)


def test_pixels_without_data_do_not_count() -> None:
    image = noise()
    image[:, 30:40, 20:50] = np.nan
    assert measure_seams(scene_of(image), spacing=SPACING).ratio == pytest.approx(1, abs=0.03)


def test_cells_of_the_codec_are_held_against_each_other() -> None:
    coarse = np.kron(noise()[:, :75, :65], np.ones((1, 2, 2)))
    scene = scene_of(coarse + 0.1 * noise(1))
    assert measure_seams(scene, spacing=SPACING).ratio > 1.5
    assert measure_seams(scene, spacing=SPACING, cell=2).ratio == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(("spacing", "cell"), [(1, 1), (150, 1), (16, 16), (16, 3)])
def test_a_lattice_without_a_border_is_refused(spacing: int, cell: int) -> None:
    with pytest.raises(SceneError, match="border"):
        measure_seams(scene_of(noise()), spacing=spacing, cell=cell)
