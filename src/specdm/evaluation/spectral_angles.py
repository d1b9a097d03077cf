"""Shapes of spectra: class means against class means, and synthetic pixels against the nearest real ones."""

from __future__ import annotations

import numpy as np

from specdm.evaluation.case import SYNTHETIC_PIXELS, SYNTHETIC_TILES, Case
from specdm.evaluation.frequencies import COMMON, shares
from specdm.evaluation.pixel_samples import MATERIAL, Groups, PixelSample, draw_sample
from specdm.evaluation.reading import most_tiles, some
from specdm.evaluation.real_parts import heldout_apart, real_parts
from specdm.evaluation.record import Evaluation
from specdm.evaluation.spectra import spectral_angle_deg
from specdm.evaluation.weighted_tiles import GroupMeans, interval_about, weighted_ratio

NEAREST_PIXELS, NEAREST_OF = 2000, 20_000
"""Most pixels whose nearest real pixel is sought, and real pixels it is sought among."""

WORST = "synthetic.class_mean_angle_deg_worst"


def date_angle_deg(one: np.ndarray, other: np.ndarray, dates: list[slice]) -> np.ndarray:
    """Mean over the dates of the angle between spectra `(..., channel)`.

    The angle between two dates after each other hides what a dark date does; each has the same say here.
    """
    return np.mean([spectral_angle_deg(one[..., own], other[..., own]) for own in dates], axis=0)


def nearest_angle_deg(sample: PixelSample, real: PixelSample, dates: list[slice]) -> np.ndarray:
    """Angle of each pixel to the nearest real pixel of its group, degrees `(m,)`; NaN where its group has none.

    The nearest by angle is the nearest of the spectra scaled to unit length, each date by itself.
    """
    from sklearn.neighbors import NearestNeighbors

    found = np.full(len(sample.spectra), np.nan)
    for group in np.unique(sample.group[sample.group >= 0]):
        own, pool = np.flatnonzero(sample.group == group), real.of(int(group))
        if not len(pool):
            continue
        search = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(_unit(pool, dates))
        nearest = search.kneighbors(_unit(sample.spectra[own], dates), return_distance=False)[:, 0]
        found[own] = date_angle_deg(sample.spectra[own], pool[nearest], dates)
    return found


def add_angles(result: Evaluation, case: Case, groups: Groups, real: PixelSample, synthetic: PixelSample) -> None:
    """Add `synthetic.class_mean_angle_deg`, `synthetic.nearest_angle_deg` and its floor, and their intervals."""
    _add_mean_angle(result, case, groups, real, synthetic)
    dates = case.real.date_channels
    drawn, pool = _few(synthetic, NEAREST_PIXELS, case.seed), _few(real, NEAREST_OF, case.seed)
    angles = nearest_angle_deg(drawn, pool, dates)
    known = np.isfinite(angles)
    counts, sums = (
        np.bincount(drawn.tile[known], weights=weights, minlength=drawn.n_tiles) for weights in (None, angles[known])
    )
    value = float(angles[known].mean()) if known.any() else None
    result.add(
        "synthetic.nearest_angle_deg",
        value,
        interval=interval_about(value, weighted_ratio(sums, counts), drawn.n_tiles, seed=case.seed),
        why_not="no synthetic pixel is of a class that training pixels have",
    )
    _add_floor(result, case, groups, pool)
    kind = f"of the same {groups.kind}" if groups.kind else "of all"
    result.settings["nearest angle"] = (
        f"{int(known.sum())} synthetic pixels against {len(pool.spectra)} real training pixels {kind}"
    )


