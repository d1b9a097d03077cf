"""What single spectra say of classes, learnt from real labelled pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from specdm.evaluation.reliability.class_shapes import ClassShapes

FOLDS = 4
PRIORS = (50.0, 500.0)
"""Pixels that the common covariance counts for in that of a class; the likelier is taken."""

LOGISTIC_PIXELS = 12_000
"""Most pixels of the linear classifier, whose time grows with them; classes keep their shares."""

LEAST_LOG = -20.0


@dataclass(frozen=True)
class SpectralEvidence:
    """p(class | spectrum) from two opinions, a heavy-tailed distribution a class and a linear classifier.

    The distributions know how far a spectrum is from all classes, the linear classifier where the line between two
    classes is; their logarithms are weighted so that the likelihood of held-out ground is greatest, which also
    makes the probabilities those of ground not seen (Guo et al. 2017, "On calibration of modern neural networks",
    section 4.2, temperature scaling, here with two logits; Hastie, Tibshirani, Friedman 2009, section 8.8, stacking).

    Attributes:
        shapes: the distributions.
        linear: the classifier; None with one class.
        weights: of the two logarithms, `(2,)`.
        n_classes: of the mask.
        known: classes with pixels, bool `(class,)`.
    """

    shapes: ClassShapes
    linear: Any
    weights: np.ndarray
    n_classes: int
    known: np.ndarray

    def log_probabilities(self, components: np.ndarray) -> np.ndarray:
        """Logarithm of p(class | spectrum).

        Args:
            components: `(..., component)`.

        Returns:
            float32 `(..., class)`, at least `LEAST_LOG`, which is that of classes nothing is known of; all classes
            alike where a component has no data.
        """
        flat = components.reshape(-1, components.shape[-1])
        finite = np.isfinite(flat).all(axis=1)
        found = np.full((len(flat), self.n_classes), -np.log(self.n_classes), np.float32)
        if finite.any():
            opinions = _opinions(self.shapes, self.linear, flat[finite].astype(np.float64), self.n_classes)
            found[finite] = _weighted(opinions, self.weights, self.known)
        return found.reshape(*components.shape[:-1], self.n_classes)

    def distance(self, components: np.ndarray) -> np.ndarray:
        """Squared Mahalanobis distance to every class over the number of components, float32 `(..., class)`.

        NaN for classes without pixels and where a component has no data.
        """
        flat = components.reshape(-1, components.shape[-1]).astype(np.float64)
        found = self.shapes.distances(flat) / flat.shape[1]
        return found.astype(np.float32).reshape(*components.shape[:-1], self.n_classes)


@dataclass(frozen=True)
class HeldOut:
    """Spectral evidence as it is for ground that it was not fitted on.

    Attributes:
        folds: the evidence fitted without each fold.
        blocks: numbers of the blocks that were held out together, rising, `(block,)`.
        fold_of: the fold of each, `(block,)`.
    """

    folds: list[SpectralEvidence]
    blocks: np.ndarray
    fold_of: np.ndarray

    def log_probabilities(self, components: np.ndarray, blocks: np.ndarray) -> np.ndarray:
        """As `SpectralEvidence.log_probabilities`, every pixel by the evidence that has not seen its block."""
        return self._by_fold(components, blocks, "log_probabilities")

    def distance(self, components: np.ndarray, blocks: np.ndarray) -> np.ndarray:
        """As `SpectralEvidence.distance`, every pixel by the evidence that has not seen its block."""
        return self._by_fold(components, blocks, "distance")

    def _by_fold(self, components: np.ndarray, blocks: np.ndarray, what: str) -> np.ndarray:
        place = np.minimum(np.searchsorted(self.blocks, blocks), len(self.blocks) - 1)
        # a block without a labelled pixel is new to all of them
        fold = np.where(self.blocks[place] == blocks, self.fold_of[place], 0)
        found = np.empty((*components.shape[:-1], self.folds[0].n_classes), np.float32)
        for number, evidence in enumerate(self.folds):
            inside = fold == number
            found[inside] = getattr(evidence, what)(components[inside])
        return found


def fit_spectral_evidence(
    components: np.ndarray, labels: np.ndarray, blocks: np.ndarray, *, n_classes: int, seed: int
) -> tuple[SpectralEvidence, HeldOut]:
    """Fit on real labelled pixels.

    Args:
        components: `(m, component)`, finite.
        labels: class positions `(m,)`, 0 and above.
        blocks: which pixels lie so near each other that they are held out together, int64 `(m,)`.
        n_classes: of the mask.
        seed: of the draw of pixels.
    """
    x = components.astype(np.float64)
    names, fold_of, fold = _folds(blocks)
    whole: dict[float, list[np.ndarray]] = {}
    fits: dict[float, list[tuple[ClassShapes, Any]]] = {}
    linear = [_fit_linear(x[fold != f], labels[fold != f], seed=seed) for f in range(fold.max() + 1)]
    for prior in PRIORS:
        fits[prior], parts = [], []
        for f in range(fold.max() + 1):
            inside = fold == f
            shapes = ClassShapes.fit(x[~inside], labels[~inside], n_classes=n_classes, prior=prior)
            fits[prior].append((shapes, linear[f]))
            parts.append(_opinions(shapes, linear[f], x[inside], n_classes))
        whole[prior] = parts
    order = [np.flatnonzero(fold == f) for f in range(fold.max() + 1)]
    fitted = {
        prior: _fit_weights(np.concatenate(parts), labels[np.concatenate(order)]) for prior, parts in whole.items()
    }
    prior = min(fitted, key=lambda one: fitted[one][1])
    weights = fitted[prior][0]

    def evidence(shapes: ClassShapes, classifier: Any) -> SpectralEvidence:
        return SpectralEvidence(shapes, classifier, weights, n_classes, shapes.known)

    held = HeldOut([evidence(*pair) for pair in fits[prior]], names, fold_of)
    shapes = ClassShapes.fit(x, labels, n_classes=n_classes, prior=prior)
    return evidence(shapes, _fit_linear(x, labels, seed=seed)), held


def _folds(blocks: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Names of blocks, the fold of each, folds of about the same size, and the fold of each pixel."""
    names, group, counts = np.unique(blocks, return_inverse=True, return_counts=True)
    n = min(FOLDS, len(names))
    size, of_block = np.zeros(n), np.zeros(len(names), np.int64)
    for block in np.argsort(-counts, kind="stable"):
        of_block[block] = np.argmin(size)
        size[of_block[block]] += counts[block]
    return names, of_block, of_block[group]


