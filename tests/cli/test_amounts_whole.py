"""Continuous masks and several dates through `specdm sample`, `evaluate` and `report`, with a stand-in model."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from specdm.scenes.classes import Classes
from specdm.scenes.quantities import Quantities
from specdm.synthesis.facts import TileFacts
from specdm.synthesis.sampling_defaults import SamplingDefaults
from specdm.tiles.store import open_tiles
from specdm.tiles.tileset import TileSet

N, SIZE, BANDS = 10, 8, 4
QUANTITIES = Quantities.create(["height", "chlorophyll"], units=["m", ""])


def tiles(n: int, *, seed: int, split: str, with_masks: bool, first: int = 0, **attrs: object) -> TileSet:
    """Tiles of two dates whose values grow with their quantities; tile i of a seed is always the same."""
    random = [np.random.default_rng((seed, i)) for i in range(first, first + n)]
    amounts = np.stack([one.uniform(1, 9, (2, SIZE, SIZE)) for one in random]).astype(np.float32)
    images = np.stack([amounts[:, [0, 1, 0, 1]], amounts[:, [1, 0, 0, 1]]], axis=1)
    images *= np.array([1, 2, 3, 5], np.float32)[None, None, :, None, None]
    noise = np.stack([one.normal(0, 0.1, images.shape[1:]) for one in random])
    masks = {
        "masks": (amounts[:, :1] > 5).astype(np.int16), "classes": Classes.create([0, 1], ["low", "high"]),
    } if with_masks else {}  # fmt: skip
    return TileSet.from_arrays(
        images=(images + noise).astype(np.float32), amounts=amounts, quantities=QUANTITIES, dates=["a", "b"],
        wavelength=[450, 550, 650, 850], split=split, source=split, seed=seed, index=np.arange(first, first + n),
        attrs=attrs, **masks,
    )  # fmt: skip


@pytest.fixture(params=[False, True], ids=["amounts only", "with a mask"])
def run(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch) -> Path:
    """A run folder of such tiles, with a stand-in for its model."""
    folder = tmp_path / "run"
    real = tiles(N, seed=0, split="train", with_masks=request.param)
    real.save(folder / "tiles" / "tiles.zarr")
    (folder / "model").mkdir()
    (folder / "config.yaml").write_text("preset: tiny\n")
    (folder / "source.yaml").write_text("command: specdm train x\n")

    class Pipeline:
        facts = TileFacts.of(real)
        defaults = SamplingDefaults()

        def sample(self, n: int, *, seed: int, first: int = 0, callback=None, **options: object) -> TileSet:
            return tiles(n, seed=seed, first=first, split="synthetic", with_masks=request.param)

        def id_of(self, evaluations: int | None = None) -> str:
            return "specdm-0"

        def reconstruct(self, given: TileSet) -> TileSet:
            return given

    module = types.ModuleType("specdm.synthesis.pipeline")
    module.SpecDMPipeline = types.SimpleNamespace(from_pretrained=lambda folder: Pipeline())  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "specdm.synthesis.pipeline", module)
    return folder


def test_amounts_and_dates_are_written(specdm_command, run: Path) -> None:
    outcome = specdm_command("sample", run, "-n", 7, "--seed", 3, "--batch-size", 3)
    assert outcome.code == 0, outcome.err
    real, written = open_tiles(run / "tiles" / "tiles.zarr"), open_tiles(run / "synthetic" / "tiles.zarr")
    expected = tiles(7, seed=3, split="synthetic", with_masks=bool(real.layers))
    assert written.quantities == QUANTITIES and written.dates == ("a", "b") and written.layers == real.layers
    assert np.array_equal(written.amounts(), expected.amounts())
    assert np.array_equal(written.images(), expected.images())
    assert np.array_equal(written.masks(), expected.masks())


def test_quantities_are_judged_shown_and_reported(specdm_command, run: Path) -> None:
    assert specdm_command("sample", run, "-n", 8, "--seed", 1).code == 0
    outcome = specdm_command("evaluate", run)
    assert outcome.code == 0, outcome.err
    record = json.loads((run / "evaluation.json").read_text())
    quantities = record["_details"]["quantities"]
    assert [q["name"] for q in quantities] == ["height", "chlorophyll"]
    shown = outcome.out[outcome.out.index("quantities") :]
    assert "height (m)" in shown and f"{quantities[0]['real_mean']:.3g}" in shown
    assert specdm_command("report", run).code == 0
    page = (run / "report.html").read_text()
    assert "Histogram of chlorophyll" in page and 'id="amounts"' in page


def test_what_a_run_cost_is_kept(specdm_command, run: Path) -> None:
    assert specdm_command("sample", run, "-n", 8).code == 0
    costs = {"training.seconds": 100.0, "sampling.seconds_for_64": 4.5, "memory.peak_gb": 2.0}
    (run / "evaluation.json").write_text(json.dumps({**costs, "synthetic.tiles": 512.0, "old.figure": 1.0}))
    outcome = specdm_command("evaluate", run)
    assert outcome.code == 0, outcome.err
    record = json.loads((run / "evaluation.json").read_text())
    assert {key: record[key] for key in costs} == costs
    assert record["synthetic.tiles"] == 8 and "old.figure" not in record
    assert "Training time" in outcome.out


def test_a_damaged_record_is_replaced(specdm_command, run: Path) -> None:
    assert specdm_command("sample", run, "-n", 8).code == 0
    (run / "evaluation.json").write_text("{")
    assert specdm_command("evaluate", run).code == 0
    assert "training.seconds" not in json.loads((run / "evaluation.json").read_text())
