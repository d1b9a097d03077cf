"""Configurations: presets, files, single keys, and mistakes that are named."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from specdm.errors import ConfigError
from specdm.training.config import PRESETS, RunConfig, load_config, read_config


def refused(**options) -> str:
    with pytest.raises(ConfigError) as error:
        load_config(**options)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_valid_and_come_back_from_yaml(preset: str, tmp_path: Path) -> None:
    config = load_config(preset=preset)
    assert config.preset == preset
    (tmp_path / "config.yaml").write_text(config.to_yaml())
    assert read_config(tmp_path / "config.yaml") == config


def test_presets_differ() -> None:
    widths = [sum(load_config(preset=preset).denoiser.widths) for preset in ("tiny", "base", "large")]
    assert widths == sorted(set(widths))


def test_the_baseline_differs_from_tiny_in_nothing_that_would_favour_either() -> None:
    tiny, ldm = load_config(preset="tiny"), load_config(preset="ldm")
    apart = {"minutes", "coloured_noise"}
    assert ldm.denoiser.model_dump(exclude=apart) == tiny.denoiser.model_dump(exclude=apart)
    assert not ldm.denoiser.coloured_noise, "with it the baseline is worse: benchmarks/NOTES.md"
    assert ldm.denoiser.minutes == pytest.approx(tiny.denoiser.minutes + tiny.reader.minutes), "it has no reader"
    assert ldm.tiles == tiny.tiles
    assert ldm.codec.together and not tiny.codec.together
    for key in ("latent_channels", "mask_latent_channels", "factor", "minutes", "learning_rate", "kl_weight"):
        assert getattr(ldm.codec, key) == getattr(tiny.codec, key)
    # as many steps in all: tiny draws labelled ground, masks and images one after the other
    assert (ldm.sampling.steps, ldm.sampling.level_shift) == (3 * tiny.sampling.steps, tiny.sampling.level_shift)


def test_order_of_sources(tmp_path: Path) -> None:
    """Defaults < preset < file < single keys, each leaving alone what it does not name."""
    file = tmp_path / "mine.yaml"
    file.write_text("preset: base\nseed: 7\ndenoiser:\n  layers: 3\n  batch_size: 5\n")
    config = load_config(preset="tiny", file=file, overrides={"denoiser.batch_size": 6})
    base = load_config(preset="base")
    assert config.preset == "base" and config.seed == 7
    assert (config.denoiser.layers, config.denoiser.batch_size) == (3, 6)
    assert config.denoiser.widths == base.denoiser.widths and config.codec == base.codec


def test_an_empty_file_sets_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    assert load_config(file=tmp_path / "empty.yaml") == load_config()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("denoiser.batch_size", 0),
        ("denoiser.learning_rate", -1.0),
        ("denoiser.ema_decay", 1.0),
        ("denoiser.layers", "many"),
        ("denoiser.widths", []),
        ("training.precision", "bf16-true"),
        ("denoiser.patterns.shared", -0.1),
        ("codec.basis", "ica"),
        ("codec.unit_weight", 1.5),
        ("tiles.test_share", 1.0),
        ("training.checkpoint_seconds", 600),
        ("sampling.steps", 0),
        ("seed", -1),
        ("codec", None),
    ],
)
def test_values_out_of_range_are_named(key: str, value: object) -> None:
    message = refused(overrides={key: value})
    assert key in message and str(value) in message


def test_values_of_a_list_out_of_range_are_named() -> None:
    assert "reader.dilations.1" in refused(overrides={"reader.dilations": [1, 0]})


@pytest.mark.parametrize("key", ["denoiser.speed", "speed", "denoiser.patterns.speed", "tiles.stride.speed"])
def test_unknown_keys_are_named(key: str) -> None:
    assert key.removesuffix(".speed") in refused(overrides={key: 1})
    if key.startswith("denoiser.s"):
        assert "batch_size" in refused(overrides={key: 1}), "known keys help"


def test_a_file_names_itself(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("denoiser:\n  speed: 3\n")
    message = refused(file=file)
    assert "mine.yaml" in message and "denoiser.speed" in message


@pytest.mark.parametrize("content", [b"a: [1", b"- 1\n- 2\n", b"\xff\xfe\x00", b"just words"])
def test_files_that_are_no_settings(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mine.yaml").write_bytes(content)
    assert "mine.yaml" in refused(file=tmp_path / "mine.yaml")


def test_missing_file_and_unknown_preset(tmp_path: Path) -> None:
    assert "none.yaml" in refused(file=tmp_path / "none.yaml")
    message = refused(preset="huge")
    assert "huge" in message and all(preset in message for preset in PRESETS)


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        ({"tiles.size": 30}, "tiles.size 30"),
        ({"denoiser.minutes": None, "denoiser.steps": None}, "denoiser.minutes"),
        ({"codec.minutes": None, "codec.steps": None}, "codec.steps"),
        ({"denoiser.widths": [64, 100]}, "denoiser.widths"),
        ({"denoiser.head_channels": 256}, "denoiser.head_channels"),
    ],
)
def test_what_does_not_fit_together(overrides: dict, named: str) -> None:
    assert named in refused(overrides=overrides)


def test_yaml_is_plain() -> None:
    content = yaml.safe_load(load_config().to_yaml())
    assert set(content) == set(RunConfig.model_fields)
    assert content["denoiser"]["widths"] == list(load_config().denoiser.widths)
