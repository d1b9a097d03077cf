"""Figures of the report show numbers and names as they are."""

from __future__ import annotations

import html
import re

import numpy as np

from specdm.evaluation.quantity_records import QuantityRecord
from specdm.report.figures import amount_histogram, loss_curve
from specdm.report.losses import LossCurve
from specdm.report.pictures import svg
from specdm.report.usefulness_files import _write_picture


def words(drawing: str) -> list[str]:
    return [html.unescape(re.sub("<[^>]*>", "", found)) for found in re.findall(r"<text.*?</text>", drawing, re.DOTALL)]


def histogram(name: str, unit: str = "") -> object:
    record = QuantityRecord(
        name=name, unit=unit, histogram_edges=[0, 1, 2], real_histogram=[0.5, 0.5], synthetic_histogram=[0.5, 0.5]
    )
    return amount_histogram(record)


def test_small_numbers_beside_an_axis_are_not_cut() -> None:
    figure = histogram("x")
    figure.axes[0].set_xlim(0.0012, 0.0047)
    ticks = [float(word) for word in words(svg(figure, label="x")) if re.fullmatch(r"0\.\d+", word)]
    np.testing.assert_allclose(np.diff(ticks), ticks[1] - ticks[0])
    assert 0.0012 <= ticks[0] < ticks[1] < ticks[-1] <= 0.0047


def test_names_and_units_are_written_as_they_are() -> None:
    for name, unit in (("h <x> 0.12345", "m & 0.0001"), ("biomass", r"$\si{t/ha}$"), ("a $/t or b $/ha", "$x$")):
        found = words(svg(histogram(name, unit), label="x"))
        assert f"{name} ({unit})" in [word.strip() for word in found]


def test_pictures_are_written_whatever_names_hold(tmp_path) -> None:
    _write_picture(tmp_path / "x.png", histogram(r"$\no$", "$"))
    assert (tmp_path / "x.png").stat().st_size > 1000


def test_numbers_of_a_logarithmic_axis_stay_powers() -> None:
    figure = loss_curve(LossCurve("x", {"training": (np.arange(1, 100), np.geomspace(1e-4, 10, 99))}))
    drawing = re.sub("<!--.*?-->", "", svg(figure, label="x"))
    assert figure.axes[0].get_yscale() == "log"
    assert "mathdefault" not in drawing and re.search(r">10</tspan>|>1</tspan>", drawing)
