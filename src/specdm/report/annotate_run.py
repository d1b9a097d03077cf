"""Annotating a scene with the model of a run: files opened, read and written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specdm.errors import RunError
from specdm.report.file_options import file_options
from specdm.report.run_folder import check_writable, model_folder
from specdm.report.sample_question import listed_masks

if TYPE_CHECKING:
    from specdm.synthesis.annotation_files import AnnotationSummary


def annotate_run(
    run: Path,
    scene: Sequence[Path],
    *,
    output: Path,
    probabilities: Path | None = None,
    confidence: Path | None = None,
    entropy: Path | None = None,
    keep_labels: bool = False,
    mask: Path | Sequence[Path] | Mapping[str, Path] | None = None,
    min_confidence: float | None = None,
    min_share: float | None = None,
    window: int | None = None,
    views: int | None = None,
    resample: bool = False,
    options: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    callback: Callable[[int, int], None] | None = None,
) -> AnnotationSummary:
    """Write the masks of a whole scene of any size, in bounded memory.

    Args:
        run: run folder, model folder, or a model of the Hub, "owner/name".
        scene: its image; for a model of several dates one a date, or one file with all.
        output, probabilities, confidence, entropy: files, see `AnnotationFiles`.
        keep_labels: labels of `mask` stay as they are.
        mask: labels that there are.
        min_confidence: pixels whose largest class probability is below stay unlabelled.
        min_share: of what is read as each class, the surest share is labelled in any case.
        window, views: see `SpecDMPipeline.annotate`; default: its own.
        resample: compute bands that the scene has not from those around them.
        options: of `open_scene`, for these files.
        overwrite: replace what is there, once everything is written.
        callback: called with (windows done, all).

    Raises:
        RunError: no trained model, an output that exists or cannot be written, or labels that are not given.
        SpecDMError: files that cannot be read, or do not fit the model.
    """
    masks = listed_masks(mask)
    if keep_labels and not masks:
        raise RunError("--keep-labels: which labels? Give them with --mask FILE")
    if masks and not keep_labels:
        raise RunError("--mask is of use with --keep-labels only, which keeps its labels; add that, or leave it out")
    model = model_folder(run)
    for path in (output, probabilities, confidence, entropy):
        if path is not None:
            check_writable(path.parent)
    # here, not above: mistakes are told before torch is loaded
    from specdm.errors import MaskError
    from specdm.scenes.checks import same_grid
    from specdm.scenes.georeference import check_same_place
    from specdm.synthesis.annotate import VIEWS, WINDOW, scene_reading
    from specdm.synthesis.annotation_files import AnnotationFiles, write_annotation
    from specdm.synthesis.model_images import open_images
    from specdm.synthesis.model_masks import read_masks
    from specdm.synthesis.pipeline import SpecDMPipeline

    pipeline = SpecDMPipeline.from_pretrained(model)
    facts = pipeline.facts
    files = AnnotationFiles(output, probabilities, confidence, entropy)
    files.check(facts, overwrite=overwrite)
    said = file_options(run, options or {}, files=scene)
    opened = open_images(scene, said, dates=facts.dates)
    labels = None
    if masks:
        if not facts.layers:
            raise MaskError(f"{output}: the model's masks hold amounts, so there are no labels to keep")
        there = read_masks(masks, facts, options=said)
        same_grid("mask", there.grid, (opened.height, opened.width), there.where)
        check_same_place(
            opened.dataset["image"], there.place, image_name=str(scene[0]), mask_name=there.where
        )
        labels = there.masks
    reading = scene_reading(
        opened,
        model=pipeline.model,
        reader=pipeline.reader,
        facts=facts,
        resample=resample,
        window=WINDOW if window is None else window,
        views=VIEWS if views is None else views,
        min_confidence=min_confidence,
        min_share=min_share,
        labels=labels,
    )
    return write_annotation(reading, files, overwrite=overwrite, callback=callback)
