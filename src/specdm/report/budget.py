"""A run's training time as one number: how it is shared among the stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from specdm.errors import ConfigError

if TYPE_CHECKING:
    from specdm.training.config import RunConfig

CODEC_SHARE, READER_SHARE = 0.14, 0.09
"""Of the minutes, where a preset counts in steps; about the shares of the preset `tiny`."""


def budget_overrides(config: RunConfig, *, minutes: float | None, steps: int | None) -> dict[str, Any]:
    """Settings for `load_config` that give a run this much training.

    Args:
        config: the configuration otherwise; its shares of the minutes are kept.
        minutes: of training in all, codecs, reader and denoiser together.
        steps: of the denoiser.

    Raises:
        ConfigError: a budget that is not above 0.
    """
    for name, value in (("--minutes", minutes), ("--steps", steps)):
        if value is not None and value <= 0:
            raise ConfigError(f"{name} {value}: expected more than 0")
    overrides: dict[str, Any] = {}
    if minutes is not None:
        shares = _shares(config)
        for stage, share in shares.items():
            overrides |= {f"{stage}.minutes": minutes * share / sum(shares.values()), f"{stage}.steps": None}
    if steps is not None:
        overrides["denoiser.steps"] = steps
        if minutes is None:
            overrides["denoiser.minutes"] = None
    return overrides


def _shares(config: RunConfig) -> dict[str, float]:
    """What each stage has of the minutes."""
    stages = {"codec": config.codec.minutes, "reader": config.reader.minutes, "denoiser": config.denoiser.minutes}
    if config.codec.together:
        del stages["reader"]
    if all(stages.values()):
        return {stage: float(minutes or 0) for stage, minutes in stages.items()}
    shares = {"codec": CODEC_SHARE, "reader": READER_SHARE, "denoiser": 1 - CODEC_SHARE - READER_SHARE}
    return {stage: shares[stage] for stage in stages}
