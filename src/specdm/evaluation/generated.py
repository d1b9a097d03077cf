"""How synthetic tiles compare with real training tiles: classes, spectra, texture."""

from __future__ import annotations

import numpy as np

from specdm.evaluation.codec import ONE_CLASS
from specdm.evaluation.frequencies import COMMON, missing, shares, worst_factor
from specdm.evaluation.reading import evenly, most_tiles
from specdm.evaluation.record import ClassRecord, Evaluation
from specdm.evaluation.reference import Reference
from specdm.evaluation.spectra import band_std_ratio, spectral_angle_deg
from specdm.evaluation.texture import texture
from specdm.evaluation.views import View, view
from specdm.tiles.tileset import TileSet

TILE_LIMIT, PIXEL_LIMIT = 2048, 2_097_152
"""Most synthetic tiles, and pixels in them, whose images are judged; classes are counted over all tiles."""


def judge_generated(
    result: Evaluation,
    synthetic: TileSet,
    reference: Reference,
    *,
    real_texture: dict[int, float],
    ceiling: float | None,
    seed: int,
) -> None:
    """Add all `synthetic.*` metrics and the records of the classes.

    Args:
        result: gets them.
        synthetic: synthetic tiles, at least one.
        reference: of the real training tiles.
        real_texture, ceiling: from `judge_training`.
        seed: of the pixels drawn for the Fréchet distance.
    """
    index = evenly(len(synthetic), most_tiles(synthetic, tile_limit=TILE_LIMIT, pixel_limit=PIXEL_LIMIT))
    seen = view(synthetic, index, features=reference.features, seed=seed)
    counts = synthetic.label_counts()
    result.add("synthetic.tiles", len(synthetic))
    if len(index) < len(synthetic):
        result.note(f"images of {len(index)} of {len(synthetic)} synthetic tiles were judged, evenly spread")

    by_class = np.full(len(counts), np.nan)
    share, judged = None, 0
    if reference.judge is not None:
        agreement = reference.judge.agreement(seen.features, seen.labels)
        share, judged, by_class = agreement.share, agreement.pixels, agreement.by_class
    why_not = ONE_CLASS if reference.judge is None else "no synthetic pixel is labelled"
    result.add("synthetic.lda_agreement", share, why_not=why_not)
    result.add("synthetic.lda_ceiling", ceiling, why_not=why_not)
    result.add(
        "synthetic.lda_ratio", share / ceiling if share is not None and ceiling else None, why_not=why_not
    )
    result.add("synthetic.labelled_share", counts.sum() / (len(synthetic) * synthetic.size**2))
    result.add("synthetic.labelled_pixels", judged)

    labels_missing = "training or synthetic tiles have no labels"
    result.add(
        "synthetic.class_frequency_worst_factor",
        worst_factor(reference.ground_counts, counts),
        why_not=labels_missing,
    )
    lacking = missing(reference.ground_counts, counts)
    has_labels = bool(reference.ground_counts.sum())
    result.add("synthetic.classes_missing", len(lacking) if has_labels else None, why_not=labels_missing)
    if lacking.size and synthetic.classes:
        names = ", ".join(synthetic.classes.names[position] for position in lacking)
        result.note(f"classes that no synthetic pixel has: {names}")

    result.classes = _class_records(synthetic, reference, seen, counts, by_class)
    angles = [
        c.mean_angle_deg for c in result.classes if c.real_share > COMMON and c.mean_angle_deg is not None
    ]
    result.add(
        "synthetic.class_mean_angle_deg_worst", max(angles) if angles else None, why_not=labels_missing
    )
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


def judge_floor(result: Evaluation, real: TileSet, reference: Reference, *, seed: int) -> None:
    """Add `real.frechet_spectral_floor`: real training against real held-out tiles."""
    heldout = np.flatnonzero(np.isin(real.split, ("val", "test")))
    result.add("real.heldout_tiles", len(heldout))
    distance = None
    if heldout.size and reference.space:
        most = most_tiles(real, tile_limit=256, pixel_limit=524_288)
        index = heldout[evenly(len(heldout), most)]
        seen = view(real, index, features=reference.features, seed=seed)
        distance = reference.space.distance(reference.sample, seen.sample)
    result.add("real.frechet_spectral_floor", distance, why_not="there are no validation or test tiles")


def _class_records(
    synthetic: TileSet, reference: Reference, seen: View, counts: np.ndarray, agreement: np.ndarray
) -> list[ClassRecord]:
    classes = synthetic.classes
    if classes is None:
        return []
    real_share, synthetic_share = shares(reference.ground_counts), shares(counts)
    real_mean, real_std = reference.statistics.mean, reference.statistics.std
    mean, std = seen.statistics.mean, seen.statistics.std
    angle = spectral_angle_deg(real_mean, mean)
    return [
        ClassRecord(
            name=classes.names[i],
            value=classes.values[i],
            color=classes.colors[i],
            real_share=float(real_share[i]),
            synthetic_share=float(synthetic_share[i]),
            mean_angle_deg=_number(angle[i]),
            agreement=_number(agreement[i]),
            real_mean=_numbers(real_mean[i]),
            real_std=_numbers(real_std[i]),
            synthetic_mean=_numbers(mean[i]),
            synthetic_std=_numbers(std[i]),
        )
        for i in range(len(classes))
    ]


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _numbers(values: np.ndarray) -> list[float] | None:
    """Six digits are more than any sensor has; None for a class without pixels."""
    return [float(f"{value:.6g}") for value in values] if np.isfinite(values).all() else None
