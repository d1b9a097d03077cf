"""`README.md`: the data set card. What the tiles are, where they come from, what they hold and what they do not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

import numpy as np

from specdm.scenes.catalog import DATASETS
from specdm.tiles.export.protocol import ExportFormat, Source
from specdm.tiles.export.tally import Tally
from specdm.version import __version__

MOST_ROWS = 60
"""Of a table of bands; longer ones are told in a line."""


def dataset_card(
    entry: ExportFormat, source: Source, tally: Tally, *, changes: Sequence[str], provenance: dict[str, Any]
) -> str:
    """The card, in Markdown; with the header that the Hugging Face hub reads if it is one of its data sets.

    Args:
        entry: the format.
        source: what was exported.
        tally: what was counted.
        changes: what is written otherwise than it stands in the tile set.
        provenance: of the tile set.
    """
    synthetic = "model" in provenance or "synthetic" in source.counts
    kind = "Synthetic image-mask tiles" if synthetic else "Image-mask tiles"
    sections = [
        f"# {kind}: {', '.join(_scene_names(provenance)) or 'source unknown'}\n\n" + _what(entry, source, tally),
        "## How it was made\n\n" + _how(source, provenance),
        "## Source data, citation, licence\n\n" + _origin(source, provenance),
    ]
    if source.layout.classes is not None:
        sections.append("## Classes\n\n" + _classes(source, tally))
    if source.layout.quantities is not None:
        sections.append("## Amounts\n\n" + _amounts(source, tally))
    sections += [
        "## Bands\n\n" + _bands(source),
        f"## Files ({entry.title})\n\n" + _list([*entry.layout(source), *_common_files(source)]),
        "## Limits\n\n" + _list(_limits(source, changes, synthetic=synthetic)),
    ]
    front = _front_matter(source) if entry.name == "hf" else ""
    return front + "\n\n".join(sections) + "\n"


def licence_of(attrs: dict[str, Any]) -> str | None:
    """Licence of the source data: as the tile set says, else of the catalogue's sets that it cites; None if unknown."""
    if attrs.get("licence"):
        return str(attrs["licence"])
    cited = str(attrs.get("citation", ""))
    found = dict.fromkeys(entry.licence for entry in DATASETS.values() if entry.citation and entry.citation in cited)
    return "; ".join(found) or None


def _what(entry: ExportFormat, source: Source, tally: Tally) -> str:
    layout, counts = source.layout, source.counts
    splits = ", ".join(f"{count} {split}" for split, count in counts.items())
    missing = tally.missing / tally.values if tally.values else 0.0
    facts = [
        f"{source.n_tiles} tiles ({splits}) of {layout.size} x {layout.size} px, {layout.n_bands} bands, "
        f"{_dates(layout.dates)}; task: {layout.task}.",
    ]
    if np.isfinite(tally.low):
        units = f" ({layout.image_units})" if layout.image_units else " (unit not recorded)"
        facts.append(f"Image values{units} from {tally.low:.6g} to {tally.high:.6g}, {missing:.2%} without data.")
    if layout.layers:
        share = tally.labelled / tally.mask_pixels if tally.mask_pixels else 0.0
        facts.append(f"Mask layers: {', '.join(layout.layers)}; {share:.1%} of their pixels have a class.")
    if layout.attrs.get("note"):
        facts.append(f"Note: {layout.attrs['note']}.")
    return _list([*facts, f"Format: {entry.title}; written by SpecDM {__version__}."])


def _how(source: Source, provenance: dict[str, Any]) -> str:
    attrs = source.layout.attrs
    lines = [f"Tile set made by SpecDM {attrs.get('specdm_version', '?')} on {attrs.get('created', 'an unknown day')}."]
    if model := provenance.get("model"):
        lines.append(
            f"Images and masks were drawn together by the model `{model}`, trained on tiles of the scenes below; a "
            "tile is drawn from (seed, index) alone, see the manifest."
        )
    if completes := provenance.get("completes"):
        lines.append(f"The tiles complete given ones (`{PurePath(str(completes)).name}`).")
    if tiling := _trained_on(provenance).get("tiling"):
        lines.append(f"{'Training tiles' if model else 'Tiles'} were cut with `{json.dumps(tiling)}`.")
    return _list(lines)


