"""`specdm sample`: new tiles from a trained model, or given ones completed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from specdm.cli import scene_options as scene
from specdm.cli.reliability import FILTER, DropBelow, UnlabelBelow, print_record

EXAMPLE = """\b
Example: specdm sample runs/potsdam -n 1000 --composition water=0.3
more of rare classes:   specdm sample RUN -n 1000 --balance --composition-strength 0.5
render a drawn mask:    specdm sample RUN --from drawn.png -o rendered.zarr
another mask:           specdm sample RUN --from scene.tif --known image -o masks.zarr
second date:            specdm sample RUN --from 2000.tif --known "image 2000" -o after.zarr
with a change mask:     specdm sample RUN --from 2000.tif --mask change.png --known "image 2000" --known mask -o a.zarr
first date:             specdm sample RUN --from 2003.tif --known "image 2003" -o before.zarr
inpaint:                specdm sample RUN --from scene.tif --mask m.tif --area known.png -o filled.zarr
tiles of a tile set:    specdm sample RUN --from RUN/tiles/tiles.zarr --known mask -n 500 -o again.zarr
images varied:          specdm sample RUN --from scene.tif --mask m.tif --known mask --variation 0.5 -o varied.zarr
other bands:            specdm sample RUN --from other_sensor.hdr --resample -o masks.zarr
very many:              specdm sample RUN -n 1000000 -o big.zarr; killed, the same command goes on
a job array:            specdm sample RUN -n 1000000 -o big.zarr --shard 3/100; then: specdm merge big.zarr
all cores, a cluster:   specdm sample RUN -n 1000000 -o big.zarr --engine ray
fast, once distilled:   specdm sample RUN -n 100000 --evaluations 4
labels judged:          specdm sample RUN -n 1000 --reliability --drop-below 0.6 --unlabel-below 0.5"""

GIVEN = "What is given"
HOW = "How it is drawn"
WHERE = "Who draws it"


def sample(
    context: typer.Context,
    run: Annotated[
        Path,
        typer.Argument(help="Run folder, model folder, or owner/name on the Hugging Face Hub.", show_default=False),
    ],
    n: Annotated[
        int | None,
        typer.Option(
            "-n", "--tiles", min=1, help="Number of tiles; default: as many as are given, else 256.", show_default=False
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Tile i depends on the seed and i only.")] = 0,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="Tile set to write; default: RUN/synthetic/tiles.zarr, or from_FILE.zarr beside it."
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Tiles at a time; changes memory only.")] = 32,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing tile set, or an unfinished one of other options.")
    ] = False,
    shard: Annotated[
        str | None,
        typer.Option(
            help="Only part i of n of the tiles, such as 3/100, as a tile set beside the output; see specdm merge.",
            rich_help_panel=WHERE,
            show_default=False,
        ),
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            help="local: this process; ray: all cores of this machine, or a Ray cluster.", rich_help_panel=WHERE
        ),
    ] = "local",
    ray_address: Annotated[
        str | None,
        typer.Option(
            help="Of a Ray cluster, such as auto or ray://head:10001.", rich_help_panel=WHERE, show_default=False
        ),
    ] = None,
    device: Annotated[
        str, typer.Option(help="cpu, cuda, or auto; of the engine local.", rich_help_panel=WHERE)
    ] = "auto",
    from_: Annotated[
        list[Path] | None,
        typer.Option(
            "--from",
            help="What is known of the tiles: a tile set, an image, a mask alone, or one file a date; repeat it. "
            "Scenes are cut into tiles that cover them; of a set whose masks are known the training tiles are taken.",
            rich_help_panel=GIVEN,
            show_default=False,
        ),
    ] = None,
    known: Annotated[
        list[str] | None,
        typer.Option(
            help='What of it is known: image, mask or a date such as "image 2000"; repeat it. Default: the image of '
            "an image, the mask of a mask alone.",
            rich_help_panel=GIVEN,
            show_default=False,
        ),
    ] = None,
    area: Annotated[
        Path | None,
        typer.Option(
            help="Mask of the ground that is known (any value but 0); the rest is drawn.",
            rich_help_panel=GIVEN,
            show_default=False,
        ),
    ] = None,
    resample: Annotated[
        bool,
        typer.Option(
            "--resample", help="Resample spectra to the model's bands where they differ.", rich_help_panel=GIVEN
        ),
    ] = False,
    variation: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Vary the given images, whose masks are known: draw them from so much noise, near 0 hardly changed, "
            "1 new ones; 0.5 is usual. Default: images are drawn from noise alone.",
            rich_help_panel=GIVEN,
            show_default=False,
        ),
    ] = None,
    no_paste: Annotated[
        bool,
        typer.Option(
            "--no-paste", help="Known pixels as they come back from the codec, not as given.", rich_help_panel=GIVEN
        ),
    ] = False,
    composition: Annotated[
        str | None,
        typer.Option(help="Share of classes in each tile, such as woods=0.3,corn=0.1.", rich_help_panel=HOW),
    ] = None,
    balance: Annotated[
        bool,
        typer.Option(
            "--balance", help="As much of every class as training tiles allow, over the set.", rich_help_panel=HOW
        ),
    ] = False,
    composition_strength: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="How far masks are pulled to their composition; default: the model's.",
            rich_help_panel=HOW,
        ),
    ] = None,
    guidance: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Pull images towards masks, masks towards images; 0 for plain samples; default: the model's.",
            rich_help_panel=HOW,
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(min=1, help="Solver steps of each stage; default: the model's.", rich_help_panel=HOW),
    ] = None,
    evaluations: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Draw with what specdm distill made for so many evaluations of the network.",
            rich_help_panel=HOW,
            show_default=False,
        ),
    ] = None,
    dense: Annotated[
        bool,
        typer.Option(
            "--dense",
            help="Label all ground, what real masks would leave unlabelled by what is read off the image.",
            rich_help_panel=HOW,
        ),
    ] = False,
    reliability: Annotated[
        bool,
        typer.Option(
            "--reliability",
            help="Judge the labels then, as specdm reliability does; what is filtered goes to reliable.zarr beside it.",
            rich_help_panel=FILTER,
        ),
    ] = False,
    unlabel_below: UnlabelBelow = None,
    drop_below: DropBelow = None,
    mask: scene.Mask = None,
    mask_variable: scene.MaskVariable = None,
    class_names: scene.ClassNames = None,
    unlabelled_value: scene.UnlabelledValue = None,
    quantity_names: scene.QuantityNames = None,
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
    """Write a set of synthetic tiles, images with their masks; or complete what is given of tiles with --from.

    Files are read as those of training were, but for what is said here. A command that was stopped or killed goes on
    where it was when it is given again; a set that is there grows to a larger -n.
    """
    from specdm.cli import texts
    from specdm.cli.progress import progress_bar
    from specdm.report.reliability_filter import ReliabilityFilter
    from specdm.report.sample_question import Question
    from specdm.report.sample_reliably import sample_reliably
    from specdm.report.sample_run import sample_run

    keep = ReliabilityFilter(unlabel_below=unlabel_below, drop_below=drop_below)
    if keep.asked and not reliability:
        raise typer.BadParameter("--unlabel-below and --drop-below are about scores; add --reliability")
    if shard is not None and reliability:
        raise typer.BadParameter("--reliability is about whole sets; merge the shards, then run specdm reliability")
    if engine not in ("local", "ray"):
        raise typer.BadParameter(f"--engine {engine}: expected local or ray")
    shares = texts.composition(composition)
    options = scene.scene_options(context.params)
    question = Question(
        files=from_ or (),
        known=known or None,
        mask=options.pop("mask", None),
        area=area,
        resample=resample,
        options=options,
    )
    drawing: dict[str, Any] = {
        "n": n,
        "seed": seed,
        "question": question,
        "output": output,
        "batch_size": batch_size,
        "overwrite": overwrite,
        "engine": engine,
        "ray_address": ray_address,
        "device": device,
        "again": context.obj,
        "say": print,
        "steps": steps,
        "evaluations": evaluations,
        "composition": shares,
        "balance": balance or None,
        "composition_strength": composition_strength,
        "guidance": guidance,
        "dense": dense or None,
        "variation": variation,
        "paste": False if no_paste else None,
    }
    if reliability:
        with progress_bar("sampling") as sampling, progress_bar("judging labels") as judging:
            record = sample_reliably(run, keep=keep, sampling=sampling, judging=judging, **drawing)
        print_record(record)
        return
    with progress_bar("sampling") as progress:
        tiles = sample_run(run, callback=progress, shard=shard, **drawing)
    print(f"{len(tiles)} tile{'s' if len(tiles) != 1 else ''} in {tiles.where}")
