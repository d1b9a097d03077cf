"""Drawings of usefulness: scores over the share of labels, and classes side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from specdm.evaluation.usefulness.jobs import SPECTRA
from specdm.evaluation.usefulness.summary import ArmSummary, Record, Summary
from specdm.report.figures import INK, REAL, SYNTHETIC, inked, plain_axes
from specdm.report.usefulness_comparison import Comparison, kind_of, records_of
from specdm.report.usefulness_words import percent, score_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KIND_MAPS = {"real": "Blues", "dense": "Greens", "synthetic": "Oranges", "only": "Purples", SPECTRA: "Greys"}
"""Colour maps from which the arms of a kind take theirs."""

MARKERS = "os^Dv<>Pp*Xh"
BAR_SCORES = {"mean_iou": "iou", "f1": "iou", "r2": "r2"}
"""What is drawn for each class or quantity, by the main score."""

BAR_NAMES = {"iou": "IoU", "r2": "R²"}
APART = 0.009
"""Between the lines of two arms, in decades: intervals at the same place would hide each other."""


def learning_curve_figure(compared: Sequence[Comparison], summary: Summary) -> Figure:
    """Mean score with its 95 % interval by share of the labels, one line an arm.

    Args:
        compared: comparisons that differ in their share alone.
        summary: what they are of.
    """
    figure, (ax,) = plain_axes((6.0, 3.2))
    lines = _lines(compared)
    for place, (name, points) in enumerate(lines.items()):
        share = np.array([one.share for one in points]) * 10 ** (APART * (place - (len(lines) - 1) / 2))
        mean = np.array([one.score.mean for one in points])
        low, high = (
            np.array([one.score.mean if end is None else end for one, end in zip(points, ends, strict=True)])
            for ends in ([one.score.low for one in points], [one.score.high for one in points])
        )
        ax.errorbar(
            share, mean, yerr=[mean - low, high - mean], color=_colour(name, lines), label=name, lw=1.3,
            marker=MARKERS[place % len(MARKERS)], ms=4, ls="--" if kind_of(name) == SPECTRA else "-",
            elinewidth=0.8, capsize=2,
        )  # fmt: skip
    shares = sorted({one.share for one in compared})
    ax.set_xscale("log")
    ax.set_xlim(shares[0] / 1.35, shares[-1] * 1.35)
    ax.set_xticks(shares, [percent(share) for share in shares])
    ax.minorticks_off()
    ax.set_ylim(*_limits([one for points in lines.values() for one in points], bounded=summary.main != "r2"))
    ax.set_xlabel("share of the labels")
    ax.set_ylabel(score_name(summary))
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8, labelcolor=INK)
    inked(ax)
    return figure


def class_bars_figure(comparison: Comparison, records: list[Record], summary: Summary) -> Figure | None:
    """Each class (or quantity) with the best arm of real tiles and the best with synthetic ones; None without either.

    Args:
        comparison: the arms.
        records: all there are.
        summary: what the comparison is of.
    """
    real, synthetic = comparison.real, comparison.synthetic
    if real is None or synthetic is None:
        return None
    key = BAR_SCORES[summary.main]
    of_real, of_synthetic = (class_means(records_of(records, comparison, arm), key) for arm in (real, synthetic))
    names = [name for name in of_real if name in of_synthetic]
    if not names:
        return None
    figure, (ax,) = plain_axes((6.0, 0.9 + 0.36 * len(names)))
    place = np.arange(len(names))
    for offset, means, colour, arm in ((-0.19, of_real, REAL, real), (0.19, of_synthetic, SYNTHETIC, synthetic)):
        ax.barh(place + offset, [means[name] for name in names], height=0.36, color=colour, label=arm.arm)
    ax.set_yticks(place, names, parse_math=False)
    ax.set_ylim(len(names) - 0.45, -0.55)
    ax.set_xlabel(f"{BAR_NAMES[key]}, mean over seeds")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, fontsize=8, labelcolor=INK)
    inked(ax)
    return figure


def class_means(records: Sequence[Record], key: str) -> dict[str, float]:
    """Mean over records of a score of each class or quantity; those that have none anywhere are left out."""
    found: dict[str, list[float]] = {}
    for record in records:
        scores = record["scores"]
        for name, one in (scores.get("classes") or scores.get("quantities") or {}).items():
            # a class without truth has no score of its own, though it may be drawn in vain
            if one.get(key) is not None and one.get("pixels", 1):
                found.setdefault(name, []).append(float(one[key]))
    return {name: sum(values) / len(values) for name, values in found.items()}


def _lines(compared: Sequence[Comparison]) -> dict[str, list[ArmSummary]]:
    lines: dict[str, list[ArmSummary]] = {}
    for comparison in sorted(compared, key=lambda one: one.share):
        for one in comparison.arms:
            lines.setdefault(one.arm, []).append(one)
    return lines


def _colour(name: str, lines: dict[str, list[ArmSummary]]) -> tuple[float, ...]:
    """One of its kind's colour map, from dark to light."""
    import matplotlib

    alike = [other for other in lines if kind_of(other) == kind_of(name)]
    share = 0.85 - 0.4 * alike.index(name) / max(1, len(alike) - 1)
    return tuple(matplotlib.colormaps[KIND_MAPS[kind_of(name)]](share))


def _limits(points: Sequence[ArmSummary], *, bounded: bool) -> tuple[float, float]:
    """Lowest and highest value shown; the intervals of two seeds can be wider than all there is."""
    least, most = (0.0, 1.0) if bounded else (-1.0, 1.0)
    ends = [end for one in points for end in (one.score.mean, one.score.low, one.score.high) if end is not None]
    means = [one.score.mean for one in points]
    low, high = min(min(means), max(least, min(ends))), max(max(means), min(most, max(ends)))
    margin = 0.05 * (high - low) or 0.05
    return low - margin, high + margin
