"""Sampling from a run: new tiles, or given ones completed, written as they come."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from specdm.errors import RunError
from specdm.report.file_options import file_options
from specdm.report.run_folder import RunFolder, check_writable, model_folder

if TYPE_CHECKING:
    from specdm.synthesis.given_files import GivenFiles
    from specdm.synthesis.pipeline import SpecDMPipeline
    from specdm.tiles.tileset import TileSet

Progress = Callable[[int, int], None]

N_TILES = 256
"""Tiles of a set where nothing is given and nothing else is said."""

DRAWING = "drawing"
"""Attribute of a tile set: the options its tiles were drawn with, as JSON text; absent if they are the model's own."""


@dataclass(frozen=True)
class Question:
    """What is given of the tiles.

    Attributes:
        files: a tile set, images or masks; none for new tiles.
        known: "image", "mask" or names of streams; None: what can be told from the files.
        mask: masks beside the images: one file, a list, or class name -> file.
        area: a mask file; ground with another value than 0 is known.
        resample: compute bands that the files have not from those around them.
        options: of `open_scene`, for these files.
    """

    files: Sequence[Path] = ()
    known: Sequence[str] | None = None
    mask: Path | Sequence[Path] | Mapping[str, Path] | None = None
    area: Path | None = None
    resample: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        """Raise RunError if something is said about files, but there are none."""
        about = {"--known": self.known, "--mask": self.mask, "--area": self.area, "--resample": self.resample or None}
        if not self.files and (said := [flag for flag, value in about.items() if value is not None]):
            raise RunError(f"{said[0]} is about what is given; name it with --from FILE")

    def open(self, pipeline: SpecDMPipeline, *, run: Path) -> GivenFiles | None:
        """The given tiles, or None.

        Raises:
            SpecDMError: as `specdm.synthesis.given_files.open_given`.
        """
        if not self.files:
            return None
        from specdm.synthesis.given_files import Asked, open_given

        asked = Asked(
            known=self.known,
            mask=listed_masks(self.mask),
            area=self.area,
            resample=self.resample,
            options=file_options(run, self.options, files=self.files),
        )
        return open_given(self.files, asked, facts=pipeline.facts, streams=pipeline.model.streams)


def listed_masks(mask: Path | Sequence[Path] | Mapping[str, Path] | None) -> Sequence[Path] | Mapping[str, Path]:
    """Mask files as a user gives them, as a list, or class name -> file."""
    if mask is None:
        return []
    return [mask] if isinstance(mask, (str, Path)) else mask


def sample_run(
    run: Path,
    *,
    n: int | None = None,
    seed: int = 0,
    question: Question | None = None,
    output: Path | None = None,
    batch_size: int = 32,
    overwrite: bool = False,
    callback: Progress | None = None,
    say: Callable[[str], None] | None = None,
    **drawing: Any,
) -> TileSet:
    """Sample tiles and write them as they come, in bounded memory.

    Args:
        run: run folder, or a model folder.
        n: number of tiles; default: as many as are given, else 256.
        seed: tile i depends on the seed and i only.
        question: what is given of them; default: nothing.
        output: tile set to write; default: that of the run folder, or `from_NAME.zarr` beside it where tiles are given.
        batch_size: tiles to hold in memory at a time.
        overwrite: replace a tile set of that name, once the new one is whole.
        callback: called with (done, total).
        say: called with a line on what is given.
        **drawing: steps, composition, balance, composition_strength, guidance, dense and paste, as those of
            `SpecDMPipeline.sample`; the model's own for what is None or left out.

    Raises:
        RunError: no trained model, or the output exists or cannot be written.
        ModelError: the model cannot be loaded, or cannot do what is asked.
        SpecDMError: files that cannot be read, or do not fit the model.
    """
    question = question or Question()
    question.check()
    model = model_folder(run)
    output = output or usual_tiles(run, model, files=question.files)
    check_output(output, overwrite=overwrite)
    # here, not above: mistakes are told before torch is loaded
    from specdm.synthesis.pipeline import SpecDMPipeline
    from specdm.tiles.layout import NUMBER_COORDS, TEXT_COORDS, TileLayout
    from specdm.tiles.store import TileStoreWriter, open_tiles

    pipeline = SpecDMPipeline.from_pretrained(model)
    given = question.open(pipeline, run=run)
    total = n or (N_TILES if given is None else len(given.tiles))
    asked: dict[str, Any] = {key: value for key, value in drawing.items() if value is not None}
    if given is not None:
        asked |= {"given": given.tiles, "known": given.known, "area": given.area}
        if say is not None:
            say(_line(given))

    def part(first: int) -> TileSet:
        tell = None if callback is None else (lambda done, _: callback(first + done, total))
        size = min(batch_size, total - first)
        return pipeline.sample(size, seed=seed, first=first, batch_size=batch_size, callback=tell, **asked)

    tiles = part(0)
    layout = TileLayout.of(tiles.dataset)
    if said := {key: value for key, value in drawing.items() if value is not None}:
        layout.attrs[DRAWING] = json.dumps(said)
    if given is not None and "georeference" in given.tiles.dataset.attrs:
        layout.attrs["georeference"] = given.tiles.dataset.attrs["georeference"]
    with TileStoreWriter(output, layout, total, overwrite=overwrite) as writer:
        for first in range(0, total, batch_size):
            tiles = tiles if first == 0 else part(first)
            coords = {key: tiles.dataset[key].values for key in (*TEXT_COORDS, *NUMBER_COORDS)}
            if given is not None:
                coords |= _places(given.tiles, first, len(tiles))
            amounts = tiles.amounts() if tiles.quantities else None
            writer.write(first, tiles.images(), tiles.masks(), coords, amounts=amounts)
    return open_tiles(output)


def usual_tiles(run: Path, model: Path, *, files: Sequence[Path]) -> Path:
    """Where tiles go if nothing is said; `files` are what is given of them. Raises RunError for a model folder."""
    if model == run:
        raise RunError(f"{run} is a model folder, so there is no usual place for tiles; say where with -o")
    usual = RunFolder(run).synthetic
    # what evaluation compares with real tiles are tiles drawn from nothing, so others have a place of their own
    return usual.with_name(f"from_{Path(files[0]).stem}.zarr") if files else usual


def check_output(output: Path, *, overwrite: bool) -> None:
    """Raise RunError unless a tile set may be written there."""
    if output.exists() and not overwrite:
        raise RunError(f"{output} exists already; add --overwrite to replace it, or choose another name with -o")
    if output.exists() and not (output / "zarr.json").is_file():
        raise RunError(f"{output} is no tile set, so it is not overwritten; choose another name with -o")
    check_writable(output.parent)


def _places(given: TileSet, first: int, count: int) -> dict[str, np.ndarray]:
    """Where the tiles lie that are completed."""
    index = np.arange(first, first + count) % len(given)
    return {key: given.dataset[key].values[index] for key in ("window_y", "window_x")}


def _line(given: GivenFiles) -> str:
    known = "what lies in the area" if given.known is None else " and ".join(given.known)
    inside = " in the area" if given.known is not None and given.area is not None else ""
    lie = json.loads(given.tiles.dataset.attrs.get("georeference", "{}"))
    placed = ", georeferenced" if lie else ""
    tiles = f"{len(given.tiles)} tile{'s' if len(given.tiles) != 1 else ''} of {given.tiles.size} px"
    return f"{given.tiles.where}: {tiles}{placed}; known: {known}{inside}"
