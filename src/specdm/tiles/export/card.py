"""`README.md`: the data set card. What the tiles are, where they come from, what they hold and what they do not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from specdm.scenes.georeference import wkt_name
from specdm.tiles.export import card_parts as parts
from specdm.tiles.export.protocol import ExportFormat, Source
from specdm.tiles.export.tally import Tally
from specdm.tiles.layout import DRAWING
from specdm.version import __version__

MOST_SYSTEMS = 3
"""Coordinate reference systems that the card names."""


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
    title = f"{kind}: {', '.join(parts.scene_names(provenance)) or 'source unknown'}"
    sections = [
        f"# {title}\n\n" + _what(entry, source, tally),
        "## How it was made\n\n" + _how(source, provenance),
        "## Source data, citation, licence\n\n" + parts.origin(source.layout.attrs, provenance),
    ]
    if source.layout.classes is not None:
        sections.append("## Classes\n\n" + _classes(source, tally))
    if source.layout.quantities is not None:
        sections.append("## Amounts\n\n" + _amounts(source, tally))
    sections += [
        "## Bands\n\n" + parts.bands(source.layout, listed="`export.json`"),
        f"## Files ({entry.title})\n\n" + parts.bullets([*entry.layout(source), *_common_files(source)]),
        "## Limits\n\n" + parts.bullets(_limits(source, changes, provenance, synthetic=synthetic)),
    ]
    front = _front_matter(source, title) if entry.name == "hf" else ""
    return front + "\n\n".join(sections) + "\n"


def _what(entry: ExportFormat, source: Source, tally: Tally) -> str:
    layout, counts = source.layout, source.counts
    splits = ", ".join(f"{count} {split}" for split, count in counts.items())
    missing = tally.missing / tally.values if tally.values else 0.0
    facts = [
        f"{source.n_tiles} tiles ({splits}) of {layout.size} x {layout.size} px, {layout.n_bands} bands, "
        f"{parts.dates(layout.dates)}; task: {layout.task}.",
    ]
    if np.isfinite(tally.low):
        units = f" ({layout.image_units})" if layout.image_units else " (unit not recorded)"
        facts.append(f"Image values{units} from {tally.low:.6g} to {tally.high:.6g}, {missing:.2%} without data.")
    if layout.layers:
        share = tally.labelled / tally.mask_pixels if tally.mask_pixels else 0.0
        facts.append(f"Mask layers: {', '.join(layout.layers)}; {share:.1%} of their pixels have a class.")
    if source.n_placed:
        facts.append(_georeference(source))
    if layout.attrs.get("note"):
        facts.append(f"Note: {layout.attrs['note']}.")
    return parts.bullets([*facts, f"Format: {entry.title}; written by SpecDM {__version__}."])


def _georeference(source: Source) -> str:
    systems = dict.fromkeys(place.crs_wkt for place in source.places)
    names = [wkt_name(wkt) if wkt else "an unknown reference system" for wkt in systems]
    more = f" and {len(names) - MOST_SYSTEMS} more" if len(names) > MOST_SYSTEMS else ""
    some = "All tiles are" if source.n_placed == source.n_tiles else f"{source.n_placed} tiles are"
    return f"{some} georeferenced: {', '.join(names[:MOST_SYSTEMS])}{more}."


def _how(source: Source, provenance: dict[str, Any]) -> str:
    attrs = source.layout.attrs
    lines = [f"Tile set made by SpecDM {attrs.get('specdm_version', '?')} on {attrs.get('created', 'an unknown day')}."]
    if model := provenance.get("model"):
        trained = f"the model `{model}`, trained on tiles of the scenes below"
        if completes := provenance.get("completes"):
            lines.append(f"{_completed(provenance, attrs)} by {trained}; given were `{parts.file_name(completes)}`.")
            lines.append("A tile depends on the given one, the seed and its index, see the manifest.")
        else:
            lines.append(
                f"Images and masks were drawn together by {trained}; a tile is drawn from (seed, index) alone, see "
                "the manifest."
            )
    if tiling := parts.trained_on(provenance).get("tiling"):
        lines.append(f"{'Training tiles' if model else 'Tiles'} were cut with `{json.dumps(parts.public(tiling))}`.")
    return parts.bullets(lines)


def _completed(provenance: Mapping[str, Any], attrs: Mapping[str, Any]) -> str:
    """What of the tiles is as it was given, and what was drawn."""
    known = provenance.get("known")
    if known is None:  # of an earlier version, which did not say
        return "Given tiles were completed"
    where = " on part of the ground" if provenance.get("known_in_area") else ""
    pasted = json.loads(str(attrs.get(DRAWING, "{}"))).get("paste", True)
    came = "as it was" if pasted else "as it came back from its codec"
    rest = "images were varied from the given ones" if provenance.get("images_varied") else "the rest was drawn for it"
    return f"What is given ({', '.join(known)}){where} is {came}; {rest}"


def _classes(source: Source, tally: Tally) -> str:
    classes = source.layout.classes
    if classes is None:
        return ""
    total = max(int(tally.classes.sum()), 1)
    rows = [
        (value, name, f"`{color}`", int(count), f"{count / total:.2%}")
        for value, name, color, count in zip(classes.values, classes.names, classes.colors, tally.classes, strict=True)
    ]
    return parts.table(("value", "name", "colour", "pixels", "share of labelled"), rows)


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
    return parts.table(("quantity", "unit", "least", "greatest"), rows) + whole


def _common_files(source: Source) -> list[str]:
    place = ", `crs_wkt` (WKT) and `transform` (a b c d e f) of its pixels" if source.places else ""
    score = ", `tile_reliability` (mean probability that labels are right)" if source.scored else ""
    return [
        f"`manifest.csv`: a line a tile: name, split, source, seed, index, first row and column in the scene, "
        f"files{score}{place}; empty where a tile has none.",
        "`export.json`: all that is said here, for programs.",
    ]


def _limits(source: Source, changes: Sequence[str], provenance: Mapping[str, Any], *, synthetic: bool) -> list[str]:
    attrs = source.layout.attrs
    lines = []
    if synthetic:
        given = provenance.get("completes")
        what = "What was drawn is no measurement" if given else "Synthetic tiles are no measurements"
        lines.append(f"{what}: use such tiles to train, and judge models on real, held-out ground only.")
    if not source.scored and synthetic:
        lines.append("How far the masks can be trusted was not judged (specdm reliability).")
    if attrs.get("pixel_policy") == "spectra_seen":
        lines.append("Training tiles show test ground, without its labels.")
    if source.n_placed < source.n_tiles:
        which = "Tiles" if not source.n_placed else "The other tiles"
        lines.append(f"{which} have no coordinate reference system; windows are rows and columns of the named scene.")
    if source.n_placed and synthetic:
        lines.append(
            "A georeferenced synthetic tile lies where the tile lies that it completes; what was drawn is no "
            "measurement of that place."
        )
    return [*lines, *changes, *json.loads(str(attrs.get("problems", "[]")))]


def _front_matter(source: Source, title: str) -> str:
    from huggingface_hub import DatasetCardData

    splits = [{"split": split, "path": f"data/{split}-*.parquet"} for split in source.counts]
    header = DatasetCardData(
        license="other",
        pretty_name=title,
        task_categories=["image-segmentation"] if source.layout.task in parts.CLASS_TASKS else None,
        size_categories=[_size_category(source.n_tiles)],
        tags=["remote-sensing", "specdm", source.layout.task],
        configs=[{"config_name": "default", "data_files": splits}],
    )
    return f"---\n{header.to_yaml()}\n---\n\n"


def _size_category(n: int) -> str:
    """As the Hub counts rows of data sets."""
    steps = ((1000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
    return next((name for most, name in steps if n < most), "1M<n<10M")
