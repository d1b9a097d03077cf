"""What several tests need: the real data if it is there, and a little scene that is always there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import xarray as xr

from specdm.scenes.classes import UNLABELLED, Classes
from specdm.scenes.scene import Scene

if TYPE_CHECKING:
    from specdm.tiles.tileset import TileSet

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


def make_little_scene(*, seed: int = 0, height: int = 48, width: int = 40, name: str = "little") -> Scene:
    """The scene of the fixture `little_scene`, in other sizes and with other noise.

    Fields are 8 x 10 px with borders that are not labelled, as are single pixels here and there; class values
    are 2, 5 and 7, so that no test passes that takes values for positions.
    """
    random = np.random.default_rng(seed)
    wavelength = np.linspace(450.0, 1000.0, 12)
    spectra = np.stack(
        [
            1500 + 2500 / (1 + np.exp(-(wavelength - 715) / 15)),  # vegetation: a step at the red edge
            1200 + 2.4 * (wavelength - 450),  # soil: a slope
            1100 * np.exp(-(wavelength - 450) / 200) + 150,  # water: dark towards the infrared
        ]
    )
    rows, columns = np.mgrid[:height, :width]
    field = (rows // 8) * 5 + columns // 10
    position = np.array([0, 1, 0, 2, 1, 2, 0])[field % 7]
    image = spectra[position].transpose(2, 0, 1)
    brightness = random.normal(1.0, 0.05, field.max() + 1)[field]
    image = image * brightness + random.normal(0.0, 25.0, image.shape)
    border = (rows % 8 == 0) | (columns % 10 == 0)
    mask = np.array([2, 5, 7], np.int16)[position]
    mask[border | (random.random(mask.shape) < 0.1)] = UNLABELLED
    return Scene.create(
        image=xr.DataArray(image[None].astype(np.float32), dims=("date", "band", "y", "x")),
        mask=xr.DataArray(mask[None], dims=("layer", "y", "x"), coords={"layer": ["class"]}),
        classes=Classes.create([2, 5, 7], ["grass", "bare soil", "water"]),
        wavelength=wavelength,
        fwhm=np.full(12, 50.0),
        band_name=[f"B{i + 1}" for i in range(12)],
        name=name,
        sources=[f"{name}.npy"],
        units="reflectance x 10000",
    )


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
    "denoiser.widths": [16, 16],
    "denoiser.head_channels": 16,
    "denoiser.batch_size": 4,
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