def _add_mean_angle(result: Evaluation, case: Case, groups: Groups, real: PixelSample, synthetic: PixelSample) -> None:
    """Of the groups above 2 % of the real pixels."""
    dates = case.real.date_channels
    if groups.kind == MATERIAL:
        count = np.bincount(real.group[real.group >= 0], minlength=len(groups.names))
        common = np.flatnonzero(shares(count) > COMMON)
        ones = np.ones(max(1, real.n_tiles))
        wanted = GroupMeans(real.spectra, real.group, real.tile, common).means(ones)
        found = GroupMeans(synthetic.spectra, synthetic.group, synthetic.tile, common).means(np.ones(synthetic.n_tiles))
    else:
        rows = np.flatnonzero(shares(case.reference.ground_counts) > COMMON) if groups.kind else np.array([-1])
        wanted, found = (one.statistics.mean[rows] for one in (case.reference, case.generated))
        common = rows if groups.kind else np.array([0])
    resampled = GroupMeans(synthetic.spectra, synthetic.group, synthetic.tile, common)

    def mean(weights: np.ndarray) -> float:
        return _known_mean(date_angle_deg(wanted, resampled.means(weights), dates))

    def worst(weights: np.ndarray) -> float:
        angles = spectral_angle_deg(wanted, resampled.means(weights))
        return float(np.nanmax(angles)) if np.isfinite(angles).any() else float("nan")

    value = _known_mean(date_angle_deg(wanted, found, dates))
    result.add(
        "synthetic.class_mean_angle_deg",
        value,
        interval=interval_about(value, mean, synthetic.n_tiles, seed=case.seed),
        why_not="no common class has synthetic pixels with data",
    )
    if absent := int((~np.isfinite(date_angle_deg(wanted, found, dates))).sum()):
        result.note(f"{absent} of {len(wanted)} common kinds of ground were not drawn; the mean angle is of the others")
    interval = interval_about(result.metrics.get(WORST), worst, synthetic.n_tiles, seed=case.seed)
    if interval is not None:
        result.intervals[WORST] = interval
    what = f"means of each {groups.kind} above {COMMON:.0%}" if groups.kind else "means of all pixels"
    result.settings["mean angle"] = f"between {what}" + (", date by date" if len(dates) > 1 else "")


def _add_floor(result: Evaluation, case: Case, groups: Groups, pool: PixelSample) -> None:
    held = heldout_apart(case.real.tiles)
    angles, words = np.zeros(0), "held-out pixels against training pixels"
    if len(held):
        tiles = case.real.tiles
        most = most_tiles(tiles, tile_limit=SYNTHETIC_TILES, pixel_limit=SYNTHETIC_PIXELS)
        held = held[some(len(held), max(1, most // case.real.kinds), random=np.random.default_rng(case.seed))]
        drawn = draw_sample(case.real, held, groups, seed=case.seed)
        angles = nearest_angle_deg(_few(drawn, NEAREST_PIXELS, case.seed), pool, case.real.date_channels)
    if not np.isfinite(angles).any() and (parts := real_parts(case.real.tiles, seed=case.seed)) is not None:
        one, other = (draw_sample(case.real, part, groups, seed=case.seed) for part in parts[:2])
        words = parts[2]
        angles = nearest_angle_deg(
            _few(one, NEAREST_PIXELS, case.seed), _few(other, NEAREST_OF, case.seed), case.real.date_channels
        )
    result.add(
        "real.nearest_angle_floor_deg",
        _known_mean(angles),
        why_not="no two parts of the real ground with labels can be held against each other",
    )
    if np.isfinite(angles).any():
        result.settings["floor of the nearest angle"] = words


def _few(sample: PixelSample, most: int, seed: int) -> PixelSample:
    """At most so many pixels of known group, drawn, groups in proportion."""
    known = np.flatnonzero(sample.group >= 0)
    if len(known) > most:
        known = np.sort(np.random.default_rng(seed).choice(known, most, replace=False))
    return PixelSample(sample.spectra[known], sample.group[known], sample.tile[known], sample.n_tiles)


def _unit(spectra: np.ndarray, dates: list[slice]) -> np.ndarray:
    """Each date of unit length, float32; of no length where it is all zero."""
    parts = []
    for own in dates:
        length = np.linalg.norm(spectra[:, own].astype(np.float64), axis=1, keepdims=True)
        parts.append(spectra[:, own] / np.where(length > 0, length, 1))
    return np.concatenate(parts, axis=1).astype(np.float32)


def _known_mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")
