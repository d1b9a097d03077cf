"""The section about usefulness: whether a downstream model gets better, in words, tables, curves, bars and maps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from specdm.errors import RunError
from specdm.report.pictures import png_data, svg
from specdm.report.run_folder import RunFolder

if TYPE_CHECKING:
    from specdm.evaluation.usefulness.summary import Record, Summary
    from specdm.report.usefulness_comparison import Comparison
    from specdm.tiles.tileset import TileSet


def usefulness_section(real: TileSet, run: Path | None) -> dict[str, Any] | None:
    """What the records of a run say; None if there are none.

    Args:
        real: all real tiles of the run.
        run: run folder.
    """
    folder = None if run is None else RunFolder(Path(run)).usefulness / "records"
    if folder is None or not any(not path.name.startswith("val-") for path in folder.glob("*.json")):
        return None
    # here, not above: most reports have no such section, and this loads torch
    from specdm.evaluation.usefulness.summary import read_records, summary
    from specdm.report import usefulness_words as words
    from specdm.report.usefulness_files import pairs

    try:
        records = read_records(folder)
        found = summary(records)
    except RunError as error:  # a report is worth having without it
        return {"trouble": str(error)}
    return {
        "trouble": None,
        "score": words.score_name(found),
        "gain": words.GAIN,
        "protocol": words.protocol(found, real),
        "groups": [_group(compared, found, records, real) for _, compared in pairs(found)],
    }


def _group(compared: list[Comparison], found: Summary, records: list[Record], real: TileSet) -> dict[str, Any]:
    """One network and one sight of test ground: every share of the labels."""
    from specdm.evaluation.usefulness.jobs import SPECTRA
    from specdm.report import usefulness_words as words
    from specdm.report.usefulness_figures import class_bars_figure, learning_curve_figure
    from specdm.report.usefulness_maps import ground_maps

    first, last = compared[0], compared[-1]
    name = "Single spectra" if first.network == SPECTRA else first.network
    bars = class_bars_figure(last, records, found)
    maps = ground_maps(last, records, real.of_labelled_scenes().test)
    return {
        "name": f"{name}, test spectra: {first.test_spectra}",
        "tables": [
            {"title": words.share_title(one), "sentences": words.sentences(one, found), "rows": words.rows(one)}
            for one in compared
        ],
        "curve": svg(learning_curve_figure(compared, found), label=f"{name}: score by share of the labels"),
        "bars": None if bars is None else svg(bars, label=f"{name}: classes with and without synthetic tiles"),
        "share": words.percent(last.share),
        "maps": None if maps is None else _shown(maps),
    }


def _shown(maps: Any) -> dict[str, Any]:
    from specdm.report.gallery import Picture, Shown

    return {
        "source": maps.source,
        "seed": maps.seed,
        "classes": maps.classes,
        "bars": list(dict.fromkeys(maps.bars)),
        "rows": [
            Shown(
                f"{name} of {maps.source}",
                [
                    Picture(png_data(picture), column, f"{column}: {name} of {maps.source}")
                    for column, picture in zip(maps.columns, pictures, strict=True)
                ],
            )
            for name, pictures in maps.rows
        ],
    }
