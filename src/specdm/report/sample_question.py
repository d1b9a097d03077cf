"""What is given of tiles that are to be sampled: files, and what of them is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specdm.errors import RunError
from specdm.report.file_options import file_options
from specdm.report.scene_source import option_flag

if TYPE_CHECKING:
    from specdm.synthesis.given_files import GivenFiles
    from specdm.synthesis.pipeline import SpecDMPipeline


ARRAYS = ("rows", "columns", "order", "layout")
"""Options of `open_scene` that the file of an area is read with."""


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

    def check(self, *, varied: bool = False, pasted: bool = True) -> None:
        """Raise RunError if something is said about files that are not there, or that a tile set says itself.

        Args:
            varied: images that are not known are varied.
            pasted: known pixels come back as they were given.
        """
        about = {
            "--known": self.known,
            "--mask": self.mask,
            "--area": self.area,
            "--resample": self.resample or None,
            "--variation": varied or None,
            "--no-paste": None if pasted else True,
            **{option_flag(name): value for name, value in self.options.items()},
        }
        if not self.files and (said := [flag for flag, value in about.items() if value is not None]):
            raise RunError(f"{said[0]} is about what is given; name it with --from FILE")
        from specdm.synthesis.given_kinds import is_tile_set

        sets = [file for file in self.files if is_tile_set(Path(file))]
        of_tiles = [name for name in self.options if self.area is None or name not in ARRAYS]
        if sets and of_tiles:
            raise RunError(
                f"{option_flag(of_tiles[0])} is about how images are read, and {sets[0]} is a tile set, which says "
                "that itself; leave it out"
            )

    def open(self, pipeline: SpecDMPipeline, *, run: Path, varied: bool = False) -> GivenFiles | None:
        """The given tiles, or None.

        Args:
            pipeline: the model.
            run: folder whose training options files are read with.
            varied: images that are not known are varied, so they have to be there.

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
            varied=varied,
            options=file_options(run, self.options, files=self.files),
        )
        return open_given(self.files, asked, facts=pipeline.facts, streams=pipeline.model.streams)


def listed_masks(mask: Path | Sequence[Path] | Mapping[str, Path] | None) -> Sequence[Path] | Mapping[str, Path]:
    """Mask files as a user gives them, as a list, or class name -> file."""
    if mask is None:
        return []
    return [mask] if isinstance(mask, (str, Path)) else mask


def given_line(given: GivenFiles, *, n: int) -> str:
    """What is given, and what of it `n` tiles will complete, in a line."""
    from specdm.tiles.georeference import scene_places

    known = "what lies in the area" if given.known is None else " and ".join(given.known)
    inside = " in the area" if given.known is not None and given.area is not None else ""
    placed = ", georeferenced" if scene_places(given.tiles.dataset.attrs) else ""
    tiles = f"{len(given.tiles)} tile{'s' if len(given.tiles) != 1 else ''} of {given.tiles.size} px"
    # a set of overlapping windows begins in a corner of its ground, which may be news
    tiles += f", of which the first {n} are completed" if n < len(given.tiles) else ""
    others = f"; {given.left_out} of other splits left out" if given.left_out else ""
    return f"{given.tiles.where}: {tiles}{placed}{others}; known: {known}{inside}"
