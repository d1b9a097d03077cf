"""A trained pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from specdm.synthesis.pipeline import SpecDMPipeline


@pytest.fixture(scope="session")
def pipeline(little_run: Path) -> SpecDMPipeline:
    return SpecDMPipeline.from_pretrained(little_run / "model")
