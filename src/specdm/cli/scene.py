"""`specdm scene`: one scene of any size from a trained model, new or around a real one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from specdm.cli import scene_options as scene_

EXAMPLE = """\b
Example: specdm scene runs/potsdam --size 512x512 -o scene.nc
GeoTIFF and its mask:  specdm scene RUN --size 512x512 -o scene.tif
extend a real scene:   specdm scene RUN --extend real.tif --mask labels.tif --by 64 -o larger.tif
to the right only:     specdm scene RUN --extend real.tif --mask labels.tif --by 0,128,0,0 -o larger.tif
fill its nodata:       specdm scene RUN --extend real.tif --nodata -32768 -o filled.tif"""

REAL = "A real scene to extend"
HOW = "How it is drawn"


def scene(
    context: typer.Context,
    run: Annotated[
        Path,
        typer.Argument(help="Run folder, model folder, or owner/name on the Hugging Face Hub.", show_default=False),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", help="NetCDF (.nc), or GeoTIFF (.tif) with NAME_mask.tif beside it.", show_default=False
        ),
    ],
    size: Annotated[str | None, typer.Option(help="Rows x columns in pixels: 512x512.", show_default=False)] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="What is drawn depends on it and the place.")] = 0,
    batch_size: Annotated[int, typer.Option(min=1, help="Windows at a time; changes memory only.")] = 32,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    extend: Annotated[
        list[Path] | None,
        typer.Option(
            help="Its image, one file a date; repeat it. Pixels without data are drawn too.",
            rich_help_panel=REAL,
            show_default=False,
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            help="Pixels to add: 64 on every side, or top,right,bottom,left.", rich_help_panel=REAL, show_default=False
        ),
    ] = None,
    known: Annotated[
        list[str] | None,
        typer.Option(
            help='What of it is known: image, mask or a date such as "image 2000"; repeat it. Default: all there is.',
            rich_help_panel=REAL,
            show_default=False,
        ),
    ] = None,
    composition: Annotated[
        str | None, typer.Option(help="Share of classes all over, such as woods=0.3,corn=0.1.", rich_help_panel=HOW)
    ] = None,
    composition_strength: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="How far masks are pulled to it; default: the model's.", rich_help_panel=HOW),
    ] = None,
    guidance: Annotated[
        float | None,
        typer.Option(min=0, help="Pull images towards masks; default: the model's.", rich_help_panel=HOW),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(min=1, help="Solver steps of each stage; default: the model's.", rich_help_panel=HOW),
    ] = None,
    overlap: Annotated[
        float,
        typer.Option(min=0, max=0.95, help="Share of a window that the next covers too.", rich_help_panel=HOW),
    ] = 0.5,
    dense: Annotated[
        bool,
        typer.Option(
            "--dense",
            help="Label all ground, what real masks would leave unlabelled by what is read off the image.",
            rich_help_panel=HOW,
        ),
    ] = False,
    mask: scene_.Mask = None,
    mask_kind: scene_.MaskKind = None,
    mask_variable: scene_.MaskVariable = None,
    class_names: scene_.ClassNames = None,
    unlabelled_value: scene_.UnlabelledValue = None,
    quantity_names: scene_.QuantityNames = None,
    quantity_units: scene_.QuantityUnits = None,
    wavelengths: scene_.Wavelengths = None,
    fwhm: scene_.Fwhm = None,
    bands: scene_.Bands = None,
    sensor: scene_.Sensor = None,
    sensors: scene_.Sensors = None,
    nodata: scene_.Nodata = None,
    scale: scene_.Scale = None,
    offset: scene_.Offset = None,
    units: scene_.Units = None,
    resolution: scene_.Resolution = None,
    quality: scene_.Quality = None,
    bad_bands: scene_.BadBands = None,
    variable: scene_.Variable = None,
    rows: scene_.Rows = None,
    columns: scene_.Columns = None,
    order: scene_.Order = None,
    layout: scene_.Layout = None,
) -> None:
    """Draw one seamless scene with its mask, of any size, or go on with a real scene beyond its borders."""
    from specdm.cli import sizes, texts
    from specdm.cli.progress import progress_bar
    from specdm.report.scene_run import Extended, scene_run

    options = scene_.scene_options(context.params)
    extended = Extended(
        files=extend or [],
        mask=options.pop("mask", None),
        margin=sizes.margin(by),
        known=known,
        options=options,
    )
    shares, wanted = texts.composition(composition), sizes.size(size)
    with progress_bar("drawing") as progress:
        drawn = scene_run(
            run,
            output,
            size=wanted,
            extended=extended,
            seed=seed,
            batch_size=batch_size,
            overwrite=overwrite,
            callback=progress,
            composition=shares,
            composition_strength=composition_strength,
            guidance=guidance,
            steps=steps,
            overlap=overlap,
            dense=dense or None,
        )
    print(f"{drawn} in {output}")
