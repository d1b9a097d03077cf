"""The files of the benchmark of usefulness, beside its records: summary, table and pictures."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specdm.evaluation.usefulness.summary import Record, Summary
from specdm.report import usefulness_words as words
from specdm.report.run_folder import write_text
from specdm.report.usefulness_comparison import Comparison, comparisons
from specdm.report.usefulness_figures import class_bars_figure, learning_curve_figure
from specdm.report.usefulness_maps import ground_maps, maps_figure
from specdm.scenes.plain_names import plain_names
from specdm.version import __version__

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from specdm.tiles.tileset import TileSet

DPI = 150


def write_files(folder: Path, found: Summary, records: list[Record], *, real: TileSet, judge: str = "test") -> None:
    """Write `summary.json`, `table.md` and pictures, `val-...` where validation ground judged.

    Args:
        folder: of the benchmark.
        found: the summary of `records`.
        records: all there are of this ground.
        real: all real tiles of the run.
        judge: "test" or "val".
    """
    prefix = "" if judge == "test" else "val-"
    write_text(folder / f"{prefix}summary.json", summary_text(found))
    write_text(folder / f"{prefix}table.md", table_text(found, real=real, judge=judge))
    labelled = real.of_labelled_scenes()
    held_out = labelled.test if judge == "test" else labelled.val
    for name, compared in pairs(found):
        last = compared[-1]
        maps = ground_maps(last, records, held_out)
        figures = {
            "curve": learning_curve_figure(compared, found),
            "classes": class_bars_figure(last, records, found),
            "maps": None if maps is None else maps_figure(maps),
        }
        for kind, figure in figures.items():
            _write_picture(folder / f"{prefix}{kind}-{name}.png", figure)


def summary_text(found: Summary) -> str:
    """The summary as JSON."""
    record: dict[str, Any] = {"specdm": __version__, **asdict(found)}
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"


def table_text(found: Summary, *, real: TileSet | None, judge: str = "test") -> str:
    """All arms as Markdown: what was found first, then how it was measured."""
    lines = ["# Does a model get better by the synthetic tiles?", ""]
    for one in comparisons(found):
        lines += [f"## {words.title(one)}", ""]
        lines += [f"- {sentence}" for sentence in words.sentences(one, found)] + [""]
        lines += [*_table(one, found), ""]
    lines += ["## How it was measured", ""]
    lines += [f"- {sentence}" for sentence in words.protocol(found, real, held_out=judge)]
    return "\n".join(lines) + "\n"


def pairs(found: Summary) -> list[tuple[str, list[Comparison]]]:
    """Comparisons that differ in their share alone, fewest labels last, each with a name for files."""
    groups: dict[tuple[str, str], list[Comparison]] = {}
    for one in comparisons(found):
        groups.setdefault((one.network, one.test_spectra), []).append(one)
    return [
        (re.sub(r"[^\w.-]+", "_", f"{network}-{sight}"), sorted(own, key=lambda one: -one.share))
        for (network, sight), own in groups.items()
    ]


def _table(comparison: Comparison, found: Summary) -> Iterator[str]:
    yield f"| arm | trained on | {words.score_name(found)} | seeds | {words.GAIN} | over |"
    yield "|---|---|---:|---:|---:|---|"
    for row in words.rows(comparison):
        yield f"| {row.arm} | {row.about} | {row.score} | {row.seeds} | {row.gain} | {row.rival} |"


def _write_picture(path: Path, figure: Figure | None) -> None:
    """The picture, or no file: one of an earlier call would be of something else."""
    if figure is None:
        path.unlink(missing_ok=True)
        return
    partial = path.with_name(f".{path.name}.partial.png")
    plain_names(figure).savefig(partial, dpi=DPI, facecolor="white")
    partial.replace(path)
