"""The baseline that a run is compared with: preset `ldm` as large, and trained as long, as the run itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from specdm.training.config import RunConfig

WIDER = 4 / 3
"""How much wider the one codec for image and mask is than a run's image codec; that of `ldm` against `tiny`."""

STAGES = 3
"""In which a run draws tiles; the baseline has one, of as many steps in all."""


def baseline_of(config: RunConfig) -> RunConfig:
    """The baseline's configuration: the same tiles, network, latent channels, batches, seed, machine, budget.

    Of a run of preset `tiny` it is the preset `ldm`. The budget of its codec is that of the run's codecs; minutes that
    the run has for its reader of masks, which the baseline lacks, go to its denoiser. Steps are the same ones.

    Args:
        config: of the run.
    """
    from specdm.training.config import load_config

    apart = not config.codec.together
    denoiser = config.denoiser.model_dump(mode="json", exclude={"patterns", "masks_first", "coloured_noise"})
    if apart and denoiser["minutes"] is not None and config.reader.minutes is not None:
        denoiser["minutes"] += config.reader.minutes
    codec = config.codec.model_dump(mode="json", exclude={"basis", "together"})
    if apart:
        codec["width"] = round(codec["width"] * WIDER)
    same: dict[str, Any] = {
        "seed": config.seed,
        "tiles": config.tiles.model_dump(mode="json"),
        "training": config.training.model_dump(mode="json"),
        "denoiser": denoiser,
        "codec": codec,
        "sampling.steps": config.sampling.steps * (STAGES if apart else 1),
        "sampling.level_shift": config.sampling.level_shift,
    }
    return load_config(preset="ldm", overrides=same)