def _fit_linear(x: np.ndarray, labels: np.ndarray, *, seed: int) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if len(np.unique(labels)) < 2:
        return None
    if len(x) > LOGISTIC_PIXELS:
        chosen = np.random.default_rng(seed).choice(len(x), LOGISTIC_PIXELS, replace=False)
        if len(np.unique(labels[chosen])) > 1:
            x, labels = x[chosen], labels[chosen]
    return make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=300)).fit(x, labels)


def _opinions(shapes: ClassShapes, linear: Any, x: np.ndarray, n_classes: int) -> np.ndarray:
    """Logarithms of the likelihood and of the linear classifier's probability, `(m, 2, class)`; NaN: unknown."""
    found = np.full((len(x), 2, n_classes), np.nan)
    found[:, 0] = shapes.log_likelihood(x)
    if linear is not None:
        found[:, 1, linear.classes_] = np.log(np.clip(linear.predict_proba(x), np.exp(LEAST_LOG), 1.0))
        found[:, 1][:, shapes.known & np.isnan(found[:, 1]).all(axis=0)] = LEAST_LOG
    else:
        found[:, 1, shapes.known] = 0.0
    return found


def _weighted(opinions: np.ndarray, weights: np.ndarray, known: np.ndarray) -> np.ndarray:
    from scipy.special import logsumexp

    logits = np.where(known, np.einsum("moc,o->mc", np.nan_to_num(opinions), weights), -np.inf)
    if not known.any():
        return np.full(logits.shape, -np.log(logits.shape[1]))
    return np.maximum(logits - logsumexp(logits, axis=1, keepdims=True), LEAST_LOG)


def _fit_weights(opinions: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights of the two opinions that make the true classes likeliest, and minus the mean logarithm then."""
    from scipy.optimize import minimize
    from scipy.special import logsumexp

    rows = np.arange(len(labels))
    # a class that the other folds do not have cannot be told from their pixels
    usable = np.isfinite(opinions[rows, 0, labels])
    opinions, labels, rows = opinions[usable], labels[usable], np.arange(int(usable.sum()))
    if not len(rows):
        return np.array([0.3, 0.5]), float("inf")
    # classes alike: otherwise the frequent ones decide how sure the others may be
    share = np.bincount(labels)[labels] ** -0.5
    share = share / share.sum()
    unknown = np.isnan(opinions[:, 0])
    seen = np.nan_to_num(opinions)

    def loss(log_weights: np.ndarray) -> tuple[float, np.ndarray]:
        weights = np.exp(log_weights)
        logits = np.where(unknown, -np.inf, np.einsum("moc,o->mc", seen, weights))
        total = logsumexp(logits, axis=1, keepdims=True)
        off = seen[rows, :, labels] - np.einsum("moc,mc->mo", seen, np.exp(logits - total))
        value = -float(share @ (logits[rows, labels] - total[:, 0]))
        return value, -(share @ off) * weights

    best = minimize(loss, np.log([0.2, 0.5]), jac=True, bounds=[(-6.0, 1.5)] * 2, method="L-BFGS-B")
    return np.exp(best.x), float(best.fun)
