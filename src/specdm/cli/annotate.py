"""`specdm annotate`: the mask of a whole scene, read off its image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from specdm.cli import scene_options as scene

if TYPE_CHECKING:
    from specdm.synthesis.annotation_files import AnnotationSummary

EXAMPLE = """\b
Example: specdm annotate runs/potsdam scene.hdr -o mask.tif
how sure it is:         specdm annotate RUN scene.hdr -o mask.tif --probabilities p.tif --confidence c.tif
the sure part only:     specdm annotate RUN scene.hdr -o mask.tif --min-confidence 0.8
... half of each class: specdm annotate RUN scene.hdr -o mask.tif --min-confidence 0.8 --min-share 0.5
sparse labels dense:    specdm annotate RUN scene.hdr --mask few.tif --keep-labels --min-confidence 0.8 -o m.tif
change of two dates:    specdm annotate RUN 2000.tif 2003.tif -o change.tif
another sensor:         specdm annotate RUN other.hdr --resample -o mask.tif"""

READING = "How it is read"


def annotate(
    context: typer.Context,
    run: Annotated[
        Path,
        typer.Argument(help="Run folder, model folder, or owner/name on the Hugging Face Hub.", show_default=False),
    ],
    scenes: Annotated[
        list[Path],
        typer.Argument(help="Image of the scene; of several dates one a date.", metavar="SCENE...", show_default=False),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            help="Mask to write: .tif, .npy, or .png; with a mask a date a file each.",
            show_default=False,
        ),
    ],
    probabilities: Annotated[
        Path | None, typer.Option(help="File for the probability of each class: .tif or .npy, a band a class.")
    ] = None,
    confidence: Annotated[Path | None, typer.Option(help="File for the largest of them.")] = None,
    entropy: Annotated[Path | None, typer.Option(help="File for their entropy, 0 (sure) to 1.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    keep_labels: Annotated[
        bool, typer.Option("--keep-labels", help="Labels of --mask stay as they are.", rich_help_panel=READING)
    ] = False,
    min_confidence: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Pixels less sure than this stay unlabelled, but for --min-share.",
            rich_help_panel=READING,
        ),
    ] = None,
    min_share: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Of what is read as each class, the surest share is labelled in any case; reads the scene twice.",
            rich_help_panel=READING,
        ),
    ] = None,
    window: Annotated[
        int | None,
        typer.Option(
            min=1, help="Pixels along a window; changes memory only. Default: 128.", rich_help_panel=READING
        ),
    ] = None,
    views: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=8,
            help="Turned and mirrored images whose readings are averaged; default: 8.",
            rich_help_panel=READING,
        ),
    ] = None,
    resample: Annotated[
        bool,
        typer.Option(
            "--resample", help="Resample spectra to the model's bands where they differ.", rich_help_panel=READING
        ),
    ] = False,
    mask: scene.Mask = None,
    mask_variable: scene.MaskVariable = None,
    class_names: scene.ClassNames = None,
    unlabelled_value: scene.UnlabelledValue = None,
    wavelengths: scene.Wavelengths = None,
    fwhm: scene.Fwhm = None,
    bands: scene.Bands = None,
    sensor: scene.Sensor = None,
    sensors: scene.Sensors = None,
    nodata: scene.Nodata = None,
    scale: scene.Scale = None,
    offset: scene.Offset = None,
    units: scene.Units = None,
    resolution: scene.Resolution = None,
    quality: scene.Quality = None,
    bad_bands: scene.BadBands = None,
    variable: scene.Variable = None,
    rows: scene.Rows = None,
    columns: scene.Columns = None,
    order: scene.Order = None,
    layout: scene.Layout = None,
) -> None:
    """Write the mask of a whole scene of any size, as the model reads it off the image, with its georeference.

    Files are read as those of training were, but for what is said here.
    """
    from specdm.cli.progress import progress_bar
    from specdm.report.annotate_run import annotate_run

    options = scene.scene_options(context.params)
    with progress_bar("annotating") as progress:
        summary = annotate_run(
            run,
            scenes,
            output=output,
            probabilities=probabilities,
            confidence=confidence,
            entropy=entropy,
            keep_labels=keep_labels,
            mask=options.pop("mask", None),
            min_confidence=min_confidence,
            min_share=min_share,
            window=window,
            views=views,
            resample=resample,
            options=options,
            overwrite=overwrite,
            callback=progress,
        )
    _print(summary)


def _print(summary: AnnotationSummary) -> None:
    from rich.console import Console

    from specdm.cli.tables import fact_table

    total = int(summary.counts.sum())
    if summary.class_names:
        facts = {"labelled": f"{summary.labelled_share:.1%} of {summary.pixels:,} px"}
        if summary.kept:
            facts["labels kept"] = f"{summary.kept:,} px"
        facts["mean confidence"] = f"{summary.mean_confidence:.2f}"
        facts["unlabelled value"] = str(summary.unlabelled_value)
        facts |= {
            name: f"{count / max(1, total):.1%} of labelled"
            for name, count in zip(summary.class_names, summary.counts, strict=True)
        }
    else:
        facts = {"with amounts": f"{summary.with_data / max(1, summary.pixels):.1%} of {summary.pixels:,} px"}
    Console().print(fact_table(facts))
    for path in summary.files:
        print(f"written: {path}")
