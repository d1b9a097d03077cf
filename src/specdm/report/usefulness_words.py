"""What the benchmark of usefulness says, in words and rows: the same on the terminal, in files and in the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from specdm.evaluation.usefulness.arms import ARMS
from specdm.evaluation.usefulness.jobs import SIGHTS, SPECTRA
from specdm.evaluation.usefulness.paired import SeedInterval
from specdm.evaluation.usefulness.summary import Summary
from specdm.report.usefulness_comparison import Comparison, best

if TYPE_CHECKING:
    from specdm.tiles.tileset import TileSet

Verdict = Literal["better", "worse", "open"]

GAIN = "gain (95 % interval)"

SCORE_NAMES = {"mean_iou": "mean IoU", "f1": "F1 of change", "r2": "R²"}
SCORE_MEANING = {
    "mean_iou": "how far predicted and true areas overlap, mean over the classes, 0 to 1",
    "f1": "how many changed pixels are found and how many of the found ones did change, in one number, 0 to 1",
    "r2": "1 where all is right, 0 where the mean of the truth would do as well, below 0 where it would do better",
}
UNDEFINED = (
    "Held-out ground defines no score: nothing changed there and nothing was called so, or its amounts do not vary."
)

RIVAL_WORDS = {"svm": "support vector machine on single spectra", "forest": "random forest on single spectra"}


@dataclass(frozen=True)
class Row:
    """An arm as tables show it; texts are empty where there is nothing to say."""

    arm: str
    about: str
    score: str
    seeds: int
    gain: str
    rival: str
    verdict: Verdict | None


def score_name(summary: Summary) -> str:
    """What arms are compared by."""
    return SCORE_NAMES.get(summary.main, summary.main)


def percent(share: float) -> str:
    """ "10 %" of 0.1."""
    return f"{100 * share:.3g} %"


def title(comparison: Comparison) -> str:
    """What the arms of a comparison have in common."""
    network = "single spectra" if comparison.network == SPECTRA else comparison.network
    return f"{share_title(comparison)}, {network}, test spectra: {comparison.test_spectra}"


def share_title(comparison: Comparison) -> str:
    """How many of the labels its arms had."""
    kept = sum(one.share_kept for one in comparison.arms) / len(comparison.arms)
    # whole regions stay or go, so the share that is kept is seldom the one asked for
    exact = "" if abs(kept - comparison.share) < 0.0005 else f" ({100 * kept:.1f} % of the labelled ground)"
    return f"{percent(comparison.share)} of the labels{exact}"


def rows(comparison: Comparison) -> list[Row]:
    """Arms as they stand in tables."""
    return [
        Row(
            arm=one.arm,
            about=ARMS[one.arm].about if one.arm in ARMS else RIVAL_WORDS.get(one.arm, ""),
            score=shown_score(one.score),
            seeds=one.score.n,
            gain="" if one.gain is None else shown_gain(one.gain),
            rival=one.rival or "",
            verdict=None if one.gain is None else verdict(one.gain),
        )
        for one in comparison.arms
    ]


def shown_score(score: SeedInterval) -> str:
    """Mean and standard deviation over seeds, "0.512 ± 0.013"."""
    return f"{score.mean:.3f}" if score.std is None else f"{score.mean:.3f} ± {score.std:.3f}"


def shown_gain(gain: SeedInterval) -> str:
    """Mean and interval of a difference, signs always written, "+0.030 (+0.010 to +0.050)"."""
    if gain.low is None or gain.high is None:
        return f"{gain.mean:+.3f} (one seed)"
    return f"{gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})"


def verdict(gain: SeedInterval) -> Verdict:
    """ "better" or "worse" where the interval leaves no doubt, else "open"."""
    if gain.low is None or gain.high is None or gain.low <= 0 <= gain.high:
        return "open"
    return "better" if gain.low > 0 else "worse"


def sentences(comparison: Comparison, summary: Summary) -> list[str]:
    """What a comparison says: losses as plainly as gains."""
    told = _about_synthetic(comparison, summary)
    gains = [verdict(one.gain) for one in comparison.ours if one.gain is not None]
    if len(gains) > 1:
        counts = Counter(gains)
        told.append(
            f"Of {len(gains)} arms with synthetic tiles {counts['better']} gained, {counts['worse']} lost, "
            f"{counts['open']} undecided."
        )
    alone, real = best(comparison.of_kind("only")), comparison.real
    if alone is not None and real is not None and real.score.mean > 0:
        told.append(
            f"Synthetic tiles alone ({alone.arm}) reach {100 * alone.score.mean / real.score.mean:.0f} % of the score "
            f"of real ones ({real.arm})."
        )
    spectra, rest = best(comparison.of_kind(SPECTRA)), [one for one in comparison.arms if one.network != SPECTRA]
    if spectra is not None and rest and spectra.score.mean > max(one.score.mean for one in rest):
        name = RIVAL_WORDS.get(spectra.arm, spectra.arm).capitalize()
        told.append(f"{name} does better than every arm of {comparison.network}: {spectra.score.mean:.3f}.")
    return told


def _about_synthetic(comparison: Comparison, summary: Summary) -> list[str]:
    ours = comparison.synthetic
    if ours is None:
        return []
    rival, name = comparison.arm(ours.rival), score_name(summary)
    # letters that are read with a vowel first: "ef one", "ar squared"
    a_name = f"an {name}" if name[0] in "FR" else f"a {name}"
    if ours.gain is None or rival is None:
        return [
            f"{ours.arm} has {a_name} of {ours.score.mean:.3f}; no arm with the same tiles but no synthetic ones "
            "was run with the same seeds, so nothing is known of a gain."
        ]
    which = "the best with synthetic tiles" if len(comparison.ours) > 1 else "with synthetic tiles"
    others = "" if rival.score.n == ours.score.n else f" over {rival.score.n} seeds, some of them others"
    told = [
        f"{ours.arm}, {which}, has {a_name} of {ours.score.mean:.3f}; {rival.arm}, the best without them, "
        f"{rival.score.mean:.3f}{others}. {_said_of(ours.gain)}"
    ]
    real = comparison.real
    if real is not None and real.arm != rival.arm and ARMS[ours.arm].rival == "dense":
        told.append(f"Without more labels by the model's reading, {real.arm} has {real.score.mean:.3f}.")
    return told


def _said_of(gain: SeedInterval) -> str:
    if gain.low is None or gain.high is None:
        return f"One seed does not tell whether synthetic tiles help ({gain.mean:+.3f})."
    numbers = f"{gain.mean:+.3f}, 95 % interval {gain.low:+.3f} to {gain.high:+.3f}, {gain.n} seeds"
    return {
        "better": f"Synthetic tiles help: {numbers}.",
        "worse": f"Synthetic tiles harm: {numbers}.",
        "open": f"Whether synthetic tiles help or harm cannot be told: {numbers}, which holds zero.",
    }[verdict(gain)]


def protocol(summary: Summary, real: TileSet | None, *, held_out: str = "test") -> list[str]:
    """How it was measured.

    Args:
        summary: what is shown.
        real: all real tiles of the run, to say what they show of test ground; None if they are gone.
        held_out: the ground that judges, "test" or "val".
    """
    if not summary.arms:
        return [UNDEFINED]
    set_ = summary.settings
    seeds = sorted({one.score.n for one in summary.arms})
    shown = str(seeds[0]) if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    ground = "test" if held_out == "test" else "validation"
    told = [
        f"Score: {score_name(summary)} on {ground} ground, whose labels neither model nor generator were given: "
        f"{SCORE_MEANING.get(summary.main, '')}. Higher is better; ± is the standard deviation over seeds.",
        "Gain: what an arm has more than the best one of real tiles alone, seed by seed; of arms with densified tiles "
        "more than the best one of real or densified tiles. Above "
        "zero the synthetic ones help, below zero they harm; where the interval holds zero, these seeds cannot tell.",
        "Which arm is the best was chosen by these same scores, of those with synthetic tiles and of those without.",
        "The generator was given the same labels as the model, whole labelled regions kept or dropped, and was trained "
        "anew for every share and seed; with all labels and test spectra run it is the run's own model, the same for "
        "every seed, if that was finished. Which labels were kept, and their digests: folder usefulness/splits of the "
        "run.",
        *_sights(summary, real),
        f"{shown} seed{'s' if seeds[-1] > 1 else ''}; {set_.get('steps')} steps of {set_.get('batch_size')} tiles at "
        f"learning rates up to {set_.get('learning_rate'):g}, twice the steps in arms named longer; "
        f"{set_.get('tiles')} synthetic tiles of each kind.",
    ]
    if summary.mixed:
        told.append("Careful: the records differ in these settings; the first ones are named.")
    return told


def _sights(summary: Summary, real: TileSet | None) -> list[str]:
    told = []
    for sight in dict.fromkeys(one.test_spectra for one in summary.arms):
        words = f"Test spectra {sight}: beside these labels the generator saw {SIGHTS.get(sight, sight)}"
        if sight == "run" and real is not None:
            seen = real.pixel_policy == "spectra_seen"
            words += ", test ground without its labels included" if seen else ", which leave test ground out"
        told.append(f"{words}.")
    if real is not None and len(more := sorted(real.unlabelled_sources)):
        n = int((~real.annotated).sum())
        told.append(f"The run's tiles include {n} of imagery without labels: {_listed(more)}.")
    return told


def _listed(names: Sequence[str], most: int = 4) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
