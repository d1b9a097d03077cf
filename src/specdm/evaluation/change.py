"""Judge of change: do images change where the masks say so, as much and as often as in real tiles?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from specdm.evaluation.case import SYNTHETIC_PIXELS, SYNTHETIC_TILES, Case
from specdm.evaluation.change_map import (
    change_map,
    count_contradictions,
    has_change_map,
    has_layer_a_date,
    transition_distance,
    transitions,
)
from specdm.evaluation.reading import BATCH_VALUES, evenly, most_tiles, some
from specdm.evaluation.record import Evaluation
from specdm.evaluation.spectra import SpectraStatistics, spectral_angle_deg
from specdm.tiles.coverage import GroundSeen
from specdm.tiles.tileset import COUNT_BATCH, TileSet

ONE_KIND = "changed and unchanged pixels with data at both dates are needed in training and in synthetic tiles"
NO_LABELS = "no pixel is labelled in training or in synthetic tiles"


@dataclass(frozen=True)
class Pixels:
    """Labelled pixels with data at the first and the last date.

    Attributes:
        changed: bool `(m,)`.
        magnitude: length of the change vector, `(m,)`.
        angle_deg: spectral angle between the dates, `(m,)`.
    """

    changed: np.ndarray
    magnitude: np.ndarray
    angle_deg: np.ndarray

    def auc(self) -> float:
        """How well the magnitude tells changed from unchanged pixels, 0..1; NaN if one of the two is missing."""
        from sklearn.metrics import roc_auc_score

        if self.changed.all() or not self.changed.any():
            return float("nan")
        return float(roc_auc_score(self.changed, self.magnitude))

    def unchanged_angle_deg(self) -> float:
        """Mean angle over unchanged pixels; NaN if there is none."""
        angles = self.angle_deg[~self.changed]
        return float(np.nanmean(angles)) if np.isfinite(angles).any() else float("nan")


@dataclass(frozen=True)
class Labels:
    """What the masks of a whole set say.

    Attributes:
        changed, unchanged: labelled pixels, real ones each pixel of ground once.
        transitions: `(classes, classes)` with a layer a date, else None.
        contradictions: pixels whose change map says something else than the class masks; None without these.
    """

    changed: int
    unchanged: int
    transitions: np.ndarray | None
    contradictions: int | None

    @property
    def share(self) -> float:
        """Of changed pixels among labelled ones, 0..1; NaN if nothing is labelled."""
        labelled = self.changed + self.unchanged
        return self.changed / labelled if labelled else float("nan")


def has_change(case: Case) -> bool:
    """Whether the tiles say what changed."""
    return has_change_map(case.real.tiles)


def judge_change(result: Evaluation, case: Case) -> None:
    """Add `change.*`."""
    train, synthetic = case.train.tiles, case.synthetic.tiles
    _judge_labels(result, read_labels(train), read_labels(synthetic))
    first, last = train.bands_of(0), train.bands_of(train.n_dates - 1)
    dates = train.dates
    result.settings["change"] = f"between {dates[0]} and {dates[-1]}, over labelled pixels, each pixel of ground once"
    if not np.array_equal(first, last):
        result.note(
            f"change in the images was not measured: {dates[0]} and {dates[-1]} are of different sensors, whose "
            "spectra have no difference"
        )
        return
    limits = {"tile_limit": SYNTHETIC_TILES, "pixel_limit": SYNTHETIC_PIXELS}
    real_index = some(len(train), most_tiles(train, **limits), random=np.random.default_rng(case.seed))
    scale = DateScale.fit(train, real_index, bands=first)
    real = read_pixels(train, real_index, scale=scale)
    drawn = read_pixels(synthetic, evenly(len(synthetic), most_tiles(synthetic, **limits)), scale=scale)
    result.settings["change magnitude"] = (
        "Euclidean length of the change vector over all bands, each band of each date in standard deviations from "
        "its mean over all real training pixels, so that season and light do not count; real tiles as they are"
    )

    auc_real, auc_synthetic = real.auc(), drawn.auc()
    for key, value in (
        ("auc_real", auc_real),
        ("auc_synthetic", auc_synthetic),
        ("auc_ratio", _ratio(auc_synthetic, auc_real)),
    ):
        result.add(f"change.{key}", value, why_not=ONE_KIND)
    angle_real, angle_synthetic = real.unchanged_angle_deg(), drawn.unchanged_angle_deg()
    for key, value in (
        ("real_deg", angle_real),
        ("synthetic_deg", angle_synthetic),
        ("ratio", _ratio(angle_synthetic, angle_real)),
    ):
        result.add(f"change.unchanged_angle_{key}", value, why_not="no pixel is unchanged, or none of them differs")


@dataclass(frozen=True)
class DateScale:
    """Each band of the first and the last date in standard deviations from its mean over real training pixels.

    Without it season, light and gain, which differ between dates everywhere, outweigh what changed: on Taizhou
    (Landsat, March against February) the length of the plain difference has an AUC of 0.41, that of the scaled one
    0.99. Yang and Lo (2000), "Relative radiometric normalization performance for change detection from multi-date
    satellite images", Photogrammetric Engineering and Remote Sensing 66 (mean and standard deviation).

    Attributes:
        bands: positions of the bands, `(band,)`.
        mean, std: `(2, band)`, first and last date; a spread of infinity where a band does not vary at both.
    """

    bands: np.ndarray
    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def fit(cls, tiles: TileSet, index: np.ndarray, *, bands: np.ndarray) -> DateScale:
        """Of all pixels with data, labelled or not, each pixel of ground once."""
        ground = GroundSeen(tiles)
        dates = [SpectraStatistics(0, len(bands)) for _ in (0, -1)]
        for part in _batches(tiles, index):
            images, fresh = _first_and_last(tiles, part, bands), ground.fresh(part)
            for date, statistics in enumerate(dates):
                spectra = images[:, date][fresh]
                statistics.add(spectra, np.full(len(spectra), -1))
        mean, std = (np.stack([getattr(one, what)[-1] for one in dates]) for what in ("mean", "std"))
        return cls(bands, mean, np.where((std > 0).all(axis=0), std, np.inf))

    def apply(self, spectra: np.ndarray, date: int) -> np.ndarray:
        """Spectra `(m, band)` of the first (0) or last (1) date, scaled."""
        return (spectra - self.mean[date]) / self.std[date]


def read_pixels(tiles: TileSet, index: np.ndarray, *, scale: DateScale) -> Pixels:
    """Compare the first with the last date in the tiles at some positions, each pixel of ground once.

    The magnitude is that of change vector analysis: Malila (1980), "Change vector analysis: an approach for
    detecting forest changes with Landsat"; Bruzzone and Prieto (2000), "Automatic analysis of the difference
    image for unsupervised change detection", IEEE Transactions on Geoscience and Remote Sensing 38. The angle is
    that of the spectra as they are.
    """
    ground = GroundSeen(tiles)
    changed, magnitudes, angles = [], [], []
    for part in _batches(tiles, index):
        change, images = change_map(tiles, part), _first_and_last(tiles, part, scale.bands)
        chosen = ground.fresh(part) & (change >= 0) & np.isfinite(images).all(axis=(1, -1))
        before, after = images[:, 0][chosen].astype(np.float64), images[:, 1][chosen].astype(np.float64)
        changed.append(change[chosen] == 1)
        magnitudes.append(np.linalg.norm(scale.apply(after, 1) - scale.apply(before, 0), axis=-1))
        angles.append(spectral_angle_deg(before, after))
    return Pixels(np.concatenate(changed), np.concatenate(magnitudes), np.concatenate(angles))


def _first_and_last(tiles: TileSet, index: np.ndarray, bands: np.ndarray) -> np.ndarray:
    """Images of the first and the last date, `(n, 2, y, x, band)`."""
    return np.moveaxis(tiles.images(index)[:, [0, -1]][:, :, bands], 2, -1)


def _batches(tiles: TileSet, index: np.ndarray) -> Iterator[np.ndarray]:
    size = max(1, BATCH_VALUES // (tiles.n_dates * tiles.n_bands * tiles.size**2))
    for start in range(0, len(index), size):
        yield index[start : start + size]


def read_labels(tiles: TileSet) -> Labels:
    """Count what all masks of a set say."""
    ground, classes = GroundSeen(tiles), tiles.classes
    a_date = has_layer_a_date(tiles)
    n_classes = len(classes) if classes else 0
    table = np.zeros((n_classes, n_classes), np.int64)
    changed = unchanged = contradictions = 0
    for start in range(0, len(tiles), COUNT_BATCH):
        part = np.arange(start, min(start + COUNT_BATCH, len(tiles)))
        change, fresh = change_map(tiles, part), ground.fresh(part)
        changed += int(((change == 1) & fresh).sum())
        unchanged += int(((change == 0) & fresh).sum())
        if a_date and classes:
            masks = tiles.masks(part)
            contradictions += count_contradictions(change, masks)
            positions = classes.index_of(masks)
            before, after = (np.where(fresh, positions[:, layer], -1) for layer in (0, -1))
            table += transitions(before, after, n_classes=n_classes)
    return Labels(changed, unchanged, table if a_date else None, contradictions if a_date else None)


def _judge_labels(result: Evaluation, real: Labels, synthetic: Labels) -> None:
    result.add("change.share_real", real.share, why_not=NO_LABELS)
    result.add("change.share_synthetic", synthetic.share, why_not=NO_LABELS)
    result.add("change.share_factor", _factor(real, synthetic), why_not=NO_LABELS)
    if synthetic.contradictions is not None:
        result.add("change.contradictions", synthetic.contradictions)
    if real.transitions is not None and synthetic.transitions is not None:
        distance = transition_distance(real.transitions, synthetic.transitions)
        result.add("change.transition_distance", distance, why_not=NO_LABELS)


def _factor(real: Labels, synthetic: Labels) -> float:
    """By what factor the share of changed pixels is off, at least 1; no changed pixel counts as one."""
    shares = [
        max(1, labels.changed) / labelled if (labelled := labels.changed + labels.unchanged) else float("nan")
        for labels in (real, synthetic)
    ]
    return float(max(shares[0] / shares[1], shares[1] / shares[0]))


def _ratio(one: float, other: float) -> float | None:
    return one / other if other > 0 else None
