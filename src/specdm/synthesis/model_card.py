"""The card of a model: what it was trained on, what it draws, how good that is, and what it must not be used for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from specdm.synthesis.facts import TileFacts
from specdm.synthesis.sampling_defaults import SamplingDefaults
from specdm.tiles.export import card_parts as parts
from specdm.tiles.layout import TileLayout
from specdm.version import __version__

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

NOT_JUDGED = "Not judged before the model was sent"


@dataclass(frozen=True)
class Figure:
    """A number about the model's tiles.

    Attributes:
        key: of the metric.
        title: its name for people.
        value: the number.
        shown: the number as people read it, with its unit.
        bar: what it should keep within; empty if there is no such bar.
        kept: whether it does; None without a bar.
        sentence: what it says.
    """

    key: str
    title: str
    value: float
    shown: str
    bar: str = ""
    kept: bool | None = None
    sentence: str = ""


@dataclass(frozen=True)
class CardFigures:
    """What was found out about a model, ready for its card: lines of Markdown and numbers.

    Attributes:
        training: tiles and pixels that it was trained on.
        class_pixels: class name -> labelled training pixels.
        figures: fidelity and alignment.
        measured: what the figures were measured on.
        copies: whether its tiles are copies of training tiles.
        reliability: of its labels.
        usefulness: whether downstream models get better by its tiles.
        limits: further things to know.
    """

    training: list[str] = field(default_factory=list)
    class_pixels: dict[str, int] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)
    measured: str = ""
    copies: list[str] = field(default_factory=list)
    reliability: list[str] = field(default_factory=list)
    usefulness: list[str] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)


def model_card(
    facts: TileFacts,
    defaults: SamplingDefaults,
    *,
    repo_id: str,
    model_id: str,
    found: CardFigures | None = None,
    licence: str | None = None,
) -> str:
    """The card, in Markdown, with the header that the Hub reads.

    Args:
        facts: what the model's tiles are like, and where its training tiles came from.
        defaults: of sampling.
        repo_id: "owner/name".
        model_id: the model's own short name.
        found: what was found out about it; without it the card says that nothing was judged.
        licence: of the model, as the Hub knows it; default: "other".
    """
    found, layout = found or CardFigures(), facts.layout(facts.attrs)
    title = f"SpecDM model: {', '.join(parts.scene_names(facts.provenance)) or 'source unknown'}"
    sections = [
        f"# {title}\n\n" + _what(facts, layout, model_id),
        "## How to use it\n\n" + _use(repo_id),
        "## Training data, citation, licence\n\n" + _data(facts, found),
    ]
    if facts.classes is not None:
        sections.append("## Classes\n\n" + _classes(facts, found))
    if facts.quantities is not None:
        rows = [(name, unit or "-") for name, unit in zip(facts.quantities.names, facts.quantities.units, strict=True)]
        sections.append("## Amounts\n\n" + parts.table(("quantity", "unit"), rows))
    sections += [
        "## Bands\n\n" + parts.bands(layout, listed="`model_index.json`"),
        "## Figures\n\n" + _figures(found, defaults),
        "## Copies of training tiles\n\n" + parts.bullets(found.copies or [f"{NOT_JUDGED} (`specdm evaluate`)."]),
        "## Limits\n\n" + parts.bullets(_limits(facts, layout, found)),
    ]
    return _header(title, layout, found, licence) + "\n\n".join(sections) + "\n"


def _what(facts: TileFacts, layout: TileLayout, model_id: str) -> str:
    units = f", image values in {facts.image_units}" if facts.image_units else ", unit of image values not recorded"
    lines = [
        "Draws images and masks together: a diffusion model of spectral imagery, with a noise level for each image and "
        "mask. It also draws images for given masks, reads masks off images, and fills gaps.",
        f"Tiles of {facts.size} x {facts.size} px, {layout.n_bands} bands, {parts.dates(facts.dates)}{units}; "
        f"task: {layout.task}.",
        f"Model `{model_id}`, written by SpecDM {__version__}; weights are safetensors.",
    ]
    if facts.attrs.get("note"):
        lines.append(f"Note: {facts.attrs['note']}.")
    return parts.bullets(lines)


def _use(repo_id: str) -> str:
    return f"""```python
import specdm

model = specdm.SpecDMPipeline.from_pretrained("{repo_id}")
tiles = model.sample(256, seed=0)  # images, masks, wavelengths, classes
```

