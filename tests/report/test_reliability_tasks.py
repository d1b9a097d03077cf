"""Judging and filtering the tile sets of every task, without a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from little_rules import little_rules, use_rules
from made_sets import make_sets

from specdm.evaluation.reliability.lowest_share import lowest_share
from specdm.report.reliability_filter import ReliabilityFilter
from specdm.report.reliability_run import reliability_run
from specdm.tiles.store import open_tiles

TASKS = {
    "change": (("salt_and_pepper", "change_invented"), ("spectral", "edge", "change")),
    "semantic_change": (("salt_and_pepper", "shift_2"), ("spectral", "edge")),
    "two_sensors": (("salt_and_pepper", "change_missed"), ("spectral", "edge")),
    "abundances": (("amounts_exchanged", "amounts_shift_4"), ("amounts",)),
    "free": (("amounts_shift_4",), ("amounts",)),
}


@pytest.mark.parametrize("task", TASKS)
def test_every_task(task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds, evidences = TASKS[task]
    real, synthetic = make_sets(task)
    real, before = real.save(tmp_path / "real.zarr"), synthetic.save(tmp_path / "tiles.zarr")
    use_rules(monkeypatch, little_rules(real, kinds=kinds, evidences=[evidences]))
    record = reliability_run(
        tmp_path / "tiles.zarr",
        real=tmp_path / "real.zarr",
        keep=ReliabilityFilter(unlabel_share=0.25),
        json=tmp_path / "found.json",
    )
    assert set(record.evidences) == set(evidences)
    assert record.planted is not None and record.planted.tiles == 8 and set(kinds) <= set(record.planted.auroc)
    tiles, after = open_tiles(tmp_path / "tiles.zarr"), open_tiles(tmp_path / "reliable.zarr")
    scores = tiles.reliability()
    known = np.isfinite(scores)
    assert known.any()
    lost = known & np.isnan(after.reliability())
    assert record.filtered is not None and lost.sum() == record.filtered.marked == round(0.25 * known.sum())
    assert np.nanmax(scores[lost]) <= np.nanmin(after.reliability())
    if tiles.quantities is not None:
        gone = np.isfinite(before.amounts()).any(axis=1) & ~np.isfinite(after.amounts()).any(axis=1)
        np.testing.assert_array_equal(gone, lost[:, -1])
    else:
        np.testing.assert_array_equal((before.masks() >= 0) & (after.masks() < 0), lost)
    np.testing.assert_array_equal(after.images(), before.images())


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("ties", [False, True])
def test_the_lowest_share_is_exact(share: float, ties: bool) -> None:
    random = np.random.default_rng(0)
    scores = random.random((7, 30)).astype(np.float32)
    if ties:
        scores = np.round(scores, 1)
    scores[random.random(scores.shape) < 0.3] = np.nan
    lowest = lowest_share(lambda: iter(scores), share)
    marked = np.stack([lowest.marked(part) for part in scores])
    known = np.isfinite(scores)
    order = np.argsort(scores[known], kind="stable")
    expected = np.zeros(int(known.sum()), bool)
    expected[order[: round(share * known.sum())]] = True
    np.testing.assert_array_equal(marked[known], expected)
    assert not marked[~known].any()
