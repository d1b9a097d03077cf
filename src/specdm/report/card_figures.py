"""What a run has found out about its model, for the model's card."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from specdm.errors import SpecDMError
from specdm.report.copies_section import copy_counts
from specdm.report.reliability_record import ReliabilityRecord
from specdm.report.reliability_section import kind_words
from specdm.report.run_folder import RunFolder
from specdm.synthesis.model_card import CardFigures, Figure

if TYPE_CHECKING:
    from specdm.evaluation.record import Evaluation
    from specdm.tiles.tileset import TileSet


def run_figures(run: str | Path, *, model_id: str | None = None) -> CardFigures:
    """Training pixels, evaluation, reliability and usefulness of a run; what is missing or damaged is left out.

    Args:
        run: run folder.
        model_id: of the model that the card is about. If the run's synthetic tiles are another's, what was judged by
            them is left out, and the card says so.

    Raises:
        RunError: it is no run folder.
    """
    folder = RunFolder(Path(run))
    folder.check_is_run()
    limits: list[str] = []
    real = _tiles(folder.tiles)
    synthetic = _tiles(folder.synthetic)
    evaluation = reliability = None
    drawn_by = None if synthetic is None else synthetic.provenance.get("model")
    if model_id is not None and drawn_by not in (None, model_id):
        limits.append(f"Figures are left out: the run's synthetic tiles are of another model, `{drawn_by}`.")
    else:
        evaluation, reliability = _evaluation(folder.evaluation), _reliability(folder.reliability)
    if real is not None:
        limits += _limits(real)
    return CardFigures(
        training=[] if real is None else _training(real),
        class_pixels={} if real is None else _class_pixels(real),
        figures=[] if evaluation is None else _figures(evaluation),
        measured="" if evaluation is None else _measured(evaluation),
        copies=[] if evaluation is None else _copies(evaluation),
        reliability=[] if reliability is None else _labels(reliability),
        usefulness=_usefulness(folder.usefulness / "records", real),
        limits=limits,
    )


def _tiles(path: Path) -> TileSet | None:
    from specdm.tiles.store import open_tiles

    try:
        return open_tiles(path)
    except SpecDMError:  # a card is worth having without it
        return None


def _evaluation(path: Path) -> Evaluation | None:
    from specdm.evaluation.record import Evaluation

    try:
        return Evaluation.from_json(path)
    except SpecDMError:
        return None


def _reliability(path: Path) -> ReliabilityRecord | None:
    try:
        return ReliabilityRecord.read(path) if path.is_file() else None
    except SpecDMError:
        return None


def _training(real: TileSet) -> list[str]:
    from specdm.tiles.coverage import ground_pixels, layer_counts

    train = real.train
    labelled = int(layer_counts(train).sum())
    labels = f", {labelled:,} labels in them" if train.layers else ""
    held_out = len(real) - len(train)
    ground = f"{ground_pixels(train):,} pixels of ground"
    lines = [f"Trained on {len(train):,} tiles of {ground}{labels} (each pixel counted once)."]
    if held_out:
        lines.append(f"{held_out:,} tiles were held out for validation and test.")
    return lines


def _class_pixels(real: TileSet) -> dict[str, int]:
    from specdm.tiles.coverage import layer_counts

    if real.classes is None:
        return {}
    return dict(zip(real.classes.names, layer_counts(real.train).sum(axis=0).tolist(), strict=True))


def _figures(evaluation: Evaluation) -> list[Figure]:
    from specdm.evaluation.metrics import METRICS

    found = []
    for key, info in METRICS.items():
        value = evaluation.metrics.get(key)
        if info.headline and value is not None and not key.startswith("authenticity"):
            verdict = info.verdict(value)
            kept = None if verdict is None else verdict == "pass"
            found.append(Figure(key, info.title, value, info.show(value), info.show_bar(), kept, info.sentence))
    return found


def _measured(evaluation: Evaluation) -> str:
    keys = ("synthetic.tiles", "real.training_tiles", "real.heldout_tiles")
    drawn, train, held_out = (evaluation.metrics.get(key) for key in keys)
    if drawn is None or train is None:
        return ""
    more = f" and {held_out:,.0f} held-out ones" if held_out else ""
    return f"Measured on {drawn:,.0f} synthetic tiles against {train:,.0f} real training tiles{more}."


def _copies(evaluation: Evaluation) -> list[str]:
    lines = []
    for count in copy_counts(evaluation, 0):
        about = f"{count['about']}: " if count["about"] else ""
        line = (
            f"{about}{count['flagged']} of {count['of']:,} synthetic tiles are as near to a training tile as about one "
            f"in a hundred real tiles is to one of other ground; chance alone gives about {count['by_chance']}."
        )
        if count["copies"] is not None:
            line += f" Nearer than any real tile: {count['copies']}."
        if count["beyond"] is not None:
            line += f" Probability of so many or more by chance: {count['beyond']}."
        lines.append(line)
    return lines


def _labels(record: ReliabilityRecord) -> list[str]:
    lines = [
        f"Mean score of the labels of {record.n_tiles:,} synthetic tiles, which is the probability that a label is "
        f"right: {record.mean_score:.3f}. Judged by: {', '.join(record.evidences)}."
    ]
    if (planted := record.planted) is not None:
        known = "" if planted.auroc_all is None else f"AUROC {planted.auroc_all:.3f}, "
        lines.append(
            f"Errors planted in {planted.tiles:,} held-out real tiles: {known}calibration error {planted.ece:.3f}."
        )
        if planted.auroc:
            kind, value = min(planted.auroc.items(), key=lambda item: item[1])
            lines.append(f"The hardest to find: {kind_words(kind)}, AUROC {value:.3f}.")
    return [*lines, *(f"{note[:1].upper()}{note[1:]}." for note in record.notes)]


def _usefulness(records: Path, real: TileSet | None) -> list[str]:
    if not any(not path.name.startswith("val-") for path in records.glob("*.json")):
        return []
    from specdm.evaluation.usefulness.summary import read_records, summary
    from specdm.report import usefulness_words as words
    from specdm.report.usefulness_comparison import comparisons

    try:
        found = summary(read_records(records))
    except SpecDMError:
        return []
    told = [
        f"{words.title(one)}: {' '.join(sentences)}"
        for one in comparisons(found)
        if (sentences := words.sentences(one, found))
    ]
    # the first line says what the score is and whose ground it is of
    return [*told, *words.protocol(found, real)[:1]] if told else []


def _limits(real: TileSet) -> list[str]:
    lines = [f"{line[:1].upper()}{line[1:]}." for line in real.problems]
    if real.pixel_policy == "spectra_seen":
        lines.append("Training tiles show test ground, without its labels.")
    return lines
