"""A run's training time as one number: how it is shared among the stages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from specdm.errors import ConfigError

if TYPE_CHECKING:
    from specdm.training.config import RunConfig

CODEC_SHARE = 1 / 7
"""Of the minutes, where a preset counts in steps; the share of the preset `tiny`."""


def budget_overrides(config: RunConfig, *, minutes: float | None, steps: int | None) -> dict[str, Any]:
    """Settings for `load_config` that give a run this much training.

    Args:
        config: the configuration otherwise; its shares of the minutes are kept.
        minutes: of training in all, codecs and denoiser together.
        steps: of the denoiser.

    Raises:
        ConfigError: a budget that is not above 0.
    """
    for name, value in (("--minutes", minutes), ("--steps", steps)):
        if value is not None and value <= 0:
            raise ConfigError(f"{name} {value}: expected more than 0")
    overrides: dict[str, Any] = {}
    if minutes is not None:
        codec, denoiser = config.codec.minutes, config.denoiser.minutes
        share = codec / (codec + denoiser) if codec and denoiser else CODEC_SHARE
        overrides |= {
            "codec.minutes": minutes * share,
            "codec.steps": None,
            "denoiser.minutes": minutes * (1 - share),
            "denoiser.steps": None,
        }
    if steps is not None:
        overrides["denoiser.steps"] = steps
        if minutes is None:
            overrides["denoiser.minutes"] = None
    return overrides
