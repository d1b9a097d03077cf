"""Tables that commands print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from specdm.evaluation.record import QuantityRecord
    from specdm.scenes.describe import FileDescription


def description_table(description: FileDescription, *, dates: int | None = None) -> Table:
    """What a file holds, one line a fact; `dates` says of how many dates it describes the first."""
    rows, columns, bands = description.shape
    table = Table(title=Text(str(description.path)), show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column(overflow="fold")

    def line(name: str, value: object) -> None:
        # Text, because file names and attributes may look like rich's markup
        table.add_row(name, Text(str(value)))

    line("format", description.format)
    if dates is not None:
        line("dates", f"{dates}; the first of them:")
    line("size", f"{rows} rows x {columns} columns x {bands} band{'s' if bands != 1 else ''}")
    line("type", description.dtype)
    if description.variable is not None:
        line("array", description.variable)
    if description.variables:
        shapes = [f"{name} {' x '.join(map(str, shape))}" for name, shape in description.variables.items()]
        line("other arrays", ", ".join(shapes))
    if description.wavelength_range is not None:
        low, high = description.wavelength_range
        line("wavelengths", f"{low:g} to {high:g} nm")
    if description.band_names:
        names = description.band_names
        shown = (
            ", ".join(names) if len(names) <= 14 else f"{', '.join(names[:6])} ... {', '.join(names[-3:])}"
        )
        line("band names", shown)
    if description.value_range is not None:
        low, high = description.value_range
        line("values", f"{low:g} to {high:g}" + (f" {description.units}" if description.units else ""))
    if description.nodata is not None:
        line("nodata", f"{description.nodata:g}")
    if description.georeference is not None:
        line("georeference", description.georeference)
    if description.date is not None:
        line("date", description.date)
    if description.facts:
        line("reading", "\n".join(description.facts))
    if description.classes is not None:
        counts = [
            f"{value}{f' {name}' if name else ''}: {count} px"
            for value, (name, count) in description.classes.items()
        ]
        line("mask values", "\n".join(counts))
    if description.sampled:
        line("note", "a large file: values and problems are those of 25 windows")
    for problem in description.problems:
        table.add_row("problem", Text(problem, style="yellow"))
    return table


def metric_table(
    metrics: Mapping[str, float | None],
    *,
    title: str,
    intervals: Mapping[str, tuple[float, float]] | None = None,
) -> Table:
    """Metrics with their intervals, if these are given, and bars, in the order in which they are explained."""
    from specdm.evaluation.metrics import METRICS, info_of
    from specdm.report.intervals import HEADING, shown_interval

    table = Table(title=Text(title), title_justify="left")
    table.add_column("figure")
    table.add_column("value", justify="right")
    if intervals is not None:
        table.add_column(HEADING, justify="right")
    table.add_column("wanted", justify="right")
    known = [name for name in METRICS if name in metrics]
    for name in [*known, *sorted(set(metrics) - set(known))]:
        info, value = info_of(name), metrics[name]
        style = {"pass": "green", "miss": "red", None: ""}[info.verdict(value)]
        shown = Text(info.show(value), style=style)
        between = [] if intervals is None else [Text(shown_interval(info, intervals.get(name)))]
        table.add_row(Text(info.title), shown, *between, Text(info.show_bar()))
    return table


def quantity_table(quantities: Sequence[QuantityRecord]) -> Table:
    """Each quantity of the continuous masks: its values and how well the images show them, real and synthetic."""
    table = Table(title=Text("quantities"), title_justify="left")
    table.add_column("quantity")
    for heading in ("real mean", "spread", "synthetic mean", "spread", "apart (σ)", "error", "real error"):
        table.add_column(heading, justify="right")
    for record in quantities:
        label = f"{record.name} ({record.unit})" if record.unit else record.name
        values = (
            record.real_mean, record.real_std, record.synthetic_mean, record.synthetic_std, record.wasserstein,
            record.rmse_synthetic, record.rmse_heldout,
        )  # fmt: skip
        table.add_row(Text(label), *("n/a" if value is None else f"{value:.3g}" for value in values))
    return table


def fact_table(facts: Mapping[str, str], *, title: str | None = None) -> Table:
    """Names and values."""
    table = Table(
        title=None if title is None else Text(title), show_header=False, title_justify="left"
    )
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(Text(name), Text(value))
    return table
