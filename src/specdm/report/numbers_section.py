"""The numbers: those of the head as cards, and the table of all of them in groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from specdm.evaluation.metrics import METRICS, info_of
from specdm.evaluation.metrics_amounts import AMOUNTS
from specdm.evaluation.metrics_fidelity import FIDELITY
from specdm.evaluation.metrics_pictures import PICTURES
from specdm.report.intervals import shown_interval

if TYPE_CHECKING:
    from specdm.evaluation.record import Evaluation

FAMILIES = (
    ("Tiles as pictures, to an image network", PICTURES),
    ("Quantities", AMOUNTS),
    ("Copies", {key for key in FIDELITY if key.startswith("authenticity.")}),
    ("Spectra, whole tiles and shapes of masks", FIDELITY),
    (
        "Counts",
        {
            *("synthetic.tiles", "synthetic.labelled_pixels", "real.training_tiles", "real.training_pixels"),
            *("real.labelled_pixels", "real.heldout_tiles"),
        },
    ),
)
"""Groups of which the names of the metrics do not say enough; the first that has a metric counts."""

PREFIXES = {
    "codec": "What the codec keeps", "change": "Change", "sampling": "Cost", "training": "Cost", "memory": "Cost",
}  # fmt: skip
OTHER = "Images and masks"


def headline(evaluation: Evaluation) -> dict[str, Any]:
    """The cards of the head, and how many of their bars are met.

    Returns:
        `cards`, `kept`, `of` and `missed` (titles) for the template.
    """
    cards = [
        _shown(evaluation, key)
        for key, info in METRICS.items()
        if info.headline and evaluation.metrics.get(key) is not None
    ]
    kept = sum(card["verdict"] == "pass" for card in cards)
    missed = [str(card["title"]) for card in cards if card["verdict"] == "miss"]
    return {"cards": cards, "kept": kept, "of": kept + len(missed), "missed": missed}


def number_groups(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Every number, in the order of `METRICS` and then those that are not in it.

    Returns:
        For each group of neighbouring numbers its `title` and its `rows`.
    """
    known = [key for key in METRICS if key in evaluation.metrics]
    rest = [key for key in evaluation.metrics if key not in METRICS]
    groups: list[dict[str, Any]] = []
    for key in [*known, *rest]:
        title = group_of(key)
        if not groups or groups[-1]["title"] != title:
            groups.append({"title": title, "rows": []})
        groups[-1]["rows"].append(_shown(evaluation, key))
    return groups


def group_of(key: str) -> str:
    """What a number is about, by its name."""
    name, bracket, _ = key.partition(" [")
    if name not in METRICS:
        return "Further numbers"
    if bracket:
        return "Of single dates, layers or quantities"
    for title, family in FAMILIES:
        if name in family:
            return title
    return PREFIXES.get(name.partition(".")[0], OTHER)


def _shown(evaluation: Evaluation, key: str) -> dict[str, Any]:
    info, value = info_of(key), evaluation.metrics[key]
    return {
        "key": key,
        "title": info.title,
        "sentence": info.sentence,
        "value": info.show(value),
        "interval": shown_interval(info, evaluation.intervals.get(key)),
        "bar": info.show_bar(),
        "better": info.better or "",
        "verdict": info.verdict(value),
    }
