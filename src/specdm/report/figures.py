"""The report's drawings: spectra of a class, loss curves. Each is a matplotlib Figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from specdm.scenes.plot import spectra_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from specdm.evaluation.record import ClassRecord, QuantityRecord
    from specdm.report.losses import LossCurve

INK = "#010203"
"""Colour of text and axes; `specdm.report.pictures.svg` replaces it by that of the page, light or dark."""

REAL, SYNTHETIC = "#2f6fb3", "#d9622b"
"""Blue and orange differ for every kind of colour vision, and on light and on dark paper."""

SMOOTH_PARTS = 40
SCORE_BINS = 25


@dataclass(frozen=True)
class SpectraPanel:
    """One date of a class's spectra.

    Attributes:
        label: of the date; "" if there is only one.
        channels: positions of its bands in the record's spectra.
        wavelength: their centres in nm, or None.
    """

    label: str
    channels: np.ndarray
    wavelength: np.ndarray | None


def class_spectra(
    record: ClassRecord,
    panels: Sequence[SpectraPanel],
    *,
    limits: tuple[float, float] | None = None,
    y_label: str = "",
) -> Figure:
    """Mean spectrum and spread (one standard deviation) of a class, real against synthetic, date below date.

    Args:
        record: the class; what it has no spectrum of is not drawn.
        panels: the dates to draw; gaps between their bands are left open.
        limits: lowest and highest image value shown, so that panels compare.
        y_label: unit of image values.
    """
    figure, axes = plain_axes((3.5, 0.6 + 1.7 * len(panels)), rows=len(panels))
    for ax, panel in zip(axes, panels, strict=True):
        for mean, std, colour, label, style in (
            (record.real_mean, record.real_std, REAL, "real", "-"),
            (record.synthetic_mean, record.synthetic_std, SYNTHETIC, "synthetic", "--"),
        ):
            if mean is not None and std is not None:
                # None (a band of which nothing is known) becomes NaN
                middle, spread = (np.array(part, float)[panel.channels] for part in (mean, std))
                spectra_axis(ax, panel.wavelength, middle, spread, colour, label, linestyle=style)
        if limits is not None:
            ax.set_ylim(*limits)
        ax.set_title(panel.label, fontsize=8.5, color=INK, loc="left", pad=2)
        ax.set_ylabel(y_label)
        ax.margins(x=0.01)
        # said once, below the last
        if ax is not axes[-1]:
            ax.set_xlabel("")
        inked(ax)
    return figure


def amount_histogram(record: QuantityRecord) -> Figure:
    """How often each value of a quantity occurs: real filled, synthetic as a dashed outline."""
    figure, (ax,) = plain_axes((3.5, 2.1))
    edges = np.array(record.histogram_edges)
    for shares, colour, look in (
        (record.real_histogram, REAL, {"fill": True, "alpha": 0.35}),
        (record.real_histogram, REAL, {"lw": 1.2}),
        (record.synthetic_histogram, SYNTHETIC, {"lw": 1.5, "ls": "--"}),
    ):
        if len(shares):
            ax.stairs(100 * np.array(shares), edges, color=colour, **look)
    ax.set_xlabel(f"{record.name} ({record.unit})" if record.unit else record.name)
    ax.set_ylabel("% of pixels")
    ax.set_ylim(bottom=0)
    ax.margins(x=0.01)
    inked(ax)
    return figure


def score_histogram(scores: np.ndarray) -> Figure:
    """How many tiles have which score of reliability.

    Args:
        scores: 0..1, `(tile,)`.
    """
    figure, (ax,) = plain_axes((5.2, 2.7))
    counts, edges = np.histogram(scores, bins=SCORE_BINS, range=(0.0, 1.0))
    ax.stairs(counts, edges, color=SYNTHETIC, fill=True, alpha=0.6)
    ax.set_xlim(0, 1)
    ax.set_xlabel("score of a tile")
    ax.set_ylabel("tiles")
    inked(ax)
    return figure


def reliability_diagram_figure(score: np.ndarray, right: np.ndarray, share: np.ndarray) -> Figure:
    """What a score promises against what is right, bin by bin.

    Args:
        score, right, share: as those of `specdm.evaluation.reliability.Diagram`, `(bin,)`.
    """
    figure, (ax,) = plain_axes((5.2, 2.7))
    ax.plot([0, 1], [0, 1], color=INK, lw=0.9, ls="--")
    ax.plot(score, right, color=REAL, lw=1.5)
    # an area grows as the number of pixels does
    ax.scatter(score, right, s=8 + 240 * share, color=REAL, alpha=0.7, linewidths=0)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1.02)
    ax.set_xlabel("score")
    ax.set_ylabel("share of right pixels")
    inked(ax)
    return figure


def loss_curve(curve: LossCurve) -> Figure:
    """A loss by step: the values faint, their running mean strong, validation on top."""
    figure, (ax,) = plain_axes((5.2, 2.7))
    for (label, (step, value)), colour in zip(
        curve.series.items(), (REAL, SYNTHETIC, "#3a9d5d"), strict=False
    ):
        smooth = len(value) > 3 * SMOOTH_PARTS
        ax.plot(
            step, value, color=colour, lw=0.8 if smooth else 1.5, alpha=0.35 if smooth else 1.0,
            marker="o" if len(value) == 1 else "", ms=4, label=None if smooth else label,
        )  # fmt: skip
        if smooth:
            width = len(value) // SMOOTH_PARTS
            mean = np.convolve(value, np.ones(width) / width, mode="valid")
            ax.plot(step[width // 2 :][: len(mean)], mean, color=colour, lw=1.7, label=label)
    values = np.concatenate([value for _, value in curve.series.values()])
    if values.min() > 0 and values.max() > 8 * np.median(values):
        ax.set_yscale("log")
    ax.set_xlabel("step")
    ax.margins(x=0.01)
    if len(curve.series) > 1:
        ax.legend(frameon=False, fontsize=8, labelcolor=INK)
    inked(ax)
    return figure


def spectra_limits(records: list[ClassRecord]) -> tuple[float, float] | None:
    """Lowest and highest value of mean -+ spread over all classes, with a margin; None without spectra."""
    edges = [
        np.array(mean, float) + sign * np.array(std, float)
        for record in records
        for mean, std in ((record.real_mean, record.real_std), (record.synthetic_mean, record.synthetic_std))
        if mean is not None and std is not None
        for sign in (-1, 1)
    ]
    if not edges or not np.isfinite(edges).any():
        return None
    low, high = float(np.nanmin(edges)), float(np.nanmax(edges))
    margin = 0.03 * (high - low) or 1.0
    return low - margin, high + margin


def plain_axes(size: tuple[float, float], *, rows: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure without a background, its axes below each other; `size` in inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    figure.patch.set_alpha(0.0)
    return figure, list(figure.subplots(rows, squeeze=False)[:, 0])


def inked(ax: Axes) -> None:
    """Text, ticks and frame in `INK`, nothing behind them, so that the page's own colours show."""
    ax.patch.set_alpha(0.0)
    ax.grid(alpha=0.15, lw=0.6, color=INK)
    ax.spines[["top", "right"]].set_visible(False)
    for spine in ax.spines.values():
        spine.set_color(INK)
    ax.tick_params(colors=INK, labelsize=8, which="both")
    for text in (ax.xaxis.label, ax.yaxis.label):
        text.set_color(INK)
        text.set_fontsize(8.5)
