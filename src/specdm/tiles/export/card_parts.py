"""What the cards of tile sets and of models have in common: where the data come from, the bands, lists and tables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import PureWindowsPath
from typing import Any

from specdm.scenes.catalog import DATASETS
from specdm.scenes.catalog.entry import NOT_STATED
from specdm.tiles.layout import TileLayout

MOST_ROWS = 60
"""Of a table of bands; longer ones are told in a line."""

CLASS_TASKS = ("segmentation", "change", "semantic_change")


def licence_of(attrs: Mapping[str, Any]) -> str | None:
    """Licence of the source data: as the tile set says, else of the catalogue's sets that it cites; None if unknown."""
    if attrs.get("licence"):
        return str(attrs["licence"])
    cited = str(attrs.get("citation", ""))
    found = dict.fromkeys(entry.licence for entry in DATASETS.values() if entry.citation and entry.citation in cited)
    return "; ".join(found) or None


def trained_on(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Where real tiles come from: of synthetic ones, those that their model was trained on."""
    return dict(provenance.get("trained_on") or provenance)


def scene_names(provenance: Mapping[str, Any]) -> list[str]:
    """Names of the first scenes."""
    return [str(scene.get("name")) for scene in trained_on(provenance).get("scenes", [])][:5]


def file_name(path: Any) -> str:
    """The last part of a path of any system."""
    return PureWindowsPath(str(path)).name


def origin(attrs: Mapping[str, Any], provenance: Mapping[str, Any]) -> str:
    """Scenes, citation and licence."""
    lines = []
    for scene in trained_on(provenance).get("scenes", []):
        # names only: where files lay on someone's disk is nobody's business
        files = ", ".join(f"`{file_name(file)}`" for file in scene.get("sources", []))
        lines.append(f"{scene.get('name')}: {scene.get('height')} x {scene.get('width')} px" + (files and f", {files}"))
    if not lines:
        lines.append("It is not recorded which scenes these are.")
    lines.append(f"Citation of the source data: {attrs.get('citation') or 'unknown, none was recorded'}")
    licence = licence_of(attrs)
    lines.append(f"Licence of the source data: {_terms(licence)}")
    return bullets(lines)


def _terms(licence: str | None) -> str:
    ask = "ask its publisher before passing this on"
    if licence is None:
        return f"unknown, none was recorded; {ask}"
    return f"unknown, {licence}; {ask}" if licence.startswith(NOT_STATED) else licence


def public(provenance: Any, key: str = "") -> Any:
    """Provenance without the folders of someone's disk: files by their name alone."""
    if isinstance(provenance, Mapping):
        return {name: public(value, str(name)) for name, value in provenance.items()}
    if isinstance(provenance, (list, tuple)):
        return [public(value, key) for value in provenance]
    whole = PureWindowsPath(provenance) if isinstance(provenance, str) else None
    if whole is not None and (key in ("sources", "completes") or whole.root):
        return whole.name
    return provenance


def public_attrs(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes of a tile set, JSON-ready; what of them is JSON text, such as provenance, as `public` has it."""
    found: dict[str, Any] = {}
    for key, value in attrs.items():
        try:
            record = json.loads(value)
        except (TypeError, ValueError):
            found[key] = value.item() if hasattr(value, "item") else value
        else:
            found[key] = json.dumps(public(record, key)) if isinstance(record, (dict, list)) else value
    return found


def bands(layout: TileLayout, *, listed: str) -> str:
    """A table of bands; `listed` is where more of them than it takes are to be found."""
    centres, widths = layout.wavelength, layout.fwhm
    if layout.n_bands > MOST_ROWS:
        spread = "" if centres is None else f", centres from {min(centres):g} to {max(centres):g} nm"
        return f"{layout.n_bands} bands{spread}; all of them are listed in {listed}."
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
    return table(("band", "name", "nm", "fwhm, nm", *([] if layout.band_sensor is None else ["sensor"])), rows)


def dates(labels: Sequence[Any]) -> str:
    """ "2 dates (2000, 2003)" or "date 2000"."""
    return f"{len(labels)} dates ({', '.join(map(str, labels))})" if len(labels) > 1 else f"date {labels[0]}"


def bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def with_licence(card: str, licence: str) -> str:
    """A card whose header states another licence, by the Hub's own name for it."""
    from huggingface_hub import RepoCard

    changed = RepoCard(card)
    changed.data["license"] = licence
    return str(changed)
