"""The section with the spectra of each class: one panel a class, the dates below each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from specdm.evaluation.composites import wavelength_of
from specdm.evaluation.reading import evenly
from specdm.report.figures import SpectraPanel, class_spectra, spectra_limits
from specdm.report.pictures import svg

if TYPE_CHECKING:
    from specdm.evaluation.record import ClassRecord
    from specdm.tiles.tileset import TileSet

MOST_PANELS = 24
"""Classes whose spectra are drawn, most frequent first."""

MOST_DATES = 3


def spectra_section(classes: list[ClassRecord], real: TileSet) -> dict[str, Any]:
    """Drawings of the classes that have spectra, on common axes.

    Args:
        classes: in the order in which they are to be shown.
        real: the real tiles, for the bands of each date.

    Returns:
        `panels` (empty if no class has a spectrum), `left_out` and `dates`, for the template.
    """
    drawn = [record for record in classes if record.real_mean or record.synthetic_mean]
    drawn, left_out = drawn[:MOST_PANELS], drawn[MOST_PANELS:]
    limits = spectra_limits(drawn)
    panels = []
    for record in drawn:
        mean = record.real_mean or record.synthetic_mean or []
        figure = class_spectra(
            record, _dates(real, len(mean)), limits=limits, y_label=real.image_units or ""
        )
        label = f"Mean spectra of {record.name}, real and synthetic"
        panels.append({"record": record, "svg": svg(figure, label=label)})
    return {
        "panels": panels,
        "left_out": [record.name for record in left_out],
        "dates": real.n_dates,
        "dates_drawn": min(real.n_dates, MOST_DATES),
    }


def _dates(real: TileSet, n_values: int) -> list[SpectraPanel]:
    """Which values of a record's spectra belong to which date: date after date, each with its own bands."""
    own = [np.asarray(real.bands_of(date)) for date in range(real.n_dates)]
    if n_values != sum(len(bands) for bands in own):
        raise ValueError(f"spectra of {n_values} values for dates of {[len(bands) for bands in own]} bands")
    starts = np.cumsum([0, *(len(bands) for bands in own)])
    return [
        SpectraPanel(
            label=str(real.dates[date]) if real.n_dates > 1 else "",
            channels=np.arange(starts[date], starts[date + 1]),
            wavelength=wavelength_of(real, int(date)),
        )
        for date in evenly(real.n_dates, MOST_DATES)
    ]
