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

import numpy as np
from bars import HERE, RESULTS, Bar, shown, specdm
from conditioning_questions import PINES, annotate, compose, known_image, pines_ground, reannotate, render
from fidelity_sets import SETS

RECORDS = RESULTS / "conditioning"
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
        "known_image",
        ("indian_pines", "enmap_potsdam", "sentinel2_lulc"),
        known_image,
        (
            Bar("drawn_accuracy", "labelled pixels right, masks drawn for the image"),
            Bar("read_accuracy", "the reading of the same pixels"),
            Bar("draws_alike", "two draws alike"),
            Bar("labelled_share", "of the labelled pixels, drawn as labelled"),
        ),
        (),
        "masks drawn for held-out real images",
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
