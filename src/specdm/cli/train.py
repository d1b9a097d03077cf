"""`specdm train`: from scenes with masks to a trained model."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

EXAMPLE = "Example: specdm train scene.hdr --mask labels.tif -o runs/mine --minutes 30"

SCENE = "What the files mean"
TILES = "Tiles"


def train(
    context: typer.Context,
    inputs: Annotated[
        list[Path],
        typer.Argument(help="Images, a folder of images, or a run folder to go on with.", show_default=False),
    ],
    mask: Annotated[
        list[Path] | None, typer.Option(help="Mask of each image, or a folder of masks.", show_default=False)
    ] = None,
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
    seed: Annotated[int | None, typer.Option(min=0, help="Of all that is drawn at random.")] = None,
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
    wavelengths: Annotated[
        str | None, typer.Option(help="Band centres in nm, or a text table of them.", rich_help_panel=SCENE)
    ] = None,
    fwhm: Annotated[
        str | None, typer.Option(help="Band widths in nm, likewise.", rich_help_panel=SCENE)
    ] = None,
    class_names: Annotated[
        str | None, typer.Option(help="1=corn,2=woods or a YAML or CSV file.", rich_help_panel=SCENE)
    ] = None,
    unlabelled: Annotated[
        str | None,
        typer.Option(
            help="Mask values that mean no class, or none; default: 0 if it has no name.",
            rich_help_panel=SCENE,
        ),
    ] = None,
    classes: Annotated[
        str | None, typer.Option(help="Classes to keep, by name or value.", rich_help_panel=SCENE)
    ] = None,
    bands: Annotated[
        str | None,
        typer.Option(
            help="Bands to keep: positions from 0, names, ranges in nm (450-900).", rich_help_panel=SCENE
        ),
    ] = None,
    nodata: Annotated[
        str | None, typer.Option(help="Image values that mean no data.", rich_help_panel=SCENE)
    ] = None,
    scale: Annotated[
        float | None, typer.Option(help="Factor for image values.", rich_help_panel=SCENE)
    ] = None,
    offset: Annotated[float | None, typer.Option(help="Added after it.", rich_help_panel=SCENE)] = None,
    units: Annotated[str | None, typer.Option(help="Unit of image values.", rich_help_panel=SCENE)] = None,
    variable: Annotated[
        str | None, typer.Option(help="Image array in a file with several.", rich_help_panel=SCENE)
    ] = None,
    mask_variable: Annotated[
        str | None,
        typer.Option(help="Mask array; without --mask in the image's own file.", rich_help_panel=SCENE),
    ] = None,
    mask_kind: Annotated[
        str | None,
        typer.Option(help="values, or dominant if it holds an abundance a class.", rich_help_panel=SCENE),
    ] = None,
    rows: Annotated[
        int | None, typer.Option(help="Rows of a flattened matrix.", rich_help_panel=SCENE)
    ] = None,
    columns: Annotated[
        int | None, typer.Option(help="Columns of a flattened matrix.", rich_help_panel=SCENE)
    ] = None,
    order: Annotated[
        str | None, typer.Option(help="Its pixels: F column by column, C row by row.", rich_help_panel=SCENE)
    ] = None,
    layout: Annotated[
        str | None, typer.Option(help="Dimensions of a plain array: yxb or byx.", rich_help_panel=SCENE)
    ] = None,
    sensor: Annotated[
        str | None, typer.Option(help="sentinel2: its band names and centres.", rich_help_panel=SCENE)
    ] = None,
    split_map: Annotated[
        list[Path] | None, typer.Option(help="Given training and test ground.", rich_help_panel=SCENE)
    ] = None,
    split_map_kind: Annotated[
        str | None,
        typer.Option(
            help="values (0 nothing, 1 train, 2 test), or train if it marks training pixels only.",
            rich_help_panel=SCENE,
        ),
    ] = None,
    date: Annotated[str | None, typer.Option(help="When it was taken.", rich_help_panel=SCENE)] = None,
    name: Annotated[str | None, typer.Option(help="What to call the scene.", rich_help_panel=SCENE)] = None,
) -> None:
    """Train on scenes with masks; with a run folder alone go on from its last checkpoint."""
    from specdm.cli import texts
    from specdm.report.run_plan import plan_run

    options: dict[str, Any] = {
        "mask": texts.one_or_many(mask or []),
        "wavelengths": texts.numbers_or_file(wavelengths, option="--wavelengths"),
        "fwhm": texts.numbers_or_file(fwhm, option="--fwhm"),
        "class_names": texts.class_names(class_names),
        "unlabelled": texts.whole_numbers(unlabelled, option="--unlabelled"),
        "classes": texts.choices(classes),
        "bands": texts.choices(bands),
        "nodata": texts.numbers(nodata, option="--nodata"),
        "scale": scale,
        "offset": offset,
        "units": units,
        "variable": variable,
        "mask_variable": mask_variable,
        "mask_kind": mask_kind,
        "rows": rows,
        "columns": columns,
        "order": order,
        "layout": layout,
        "sensor": sensor,
        "split_map": texts.one_or_many(split_map or []),
        "split_map_kind": split_map_kind,
        "date": date,
        "name": name,
    }
    settings: dict[str, Any] = {
        "seed": seed,
        "tiles.size": tile_size,
        "tiles.stride": stride,
        "tiles.split": split,
        "tiles.pixel_policy": pixel_policy,
    }
    plan = plan_run(
        inputs,
        output=output,
        scene={key: value for key, value in options.items() if value is not None},
        preset=preset,
        file=config,
        settings={key: value for key, value in settings.items() if value is not None}
        | texts.settings(set_ or []),
        minutes=minutes,
        steps=steps,
        command=context.obj,
    )
    tiles = plan.tiles()
    print(tiles)
    for problem in tiles.problems:
        print(f"note: {problem}")
    plan.train(tiles)
    print(f"model in {plan.model}; next: specdm sample {shlex.quote(str(plan.run))}")
