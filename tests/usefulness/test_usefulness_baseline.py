"""The baseline of a run is as large, and trained as long, as the run."""

from __future__ import annotations

import pytest

from specdm.report.usefulness_baseline import baseline_of
from specdm.training.config import load_config


@pytest.mark.parametrize("preset", ["tiny", "ldm"])
def test_of_the_usual_run_it_is_the_preset(preset: str) -> None:
    assert baseline_of(load_config(preset=preset)) == load_config(preset="ldm")


def test_it_has_what_the_run_has(little_settings: dict) -> None:
    run = load_config(overrides={**little_settings, "seed": 7, "denoiser.steps": 21, "codec.steps": 11})
    found = baseline_of(run)
    assert found.codec.together and found.preset == "ldm" and found.codec.basis == "none"
    assert (found.seed, found.tiles, found.training) == (7, run.tiles, run.training)
    assert (found.denoiser.steps, found.denoiser.minutes, found.codec.steps) == (21, None, 11)
    assert found.denoiser.widths == run.denoiser.widths
    assert found.codec.latent_channels == run.codec.latent_channels
    assert found.sampling.steps == 3 * run.sampling.steps and found.sampling.guidance == 0


def test_minutes_are_those_of_all_stages() -> None:
    run = load_config(
        preset="large", overrides={"codec.minutes": 10.0, "reader.minutes": 5.0, "denoiser.minutes": 30.0}
    )
    found = baseline_of(run)
    assert found.codec.minutes + found.denoiser.minutes == pytest.approx(45)
    # what limited the run by steps limits the baseline too
    assert (found.codec.steps, found.denoiser.steps) == (run.codec.steps, run.denoiser.steps)
    assert found.tiles.size == 64
