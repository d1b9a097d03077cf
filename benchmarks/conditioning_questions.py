"""The questions of conditioning.py: each takes a run folder, a set and a seed, and gives figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from bars import SHARED

PINES = SHARED / "indian_pines"
SVM_PIXELS = 6000
TILES = 128


def pipeline_of(run: Path) -> Any:
    from specdm import SpecDMPipeline

    return SpecDMPipeline.from_pretrained(run / "model")


def tiles_of(run: Path) -> Any:
    from specdm import open_tiles

    return open_tiles(run / "tiles" / "tiles.zarr")


def labelled_pixels(tiles: Any, *, most: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Spectra `(n, bands)` and class positions of labelled pixels with data, drawn at random."""
    images, labels = tiles.images()[:, 0], tiles.classes.index_of(tiles.masks())[:, 0]
    spectra = np.moveaxis(images, 1, -1)[labels >= 0]
    chosen = labels[labels >= 0]
    there = np.isfinite(spectra).all(axis=1)
    spectra, chosen = spectra[there], chosen[there]
    if len(chosen) > most:
        pick = np.random.default_rng(seed).choice(len(chosen), most, replace=False)
        spectra, chosen = spectra[pick], chosen[pick]
    return spectra, chosen


def svm(train: tuple[np.ndarray, np.ndarray]) -> Any:
    """A support vector machine of single spectra, C and gamma by five-fold cross-validation on its training pixels."""
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    spectra, labels = train
    scale = 1.0 / spectra.shape[1]
    grid = {"svc__C": [10, 100, 1000], "svc__gamma": [0.3 * scale, scale, 3 * scale]}
    counts = np.bincount(labels)
    folds = int(np.clip(counts[counts > 0].min(), 2, 5))
    return GridSearchCV(make_pipeline(StandardScaler(), SVC()), grid, cv=folds).fit(spectra, labels)


def annotate(run: Path, name: str, seed: int) -> dict[str, float]:
    """Masks read off images of test ground, against an SVM of single spectra and the same training pixels."""
    from specdm.evaluation.reliability import expected_calibration_error

    pipeline, tiles = pipeline_of(run), tiles_of(run)
    if name.startswith("indian_pines_map"):
        found, truth, spectra = pines_test_pixels(pipeline)
        train = pines_training_pixels(seed)
    else:
        test = tiles.test
        chances = pipeline.posterior(test).probabilities[:, 0]
        labels = test.classes.index_of(test.masks())[:, 0]
        judged = (labels >= 0) & np.isfinite(chances).all(axis=1)
        found, truth = np.moveaxis(chances, 1, -1)[judged], labels[judged]
        spectra = np.moveaxis(test.images()[:, 0], 1, -1)[judged]
        train = labelled_pixels(tiles.train, most=SVM_PIXELS, seed=seed)
    right = found.argmax(axis=1) == truth
    recalls = [right[truth == c].mean() for c in np.unique(truth)]
    rival = svm(train).predict(spectra)
    sure = found.max(axis=1) >= 0.8
    return {
        "overall_accuracy": float(right.mean()),
        "average_accuracy": float(np.mean(recalls)),
        "svm_overall_accuracy": float((rival == truth).mean()),
        "over_svm": float(right.mean() - (rival == truth).mean()),
        "calibration_error": expected_calibration_error(found.max(axis=1), ~right),
        "sure_share": float(sure.mean()),
        "sure_accuracy": float(right[sure].mean()) if sure.any() else float("nan"),
        "pixels": float(len(truth)),
    }


