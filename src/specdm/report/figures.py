"""The report's drawings: spectra of a class, loss curves. Each is a matplotlib Figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from specdm.scenes.plot import spectra_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from specdm.evaluation.record import ClassRecord
    from specdm.report.losses import LossCurve

INK = "#010203"
"""Colour of text and axes; `specdm.report.pictures.svg` replaces it by that of the page, light or dark."""

REAL, SYNTHETIC = "#2f6fb3", "#d9622b"
"""Blue and orange differ for every kind of colour vision, and on light and on dark paper."""

SMOOTH_PARTS = 40


def class_spectra(
    record: ClassRecord,
    wavelength: np.ndarray | None,
    *,
    n_bands: int,
    limits: tuple[float, float] | None = None,
    y_label: str = "",
) -> Figure:
    """Mean spectrum and spread (one standard deviation) of a class, real against synthetic.

    Args:
        record: the class; what it has no spectrum of is not drawn.
        wavelength: band centres in nm `(n_bands,)`, or None; gaps are left open.
        n_bands: bands of a date; of several dates the first is drawn.
        limits: lowest and highest image value shown, so that panels compare.
        y_label: unit of image values.
    """
    figure, ax = _axes((3.5, 2.3))
    for mean, std, colour, label, style in (
        (record.real_mean, record.real_std, REAL, "real", "-"),
        (record.synthetic_mean, record.synthetic_std, SYNTHETIC, "synthetic", "--"),
    ):
        if mean is not None and std is not None:
            spectra_axis(
                ax,
                wavelength,
                np.array(mean[:n_bands]),
                np.array(std[:n_bands]),
                colour,
                label,
                linestyle=style,
            )
    if limits is not None:
        ax.set_ylim(*limits)
    ax.set_ylabel(y_label)
    ax.margins(x=0.01)
    _ink(ax)
    return figure


def loss_curve(curve: LossCurve) -> Figure:
    """A loss by step: the values faint, their running mean strong, validation on top."""
    figure, ax = _axes((5.2, 2.7))
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
    _ink(ax)
    return figure


def spectra_limits(records: list[ClassRecord]) -> tuple[float, float] | None:
    """Lowest and highest value of mean -+ spread over all classes, with a margin; None without spectra."""
    edges = [
        np.array(mean) + sign * np.array(std)
        for record in records
        for mean, std in ((record.real_mean, record.real_std), (record.synthetic_mean, record.synthetic_std))
        if mean is not None and std is not None
        for sign in (-1, 1)
    ]
    if not edges:
        return None
    low, high = float(np.min(edges)), float(np.max(edges))
    margin = 0.03 * (high - low) or 1.0
    return low - margin, high + margin


def _axes(size: tuple[float, float]) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    figure.patch.set_alpha(0.0)
    return figure, figure.subplots()


def _ink(ax: Axes) -> None:
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
