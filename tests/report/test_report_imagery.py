"""A report of a run that imagery without labels has joined: shown is what is labelled, copies are found in all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_sets import COVER, SIZE, WAVELENGTH, Ground

from specdm.evaluation import Evaluation, evaluate
from specdm.report import write_report
from specdm.tiles.tileset import TileSet

N_LABELLED, N_COPIES = 48, 4


def ground(seeds: tuple[int, ...]) -> dict[str, Any]:
    """Images and masks of 24 tiles a seed."""
    made = [Ground(seed) for seed in seeds]
    images = np.concatenate([one.image(one.before) for one in made])[:, None]
    masks = np.array(COVER.values, np.int16)[np.concatenate([one.before for one in made])][:, None]
    return {"images": images, "masks": masks, "classes": COVER, "wavelength": WAVELENGTH}


@pytest.fixture(scope="module")
def real() -> TileSet:
    """48 labelled tiles, every third of them held out, and 48 of imagery that nobody labelled."""
    found, n = ground((0, 1, 2, 3)), 96
    found["masks"][N_LABELLED:] = -1
    return TileSet.from_arrays(
        **found,
        split=["test" if i % 3 == 0 and i < N_LABELLED else "train" for i in range(n)],
        source=["field"] * N_LABELLED + ["bare"] * (n - N_LABELLED),
        window_y=np.arange(n) * SIZE,
        window_x=np.zeros(n, int),
        attrs={"unlabelled_sources": ["bare"]},
    )


@pytest.fixture(scope="module")
def synthetic(real: TileSet) -> TileSet:
    """The first four are tiles of the imagery without labels, the others are of other ground."""
    found = ground((9,))
    found["images"][:N_COPIES] = real.images(np.arange(N_LABELLED, N_LABELLED + N_COPIES))
    return TileSet.from_arrays(**found, split="synthetic", source="model-1", seed=0, index=np.arange(24))


@pytest.fixture(scope="module")
def judged(real: TileSet, synthetic: TileSet) -> Evaluation:
    return evaluate(synthetic, real=real, network=None)


def test_copies_of_imagery_without_labels_are_found(real: TileSet, judged: Evaluation) -> None:
    flagged = {record.synthetic: record.real_name for record in judged.neighbours if record.flagged}
    names = real.dataset["tile_name"].values
    assert {i: flagged.get(i) for i in range(N_COPIES)} == {i: str(names[N_LABELLED + i]) for i in range(N_COPIES)}


def test_labelled_scenes_are_shown(real: TileSet, synthetic: TileSet, judged: Evaluation, tmp_path: Path) -> None:
    path = write_report(tmp_path / "r.html", real=real, synthetic=synthetic, evaluation=judged)
    page = path.read_text(encoding="utf-8")
    assert "against 32 real training tiles, 48 more without labels" in page
    # the four copies show the tiles they are copies of; the gallery shows labelled ones
    shown = {f"bare_y{(N_LABELLED + i) * SIZE}_x0" for i in range(48) if f"bare_y{(N_LABELLED + i) * SIZE}_x0" in page}
    assert shown <= {record.real_name for record in judged.neighbours}
    assert judged.metrics["real.training_tiles"] == 32