def pines_ground() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cube, class positions (-1 unlabelled), and what is training ground."""
    from scipy.io import loadmat

    found = loadmat(PINES / "indianpines_disjoint_dset.mat")
    given = next(value for key, value in found.items() if not key.startswith("_"))
    labels = np.load(PINES / "Indian_pines_gt.npy").astype(int) - 1
    return np.load(PINES / "Indian_pines_corrected.npy").astype(np.float32), labels, given > 0


def pines_test_pixels(pipeline: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    import torch

    from specdm.models.pixels import Pixels
    from specdm.synthesis.reading_masks import read_pixels

    cube, labels, training = pines_ground()
    image = torch.from_numpy(np.moveaxis(cube, -1, 0))[None, None]
    window = Pixels(image, torch.zeros(1, 0, *cube.shape[:2], dtype=torch.int64), torch.zeros(1, 0, *cube.shape[:2]))
    chances, _ = read_pixels(pipeline.model, pipeline.reader, window, views=8)
    test = (labels >= 0) & ~training
    return np.moveaxis(chances[0, 0].numpy(), 0, -1)[test], labels[test], cube[test]


def pines_training_pixels(seed: int) -> tuple[np.ndarray, np.ndarray]:
    cube, labels, training = pines_ground()
    chosen = (labels >= 0) & training
    return cube[chosen], labels[chosen]


def render(run: Path, name: str, seed: int) -> dict[str, float]:
    """Images drawn for held-out real masks: do they look to a classifier of real spectra as the masks say?"""
    from specdm.evaluation.agreement import LabelJudge

    pipeline, tiles = pipeline_of(run), tiles_of(run)
    masks = [tiles.test, tiles.val]
    judge = LabelJudge.fit(*labelled_pixels(tiles.train, most=50_000, seed=seed), n_classes=len(tiles.classes))
    agreed: dict[str, list[float]] = {"drawn": [], "decoded": [], "real": []}
    for part in (p for p in masks if len(p)):
        labels = part.classes.index_of(part.masks())[:, 0]
        drawn = pipeline.sample(given=part, known=["mask"], seed=seed)
        for kind, shown_tiles in (("drawn", drawn), ("decoded", pipeline.reconstruct(part)), ("real", part)):
            found = judge.agreement(np.moveaxis(shown_tiles.images()[:, 0], 1, -1), labels)
            agreed[kind] += [found.share] * found.pixels
    means = {kind: float(np.mean(values)) for kind, values in agreed.items()}
    return {
        "lda_ratio": means["drawn"] / means["decoded"],
        **{f"lda_agreement_{kind}": value for kind, value in means.items()},
    }


def known_image(run: Path, name: str, seed: int) -> dict[str, float]:
    """Masks drawn for held-out images: do they say what is there, as the reading does?"""
    pipeline, tiles = pipeline_of(run), tiles_of(run)
    held_out = tiles.test
    labels = held_out.classes.index_of(held_out.masks())
    drawn = [pipeline.sample(given=held_out, known=["image"], seed=seed + 1000 * again) for again in range(2)]
    masks = [one.classes.index_of(one.masks()) for one in drawn]
    read = pipeline.posterior(held_out).probabilities.argmax(axis=2)
    judged = (labels >= 0) & (masks[0] >= 0)
    both = (masks[0] >= 0) & (masks[1] >= 0)
    return {
        "drawn_accuracy": float((masks[0] == labels)[judged].mean()),
        "read_accuracy": float((read == labels)[judged].mean()),
        "draws_alike": float((masks[0] == masks[1])[both].mean()),
        "labelled_share": float(judged.sum() / (labels >= 0).sum()),
    }


def compose(run: Path, name: str, seed: int) -> dict[str, float]:
    """How near drawn masks come to the composition that was ordered, and to as much of every class."""
    pipeline, tiles = pipeline_of(run), tiles_of(run)
    names, random = pipeline.classes.names, np.random.default_rng(seed)
    errors: dict[float, list[float]] = {0.0: [], 1.0: []}
    for order in range(8):
        chosen = random.choice(len(names), 2, replace=False)
        parts = random.dirichlet([2.0, 2.0]) * 0.9
        wanted = {names[c]: float(p) for c, p in zip(chosen, parts, strict=True)}
        for strength, found in errors.items():
            drawn = pipeline.sample(16, seed=1000 * seed + order, composition=wanted, composition_strength=strength)
            labels = drawn.classes.index_of(drawn.masks())
            for tile in labels:
                if (tile >= 0).sum() >= 0.05 * tile.size:
                    shares = np.bincount(tile[tile >= 0], minlength=len(names)) / (tile >= 0).sum()
                    found += [abs(shares[c] - p) for c, p in zip(chosen, parts, strict=True)]
    least = {}
    for strength in errors:
        counts = pipeline.sample(TILES, seed=seed, balance=True, composition_strength=strength).label_counts()
        least[strength] = float(counts.min() / counts.sum() * len(names))
    usual = pipeline.sample(TILES, seed=seed).label_counts()
    real = tiles.train.label_counts()
    return {
        "fraction_error": float(np.mean(errors[1.0])),
        "fraction_error_without_pull": float(np.mean(errors[0.0])),
        "balance_least_over_even": least[1.0],
        "balance_least_over_even_without_pull": least[0.0],
        "usual_least_over_even": float(usual.min() / usual.sum() * len(names)),
        "real_least_over_even": float(real.min() / real.sum() * len(names)),
    }


def reannotate(run: Path, name: str, seed: int) -> dict[str, float]:
    """Simulated ground, whose true class follows from its spectrum: masks as drawn against masks read off the image."""
    from specdm.evaluation.agreement import LabelJudge

    pipeline, tiles = pipeline_of(run), tiles_of(run)
    drawn = pipeline.sample(TILES, seed=seed)
    labels = drawn.classes.index_of(drawn.masks())[:, 0]
    chances = pipeline.posterior(drawn).probabilities[:, 0]
    read = chances.argmax(axis=1)
    # a judge of single spectra, fitted on real ground, that neither the denoiser nor the reader has seen
    judge = LabelJudge.fit(*labelled_pixels(tiles.train, most=50_000, seed=seed), n_classes=len(tiles.classes))
    spectra = np.moveaxis(drawn.images()[:, 0], 1, -1)
    test = tiles.test
    decoded = np.moveaxis(pipeline.reconstruct(test).images()[:, 0], 1, -1)
    limit = judge.agreement(decoded, test.classes.index_of(test.masks())[:, 0])
    there = labels >= 0
    return {
        "lda_agreement_drawn": judge.agreement(spectra, labels).share,
        "lda_agreement_read": judge.agreement(spectra, np.where(there, read, -1)).share,
        "lda_agreement_real": limit.share,
        "drawn_and_read_alike": float((labels == read)[there].mean()),
        "read_confidence": float(chances.max(axis=1)[there].mean()),
    }
