"""What a trained model says and draws when something is given: masks of images, images of masks, ordered compositions.

    python benchmarks/conditioning.py [--work runs/conditioning] [--only annotate,...] [--seeds 0,1,2] [--threads 1]
    python benchmarks/conditioning.py --table

Every question, set and seed is a record in results/conditioning/; a finished one is not done again, a begun training
goes on. The preset is `tiny`. Runs of the question `annotate` train codecs and reader for the preset's own minutes and
the denoiser for one step, since reading masks does not ask it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from bars import HERE, RESULTS, SHARED, Bar, shown, specdm
from fidelity_sets import SETS

RECORDS = RESULTS / "conditioning"
PINES = SHARED / "indian_pines"
MAP = [
    *(str(PINES / "Indian_pines_corrected.npy"), "--mask", str(PINES / "Indian_pines_gt.npy")),
    *("--split-map", str(PINES / "indianpines_disjoint_dset.mat"), "--split-map-kind", "train", "--split", "map"),
]
WORDS: dict[str, list[str]] = {
    **{one.name: one.words for one in SETS},
    "indian_pines_map": [*MAP, "--pixel-policy", "spectra_seen"],
    "indian_pines_map_unseen": ["WORK/unseen.npy", "--mask", "WORK/unseen_labels.npy", "--set", "tiles.test_share=0"],
}
READER_ONLY = ["--set", "denoiser.minutes=null", "--set", "denoiser.steps=1", "--set", "sampling.calibration_tiles=0"]
BAR_FOR = {
    "overall_accuracy": ("indian_pines_map",),
    "over_svm": ("indian_pines_map", "enmap_potsdam", "sentinel2_lulc"),
}
"""Sets that a bar is for, where not for all."""

SVM_PIXELS = 6000
TILES = 128


@dataclass(frozen=True)
class Question:
    """What is asked, of which sets.

    Attributes:
        name: of records.
        sets: names.
        ask: run folder, set, seed -> figures.
        bars: of the figures.
        training: arguments of `specdm train` beside the set's.
        about: one line for the table.
    """

    name: str
    sets: tuple[str, ...]
    ask: Callable[[Path, str, int], dict[str, float]]
    bars: tuple[Bar, ...]
    training: tuple[str, ...]
    about: str


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


def calibration_error(confidence: np.ndarray, right: np.ndarray, *, bins: int = 15) -> float:
    """Expected calibration error (Guo et al. 2017, eq. 3)."""
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    parts = [(which == b) for b in range(bins)]
    return float(sum(p.mean() * abs(confidence[p].mean() - right[p].mean()) for p in parts if p.any()))


def annotate(run: Path, name: str, seed: int) -> dict[str, float]:
    """Masks read off images of test ground, against an SVM of single spectra and the same training pixels."""
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
        "calibration_error": calibration_error(found.max(axis=1), right),
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


QUESTIONS = (
    Question(
        "annotate",
        ("indian_pines_map", "indian_pines_map_unseen", "enmap_potsdam", "sentinel2_lulc"),
        annotate,
        (
            Bar("overall_accuracy", "overall accuracy of test pixels", least=0.90),
            Bar("over_svm", "over an SVM of single spectra", least=0.0),
            Bar("svm_overall_accuracy", "the SVM"),
            Bar("average_accuracy", "average accuracy of classes"),
            Bar("calibration_error", "expected calibration error"),
            Bar("sure_share", "share of pixels above 0.8"),
            Bar("sure_accuracy", "their accuracy"),
        ),
        tuple(READER_ONLY),
        "masks read off images of ground whose labels were never seen",
    ),
    Question(
        "render",
        ("indian_pines", "enmap_potsdam", "sentinel2_lulc"),
        render,
        (
            Bar("lda_ratio", "LDA agreement with given masks over that of decoded real tiles", least=0.9),
            Bar("lda_agreement_drawn", "LDA agreement, drawn"),
            Bar("lda_agreement_decoded", "LDA agreement, real after the codec"),
        ),
        (),
        "images drawn for held-out real masks",
    ),
    Question(
        "compose",
        ("indian_pines", "enmap_potsdam", "sentinel2_lulc"),
        compose,
        (
            Bar("fraction_error", "mean error of ordered fractions", most=0.08),
            Bar("fraction_error_without_pull", "without the pull to the composition"),
            Bar("balance_least_over_even", "`--balance`: rarest class over an equal share", least=1 / 3),
            Bar("balance_least_over_even_without_pull", "without the pull"),
            Bar("real_least_over_even", "the same of real training tiles"),
        ),
        (),
        "8 orders of two classes (16 tiles each), and balanced sets of 128 tiles",
    ),
    Question(
        "reannotate",
        ("simulated", "indian_pines"),
        reannotate,
        (
            Bar("lda_agreement_drawn", "LDA agreement of masks as drawn"),
            Bar("lda_agreement_read", "of masks read off the drawn image"),
            Bar("lda_agreement_real", "of real test tiles after the codec"),
            Bar("drawn_and_read_alike", "drawn and read alike"),
        ),
        (),
        "masks as they were drawn, or read off the drawn image",
    ),
)


def write_unseen(work: Path) -> None:
    """Indian Pines without the spectra and labels of the test pixels of the given map."""
    cube, labels, training = pines_ground()
    test = (labels >= 0) & ~training
    np.save(work / "unseen.npy", np.where(test[..., None], np.float32("nan"), cube))
    np.save(work / "unseen_labels.npy", np.where(test, 0, labels + 1).astype(np.uint8))


def run_of(question: Question, name: str, seed: int, *, work: Path) -> Path:
    """A trained run; questions that train alike share it."""
    kind = "reader" if question.training else "whole"
    run = work / f"{name}_{kind}_{seed}"
    if not (run / "model").exists():
        begun = (run / "source.yaml").exists()
        words = [word.replace("WORK", str(work)) for word in WORDS[name]]
        if name == "indian_pines_map_unseen" and not begun:
            write_unseen(work)
        specdm("train", *([run] if begun else [*words, "-o", run, "--seed", str(seed), *question.training]))
    return run


def write_table() -> None:
    """results/conditioning.md of all records there are."""
    lines = [
        "# Asking a trained model", "",
        "Written by `benchmarks/conditioning.py`; preset `tiny`, mean and spread over seeds.", "",
    ]  # fmt: skip
    for question in QUESTIONS:
        lines += [f"## {question.name}: {question.about}", ""]
        lines += ["| set | seeds | " + " | ".join(bar.title for bar in question.bars) + " |"]
        lines += ["|---" * (2 + len(question.bars)) + "|"]
        for name in question.sets:
            records = [json.loads(p.read_text()) for p in sorted(RECORDS.glob(f"{question.name}_{name}_[0-9].json"))]
            if not records:
                continue
            cells = []
            for bar in question.bars:
                values = np.array([record["metrics"][bar.key] for record in records], float)
                spread = f" ± {values.std(ddof=1):.3f}" if len(values) > 1 else ""
                verdict = bar.verdict(float(values.mean())) if name in BAR_FOR.get(bar.key, (name,)) else ""
                cells.append(f"{values.mean():.3f}{spread}{', **miss**' if verdict == 'miss' else ''}")
            lines.append(f"| {name} | {len(records)} | " + " | ".join(cells) + " |")
        limits = [
            f"{bar.title} {bar.words()}" + (f" ({', '.join(BAR_FOR[bar.key])})" if bar.key in BAR_FOR else "")
            for bar in question.bars
            if bar.words()
        ]
        lines += ["", "Bars: " + ("; ".join(limits) or "none") + ".", ""]
    (RESULTS / "conditioning.md").write_text("\n".join(lines))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--work", type=Path, default=HERE.parent / "runs" / "conditioning")
    parser.add_argument("--only", help="questions, separated by commas")
    parser.add_argument("--sets", help="names of sets, separated by commas")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--threads", type=int, help="of torch")
    parser.add_argument("--table", action="store_true", help="only write the table")
    options = parser.parse_args()
    if not options.table:
        if options.threads:
            import os

            import torch

            os.environ["OMP_NUM_THREADS"] = str(options.threads)
            torch.set_num_threads(options.threads)
        options.work.mkdir(parents=True, exist_ok=True)
        RECORDS.mkdir(parents=True, exist_ok=True)
        wanted = options.only.split(",") if options.only else [question.name for question in QUESTIONS]
        for seed in map(int, options.seeds.split(",")):
            for question in (q for q in QUESTIONS if q.name in wanted):
                for name in question.sets:
                    record = RECORDS / f"{question.name}_{name}_{seed}.json"
                    if record.exists() or (options.sets and name not in options.sets.split(",")):
                        continue
                    run = run_of(question, name, seed, work=options.work)
                    figures = question.ask(run, name, seed)
                    command = shown(["train", *WORDS[name], *question.training], work=options.work)
                    facts = {"question": question.name, "set": name, "seed": seed, "command": command}
                    facts["threads"] = options.threads or "all"
                    record.write_text(json.dumps({**facts, "metrics": figures}, indent=1) + "\n")
                    print(record.name, {key: round(value, 3) for key, value in figures.items()}, flush=True)
    write_table()


if __name__ == "__main__":
    main()