```
specdm sample {repo_id} -n 256 -o tiles.zarr
```"""


def _data(facts: TileFacts, found: CardFigures) -> str:
    origin = parts.origin(facts.attrs, facts.provenance)
    windows = facts.provenance.get("training_windows", {})
    known = found.training or ([f"Trained on {windows['used']:,} tiles."] if "used" in windows else [])
    return "\n".join([origin, parts.bullets(known or ["How many pixels it was trained on is not recorded."])])


def _classes(facts: TileFacts, found: CardFigures) -> str:
    if facts.classes is None:
        return ""
    classes = facts.classes
    rows = [
        (value, name, f"`{color}`", *([f"{found.class_pixels.get(name, 0):,}"] if found.class_pixels else []))
        for value, name, color in zip(classes.values, classes.names, classes.colors, strict=True)
    ]
    head = ("value", "name", "colour", *(["labelled training pixels"] if found.class_pixels else []))
    return parts.table(head, rows)


def _figures(found: CardFigures, defaults: SamplingDefaults) -> str:
    drawn = f"Sampling by default: {defaults.steps} solver steps a stage, guidance {defaults.guidance:g}."
    text = [" ".join(filter(None, (drawn, found.measured)))]
    if found.figures:
        words = {True: "kept", False: "missed", None: ""}
        rows = [(one.title, one.shown, one.bar, words[one.kept], one.sentence) for one in found.figures]
        text.append(parts.table(("figure", "value", "should be", "", "what it says"), rows))
    else:
        text.append(f"{NOT_JUDGED} (`specdm evaluate`).")
    for title, command, lines in (
        ("Reliability of the labels", "specdm reliability", found.reliability),
        ("Usefulness for training", "specdm usefulness", found.usefulness),
    ):
        text.append(f"### {title}\n\n" + parts.bullets(lines or [f"{NOT_JUDGED} (`{command}`)."]))
    return "\n\n".join(text)


def _limits(facts: TileFacts, layout: TileLayout, found: CardFigures) -> list[str]:
    spread = "" if layout.wavelength is None else " at these wavelengths"
    lines = [
        "What it draws are no measurements. Use the tiles to train models, and judge these on real, held-out ground "
        "only; never use them as reference, for maps, for area statistics or as evidence of what is or was on the "
        "ground.",
        f"It knows the sensor, place and season of its training data: {layout.n_bands} bands{spread}. Elsewhere its "
        "tiles and readings are extrapolation.",
    ]
    if facts.classes is not None:
        lines.append("It knows the classes above only; other ground gets one of them, or stays unlabelled.")
    if not found.copies:
        lines.append("Whether it repeats training tiles was not judged; do so before passing on tiles of closed data.")
    if not found.reliability:
        lines.append("How far its labels can be trusted was not judged.")
    return [*lines, *found.limits]


def _header(title: str, layout: TileLayout, found: CardFigures, licence: str | None) -> str:
    from huggingface_hub import ModelCardData

    header = ModelCardData(
        library_name="specdm",
        license=licence or "other",
        pipeline_tag="image-segmentation" if layout.task in parts.CLASS_TASKS else None,
        tags=["remote-sensing", "synthetic-data", "diffusion", "specdm", layout.task],
        model_name=title,
        eval_results=[_result(one, title) for one in found.figures] or None,
    )
    return f"---\n{header.to_yaml()}\n---\n\n"


def _result(figure: Figure, title: str) -> EvalResult:
    from huggingface_hub import EvalResult

    return EvalResult(
        task_type="other",
        dataset_type="specdm-tiles",
        dataset_name=title.partition(": ")[2],
        metric_type=figure.key,
        metric_value=round(figure.value, 6),
        metric_name=figure.title,
    )