def _origin(source: Source, provenance: dict[str, Any]) -> str:
    attrs, lines = source.layout.attrs, []
    for scene in _trained_on(provenance).get("scenes", []):
        # names only: where files lay on someone's disk is nobody's business
        files = ", ".join(f"`{PurePath(str(file)).name}`" for file in scene.get("sources", []))
        lines.append(f"{scene.get('name')}: {scene.get('height')} x {scene.get('width')} px" + (files and f", {files}"))
    if not lines:
        lines.append("The tile set does not say which scenes it comes from.")
    lines.append(f"Citation of the source data: {attrs.get('citation') or 'not recorded'}")
    licence = licence_of(dict(attrs))
    lines.append(f"Licence of the source data: {licence or 'not recorded; ask its publisher before passing this on'}")
    return _list(lines)


def _classes(source: Source, tally: Tally) -> str:
    classes = source.layout.classes
    if classes is None:
        return ""
    total = max(int(tally.classes.sum()), 1)
    rows = [
        (value, name, f"`{color}`", int(count), f"{count / total:.2%}")
        for value, name, color, count in zip(classes.values, classes.names, classes.colors, tally.classes, strict=True)
    ]
    return _table(("value", "name", "colour", "pixels", "share of labelled"), rows)


def _amounts(source: Source, tally: Tally) -> str:
    quantities = source.layout.quantities
    if quantities is None:
        return ""
    low, high = tally.amounts
    rows = [
        (name, unit or "-", f"{a:.6g}" if np.isfinite(a) else "-", f"{b:.6g}" if np.isfinite(b) else "-")
        for name, unit, a, b in zip(quantities.names, quantities.units, low, high, strict=True)
    ]
    whole = "\n\nThey are parts of a pixel that sum to one." if quantities.sum_to_one else ""
    return _table(("quantity", "unit", "least", "greatest"), rows) + whole


def _bands(source: Source) -> str:
    layout = source.layout
    centres, widths = layout.wavelength, layout.fwhm
    if layout.n_bands > MOST_ROWS:
        spread = "" if centres is None else f", centres from {min(centres):g} to {max(centres):g} nm"
        return f"{layout.n_bands} bands{spread}; all of them are listed in `export.json`."
    rows = [
        (
            band + 1,
            name,
            "-" if centres is None else f"{centres[band]:g}",
            "-" if widths is None else f"{widths[band]:g}",
            *([] if layout.band_sensor is None else [layout.band_sensor[band]]),
        )
        for band, name in enumerate(layout.band_name or ())
    ]
    return _table(("band", "name", "nm", "fwhm, nm", *([] if layout.band_sensor is None else ["sensor"])), rows)


def _common_files(source: Source) -> list[str]:
    score = ", `tile_reliability` (mean probability that labels are right)" if source.scored else ""
    return [
        f"`manifest.csv`: a line a tile: name, split, source, seed, index, first row and column in the scene, "
        f"files{score}; empty where a tile has none.",
        "`export.json`: all that is said here, for programs.",
    ]


def _limits(source: Source, changes: Sequence[str], *, synthetic: bool) -> list[str]:
    attrs = source.layout.attrs
    lines = []
    if synthetic:
        lines.append(
            "Synthetic tiles are no measurements: use them to train, and judge models on real, held-out ground only."
        )
    if not source.scored and synthetic:
        lines.append("How far the masks can be trusted was not judged (specdm reliability).")
    if attrs.get("pixel_policy") == "spectra_seen":
        lines.append("Training tiles show test ground, without its labels.")
    lines.append("Tiles keep no coordinate reference system; windows are rows and columns of the named scene.")
    return [*lines, *changes, *json.loads(str(attrs.get("problems", "[]")))]


def _front_matter(source: Source) -> str:
    lines = ["---", "license: other", "tags:", "- remote-sensing", "- specdm", "configs:", "- config_name: default"]
    lines.append("  data_files:")
    for split in source.counts:
        lines += [f"  - split: {split}", f"    path: data/{split}-*.parquet"]
    return "\n".join([*lines, "---", "", ""])


def _trained_on(provenance: dict[str, Any]) -> dict[str, Any]:
    return provenance.get("trained_on") or provenance


def _scene_names(provenance: dict[str, Any]) -> list[str]:
    return [str(scene.get("name")) for scene in _trained_on(provenance).get("scenes", [])][:5]


def _dates(dates: Sequence[Any]) -> str:
    return f"{len(dates)} dates ({', '.join(map(str, dates))})" if len(dates) > 1 else f"date {dates[0]}"


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
