"""`fit`: tiles in, pipeline out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from specdm.errors import ConfigError, RunError
from specdm.synthesis import fit as fit_module
from specdm.synthesis.fit import fit
from specdm.tiles.other_values import with_values
from specdm.tiles.tileset import TileSet


def settings_of(little_settings: dict[str, object], **more: object) -> dict[str, object]:
    quick = {"codec.steps": 2, "denoiser.steps": 2}
    named = {key.replace(".", "__"): value for key, value in (little_settings | quick).items()}
    named.pop("tiles__size")
    return named | more


def test_a_pipeline_without_a_run_folder(little_tiles, little_settings, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    pipeline = fit(little_tiles, show_progress=False, **settings_of(little_settings))
    assert pipeline.sample(2).size == 16
    assert list(tmp_path.iterdir()) == [], "the temporary run is gone"


def test_a_run_folder_is_kept(little_tiles, little_settings, tmp_path: Path) -> None:
    first = fit(little_tiles, run=tmp_path / "deep" / "run", show_progress=False, **settings_of(little_settings))
    again = fit(little_tiles, run=str(tmp_path / "deep" / "run"), **settings_of(little_settings))
    assert first.model_id == again.model_id
    assert (tmp_path / "deep" / "run" / "config.yaml").is_file()


def test_a_run_folder_of_other_tiles_is_refused(little_tiles, little_settings, tmp_path: Path) -> None:
    settings = settings_of(little_settings)
    fit(little_tiles, run=tmp_path, show_progress=False, **settings)
    masks = little_tiles.masks().copy()
    masks[little_tiles.split == "train"] = little_tiles.classes.values[0]
    with pytest.raises(RunError, match="holds a run of other training tiles"):
        fit(with_values(little_tiles, {"mask": masks}), run=tmp_path, show_progress=False, **settings)


def test_the_same_seed_gives_the_same_model(little_tiles, little_settings) -> None:
    models = [
        fit(little_tiles, show_progress=False, **settings_of(little_settings, seed=seed)).model_id for seed in (0, 0, 1)
    ]
    assert models[0] == models[1] != models[2]


def test_only_training_tiles_are_used(little_tiles: TileSet, little_settings, monkeypatch) -> None:
    seen: list[TileSet] = []
    monkeypatch.setattr(fit_module, "train_stages", lambda run, *, tiles, **options: seen.append(tiles) or 1 / 0)
    split = np.array(["train", "val", "test", "train"] * 5)
    mixed = TileSet(little_tiles.dataset.assign_coords(split=("tile", split)))
    with pytest.raises(ZeroDivisionError):
        fit(mixed, **settings_of(little_settings))
    assert len(seen[0]) == 10 and set(seen[0].split) == {"train"}


@pytest.mark.parametrize(
    ("setting", "named"), [({"denoiser__speed": 1}, "denoiser.speed"), ({"codec__steps": 0}, "codec.steps")]
)
def test_mistakes_are_named(little_tiles, little_settings, setting: dict, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        fit(little_tiles, **settings_of(little_settings, **setting))


def test_tiles_of_a_size_that_does_not_fit(little_tiles: TileSet, little_settings) -> None:
    odd = TileSet(little_tiles.dataset.isel(y=slice(0, 14), x=slice(0, 14)))
    with pytest.raises(ConfigError, match=r"tiles\.size 14"):
        fit(odd, **settings_of(little_settings))


@pytest.mark.parametrize("bands", [1, 426])
def test_one_band_and_many(little_tiles: TileSet, little_settings, bands: int) -> None:
    images = np.repeat(np.nan_to_num(little_tiles.images(), nan=1000.0), -(-bands // 12), axis=2)[:, :, :bands]
    images = images + np.random.default_rng(0).normal(0, 5, images.shape)
    tiles = TileSet.from_arrays(
        images=images.astype(np.float32),
        masks=little_tiles.masks(),
        classes=little_tiles.classes,
        split="train",
        source="made",
    )
    sampled = fit(tiles, show_progress=False, **settings_of(little_settings)).sample(2)
    assert sampled.n_bands == bands and np.isfinite(sampled.images()).all()
    assert sampled.wavelength is None


def test_a_single_class(little_tiles: TileSet, little_settings) -> None:
    from specdm.scenes.classes import Classes

    masks = np.where(little_tiles.masks() >= 0, 9, -1).astype(np.int16)
    tiles = TileSet.from_arrays(
        images=little_tiles.images(),
        masks=masks,
        classes=Classes.create([9], ["field"]),
        split="train",
        source="made",
    )
    sampled = fit(tiles, show_progress=False, **settings_of(little_settings)).sample(2)
    assert {9} <= set(np.unique(sampled.masks())) <= {-1, 9}
