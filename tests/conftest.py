"""What several tests need: the real data if it is there, and a little scene that is always there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings
from little_scenes import make_little_change, make_little_scene

from specdm.scenes.scene import Scene

if TYPE_CHECKING:
    from specdm.tiles.tileset import TileSet

# a slow machine is no failure, and the same code passes or fails each time; HYPOTHESIS_PROFILE=explore draws others
settings.register_profile("same", deadline=None, derandomize=True, database=None)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

DEFAULT_SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data sets (`SPECDM_SHARED_DATA`); the test is skipped where it is not there."""
    folder = Path(os.environ.get("SPECDM_SHARED_DATA") or DEFAULT_SHARED_DATA)
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}")
    return folder


@pytest.fixture
def little_scene() -> Scene:
    """48 x 40 px, 12 bands of 450-1000 nm, 3 classes of different spectra in straight fields."""
    return make_little_scene()


LITTLE_SETTINGS = {
    "tiles.size": 16,
    "codec.components": 6,
    "codec.latent_channels": 6,
    "codec.mask_latent_channels": 4,
    "codec.width": 16,
    "codec.mask_width": 16,
    "codec.batch_size": 4,
    "codec.mask_batch_size": 8,
    "codec.minutes": None,
    "codec.steps": 30,
    "reader.width": 16,
    "reader.points": 200,
    "reader.batch_size": 4,
    "reader.minutes": None,
    "reader.steps": 30,
    "denoiser.widths": [16, 16],
    "denoiser.head_channels": 16,
    "denoiser.batch_size": 4,
    "denoiser.mask_widths": [32, 32],
    "denoiser.mask_batch_size": 8,
    "denoiser.warmup_steps": 5,
    "denoiser.minutes": None,
    "denoiser.steps": 30,
    "sampling.steps": 4,
    "sampling.calibration_tiles": 8,
    "training.accelerator": "cpu",
    "training.log_every_steps": 10,
}
"""A run of seconds: 30 steps of each stage of the least networks."""


@pytest.fixture(scope="session")
def little_settings() -> dict[str, object]:
    """Settings of `load_config(overrides=...)` for a run of seconds."""
    return dict(LITTLE_SETTINGS)


@pytest.fixture(scope="session")
def little_tiles() -> TileSet:
    """20 training tiles of 16 x 16 px of `little_scene`, some pixels without data."""
    from specdm.tiles.tileset import TileSet

    tiles = make_little_scene().tile(size=16, stride=8, split="none")
    images = tiles.images().copy()
    images[3, :, :, 4:7, 5] = np.nan
    return TileSet(tiles.dataset.assign(image=tiles.dataset["image"].copy(data=images)))


@pytest.fixture(scope="session")
def little_run(little_tiles: TileSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of `little_settings` on `little_tiles`. Copy it before changing it."""
    from specdm.synthesis.fit import train_run
    from specdm.training.config import load_config

    run = tmp_path_factory.mktemp("little") / "run"
    train_run(run, tiles=little_tiles, config=load_config(overrides=LITTLE_SETTINGS), show_progress=False)
    return run


@pytest.fixture(scope="session")
def little_change_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of `make_little_change`. Copy it before changing it."""
    from specdm.synthesis.fit import train_run
    from specdm.training.config import load_config

    tiles = make_little_change().tile(size=16, stride=8, split="none")
    run = tmp_path_factory.mktemp("little_change") / "run"
    settings = {**LITTLE_SETTINGS, "codec.steps": 15, "denoiser.steps": 15, "reader.steps": 15}
    train_run(run, tiles=tiles, config=load_config(overrides=settings), show_progress=False)
    return run
