"""`specdm train`: from scenes with masks to a trained model."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from specdm.cli import scene_options as scene

EXAMPLE = "Example: specdm train scene.hdr --mask labels.tif -o runs/mine --minutes 30"

TILES = "Tiles"
DEVICES = "Several devices (a batch is shared by all)"


def train(
    context: typer.Context,
    inputs: Annotated[
        list[Path],
        typer.Argument(help="Images, a folder, or a run folder to go on with.", show_default=False),
    ],
    mask: scene.Mask = None,
    unlabelled: scene.UnlabelledImagery = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Run folder to write.", show_default=False)
    ] = None,
    preset: Annotated[str | None, typer.Option(help="tiny (CPU, minutes), base or large (GPU).")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file of settings.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="A setting, such as denoiser.batch_size=16; repeat it.")
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Minutes of training in all.")] = None,
    steps: Annotated[int | None, typer.Option(help="Training steps of the denoiser.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, max=2**63 - 1, help="Of all that is drawn at random.")] = None,
    devices: Annotated[
        int | None, typer.Option(help="Devices of each machine: GPUs, or CPU processes.", rich_help_panel=DEVICES)
    ] = None,
    nodes: Annotated[int | None, typer.Option(help="Machines.", rich_help_panel=DEVICES)] = None,
    strategy: Annotated[
        str | None, typer.Option(help="How devices train together: ddp.", rich_help_panel=DEVICES)
    ] = None,
    tile_size: Annotated[int | None, typer.Option(help="Pixels along a tile.", rich_help_panel=TILES)] = None,
    stride: Annotated[
        int | None, typer.Option(help="Pixels between training tiles.", rich_help_panel=TILES)
    ] = None,
    split: Annotated[str | None, typer.Option(help="blocks, map or none.", rich_help_panel=TILES)] = None,
    pixel_policy: Annotated[
        str | None,
        typer.Option(
            help="With --split map: left_out, or spectra_seen if training may show test ground.",
            rich_help_panel=TILES,
        ),
    ] = None,
    dates: scene.Dates = None,
    mask_kind: scene.MaskKind = None,
    mask_variable: scene.MaskVariable = None,
    class_names: scene.ClassNames = None,
    unlabelled_value: scene.UnlabelledValue = None,
    classes: scene.ClassesKept = None,
    quantity_names: scene.QuantityNames = None,
    quantity_units: scene.QuantityUnits = None,
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
    split_map: scene.SplitMap = None,
    split_map_kind: scene.SplitMapKind = None,
    dataset: scene.Dataset = None,
    date: scene.Date = None,
    name: scene.Name = None,
    citation: scene.Citation = None,
    licence: scene.Licence = None,
) -> None:
    """Train on scenes with masks, and more imagery without; with a run folder alone go on from its last checkpoint."""
    from specdm.cli import texts
    from specdm.report.run_plan import plan_run

    settings: dict[str, Any] = {
        "seed": seed,
        "tiles.size": tile_size,
        "tiles.stride": stride,
        "tiles.split": split,
        "tiles.pixel_policy": pixel_policy,
        "training.devices": devices,
        "training.nodes": nodes,
        "training.strategy": strategy,
    }
    plan = plan_run(
        inputs,
        output=output,
        scene=scene.scene_options(context.params),
        unlabelled=texts.imagery(unlabelled or []),
        preset=preset,
        file=config,
        settings={key: value for key, value in settings.items() if value is not None}
        | texts.settings(set_ or []),
        minutes=minutes,
        steps=steps,
        command=context.obj,
    )
    with plan.together() as ranks:
        tiles = plan.tiles(ranks)
        if ranks.first:
            print(tiles)
            for problem in tiles.problems:
                print(f"note: {problem}")
        plan.train(tiles)
    if ranks.first:
        print(f"model in {plan.model}; next: specdm sample {shlex.quote(str(plan.run))}")
