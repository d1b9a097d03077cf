"""Judge of the images, whatever the masks say: shapes of spectra, texture, spread, and what the codec loses."""

from __future__ import annotations

import numpy as np

from specdm.evaluation.case import NO_HELDOUT, NO_MODEL, Case
from specdm.evaluation.real_parts import heldout_apart
from specdm.evaluation.record import Evaluation
from specdm.evaluation.spectra import band_std_ratio
from specdm.evaluation.texture import LAGS, texture
from specdm.evaluation.views import view

SAME_GROUND = "all validation and test tiles show ground of training tiles"


def judge_images(result: Evaluation, case: Case) -> None:
    """Add the metrics of the images: `synthetic.*`, `codec.*` and `real.*` that need no label."""
    real_texture = _judge_training(result, case)
    _judge_codec(result, case)
    tiles, index = case.synthetic.tiles, case.generated_index
    result.add("synthetic.tiles", len(tiles))
    if len(index) < len(tiles):
        result.note(f"images of {len(index)} of {len(tiles)} synthetic tiles were judged, evenly spread")
    reference, seen = case.reference, case.generated
    for lag, synthetic_texture in texture(seen.features).items():
        wanted = real_texture[lag]
        result.add(
            f"synthetic.texture_ratio_lag{lag}",
            synthetic_texture / wanted if wanted > 0 else None,
            why_not=f"tiles are not wider than {lag} px, or real ones have no texture",
        )
    result.add(
        "synthetic.band_std_ratio",
        band_std_ratio(seen.statistics.std[-1], reference.statistics.std[-1]),
        why_not="no band varies",
    )
    space = reference.space
    result.add(
        "synthetic.frechet_spectral",
        space.distance(reference.sample, seen.sample) if space else None,
        why_not="real spectra do not vary",
    )
    _judge_floor(result, case)
    result.add("real.training_tiles", len(case.train.tiles))
    result.add("real.training_pixels", reference.ground_pixels)
    result.settings |= {
        "features": f"MNF, {reference.features.components} components, fitted on real training tiles",
        "Fréchet distance": f"2-Wasserstein, Gaussian, in {space.components if space else 0} principal components of "
        "real training spectra, each of unit variance",
        "spectra": _spectra(case),
    }


def _spectra(case: Case) -> str:
    if case.real.tiles.n_dates == 1:
        return "of one date"
    if case.real.kinds > 1:
        return "of each date with its own mask, as if they were separate tiles"
    n = len(case.real.date_channels)
    return "of one date" if n == 1 else f"of {n} dates after each other, as one long spectrum"


def _judge_training(result: Evaluation, case: Case) -> dict[int, float]:
    """Add `codec.texture_ratio_lag*`; texture by lag of real training tiles after the codec."""
    training = case.training
    result.settings["real training tiles for texture and ceiling"] = training.tiles
    result.settings["texture and ceiling on"] = "original tiles" if case.model is None else "reconstructed tiles"
    after = texture(training.features)
    before = None if training.original is None else texture(training.original)
    for lag in LAGS:
        ratio = after[lag] / before[lag] if before and before[lag] > 0 else None
        why_not = f"tiles are not wider than {lag} px, or have no texture" if before else NO_MODEL
        result.add(f"codec.texture_ratio_lag{lag}", ratio, why_not=why_not)
    return after


def _judge_codec(result: Evaluation, case: Case) -> None:
    seen = case.heldout
    angle = seen.angle_sum / seen.angle_count if seen and seen.angle_count else None
    result.add("codec.spectral_angle_deg", angle, why_not=None if seen else case.why_no_codec())
    if seen:
        result.settings["codec held-out tiles"] = len(case.heldout_index)


def _judge_floor(result: Evaluation, case: Case) -> None:
    """Add `real.frechet_spectral_floor`: real training against real held-out tiles of other ground."""
    result.add("real.heldout_tiles", int(np.isin(case.real.tiles.split, ("val", "test")).sum()))
    distance, space = None, case.reference.space
    apart = np.intersect1d(case.heldout_index, heldout_apart(case.real.tiles))
    if apart.size and space:
        seen = view(case.real, apart, features=case.reference.features, seed=case.seed)
        distance = space.distance(case.reference.sample, seen.sample)
    result.add("real.frechet_spectral_floor", distance, why_not=SAME_GROUND if case.heldout_index.size else NO_HELDOUT)
