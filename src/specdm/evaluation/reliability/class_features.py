"""What is known of each pixel's class label, as numbers that mean the same on every data set."""

from __future__ import annotations

import numpy as np

from specdm.evaluation.reliability.edge_evidence import NO_SIDE, side_logits
from specdm.evaluation.reliability.neighbourhood import (
    across_border,
    alike_mean,
    all_regions,
    group_mean,
    same_label_mean,
)
from specdm.evaluation.reliability.registration import band_margins, shift_log_odds

LIMIT = 8.0
"""Log odds are kept within it: beyond, the model of the evidence is wrong before the label is."""

NOT_HERE = -50.0
RADIUS = 3
ALIKE = 4.0


def log_odds(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Log odds of a pixel's own label against all others, float32 `(tile, y, x)`, within `LIMIT`; 0 unlabelled.

    Args:
        logits: logarithms of class probabilities, up to a constant a pixel, `(tile, y, x, class)`.
        labels: class positions `(tile, y, x)`, -1 where unlabelled.
    """
    from scipy.special import logsumexp

    own = np.maximum(labels, 0)[..., None]
    said = np.take_along_axis(logits, own, axis=-1)
    rest = logits.copy()
    np.put_along_axis(rest, own, -np.inf, axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = said[..., 0] - logsumexp(rest, axis=-1)
    odds = np.clip(np.nan_to_num(odds, nan=0.0, posinf=LIMIT, neginf=-LIMIT), -LIMIT, LIMIT)
    return np.where(labels >= 0, odds, 0.0).astype(np.float32)


class LabelContext:
    """Masks with what many features ask of them."""

    def __init__(self, labels: np.ndarray, spectra: np.ndarray, *, scale: float) -> None:
        """Look at masks.

        Args:
            labels: class positions `(tile, y, x)`, -1 where unlabelled.
            spectra: in noise units `(tile, y, x, component)`, NaN where no data.
            scale: mean squared difference of neighbours in real tiles, see `neighbour_scale`.
        """
        self.labels, self.spectra, self.scale = labels, spectra, scale
        self.regions = all_regions(labels)
        self.border, _ = across_border(labels)
        self.sides = side_logits(spectra, labels, scale=scale)
        self.nearby = self.sides > NO_SIDE / 2

    def smooth(self, logits: np.ndarray, radius: int) -> np.ndarray:
        return alike_mean(logits, self.spectra, radius=radius, scale=ALIKE * self.scale)


def opinion_features(logits: np.ndarray, context: LabelContext) -> dict[str, np.ndarray]:
    """What an opinion of the classes says of the labels: alone, among neighbours, in regions, at borders.

    Args:
        logits: logarithms of class probabilities `(tile, y, x, class)`, from spectra or from a model.
        context: of the same tiles.

    Returns:
        Float32 `(tile, y, x)` each, log odds within `LIMIT` or differences of probabilities.
    """
    labels = context.labels
    near, far = context.smooth(logits, 1), context.smooth(logits, RADIUS)
    found = {
        "pixel": log_odds(logits, labels),
        "near": log_odds(near, labels),
        "far": log_odds(far, labels),
        "window": log_odds(np.nan_to_num(same_label_mean(logits, labels, radius=RADIUS)), labels),
        "region": log_odds(np.nan_to_num(group_mean(logits, context.regions)), labels),
    }
    width = context.nearby.shape[-1]
    found["nearby"] = log_odds(np.where(context.nearby, near[..., :width], NOT_HERE), labels)
    found |= _border_features(near, context)
    # a right label is as likely as a class drawn by the opinion itself: the sum of squares
    probability = np.exp(logits)
    own = np.take_along_axis(probability, np.maximum(labels, 0)[..., None], axis=-1)[..., 0]
    off = own - np.square(probability).sum(axis=-1)
    found["region_off"] = np.nan_to_num(group_mean(off[..., None], context.regions)[..., 0]).astype(np.float32)
    found["tile_off"] = tile_mean(off, labels)
    return found


def edge_features(context: LabelContext) -> dict[str, np.ndarray]:
    """What the spectra on both sides of borders say, without knowing classes; as `opinion_features`."""
    sides = np.where(context.nearby, np.maximum(context.sides, -20.0), NOT_HERE)
    found = {"side": log_odds(sides, context.labels), **_border_features(sides, context)}
    found["distance"] = np.minimum(context.border, 8.0)
    return found


def joint_features(logits: np.ndarray, context: LabelContext) -> dict[str, np.ndarray]:
    """What an opinion and the two sides of borders say together; as `opinion_features`."""
    width = context.nearby.shape[-1]
    sides = np.where(context.nearby, np.maximum(context.sides, -20.0), NOT_HERE)
    both = context.smooth(logits, 1)[..., :width] + sides
    return {"nearby": log_odds(both, context.labels), **_border_features(both, context)}


def _border_features(logits: np.ndarray, context: LabelContext) -> dict[str, np.ndarray]:
    stays, still = shift_log_odds(logits, context.labels)
    local, along = band_margins(logits, context.labels, context.regions)
    # away from borders there is nothing against the label
    return {
        "stays": stays,
        "still": np.broadcast_to(np.maximum(still, -LIMIT)[:, None, None], stays.shape).astype(np.float32),
        "band": np.nan_to_num(local, nan=6.0),
        "along": np.nan_to_num(along, nan=6.0),
    }


def tile_mean(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Mean over the labelled pixels of a tile, given to each, float32 `(tile, y, x)`; 0 without any."""
    inside = labels >= 0
    count = np.maximum(inside.sum(axis=(1, 2)), 1)
    mean = np.where(inside, values, 0.0).sum(axis=(1, 2)) / count
    return np.broadcast_to(mean[:, None, None], labels.shape).astype(np.float32)
