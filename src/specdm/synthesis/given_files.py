"""What a user names as given (`specdm sample --from`): a tile set, a scene, or a mask alone, as tiles of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from specdm.errors import MaskError, ModelError, SceneError
from specdm.models.streams import Stream
from specdm.scenes.checks import same_grid
from specdm.scenes.georeference import check_same_place
from specdm.scenes.opening.options import OpenOptions
from specdm.scenes.opening.plan import one_file
from specdm.scenes.opening.read import read_source
from specdm.synthesis.facts import TileFacts
from specdm.synthesis.given import known_streams
from specdm.synthesis.given_kinds import are_masks, dates_in, is_tile_set
from specdm.synthesis.given_tiles import GivenPlace, cut_areas, cut_places, fitted_tiles, says_nothing
from specdm.synthesis.known_parts import KnownParts
from specdm.synthesis.model_images import model_images, open_images
from specdm.synthesis.model_masks import ModelMasks, read_masks
from specdm.tiles.store import open_tiles
from specdm.tiles.tileset import TileSet

if TYPE_CHECKING:
    import xarray as xr

MaskFiles = Sequence[Path] | Mapping[str, Path]


@dataclass(frozen=True)
class GivenFiles:
    """What files give to a model.

    Attributes:
        tiles: of the model's layout, read when they are asked for.
        known: what of them is known, for `SpecDMPipeline.sample`; None: what lies in `area`.
        area: boolean `(tile, y, x)`, known ground; None for all of it.
        left_out: tiles of a set that are none of its training tiles, whose masks or images shall not be drawn from.
    """

    tiles: TileSet
    known: list[str] | None
    area: np.ndarray | None
    left_out: int = 0

    def provenance(self, *, varied: bool) -> dict[str, Any]:
        """What `TileFacts.drawn_attrs` is told of it."""
        parts = KnownParts(self.known, in_area=self.area is not None, varied=varied)
        return {"given": self.tiles, "known": parts}


@dataclass(frozen=True)
class Asked:
    """What a user says of given files.

    Attributes:
        known: "image", "mask" or names of streams; None: what can be told from the files.
        mask: masks beside the images.
        area: a mask file; ground with another value than 0 is known.
        resample: compute bands that the files have not from those around them.
        varied: images that are not known are varied, so they have to be there.
        options: of `open_scene`, about bands, values and classes.
    """

    known: Sequence[str] | None = None
    mask: MaskFiles = ()
    area: Path | None = None
    resample: bool = False
    varied: bool = False
    options: Mapping[str, Any] | None = None


def open_given(files: Sequence[Path], asked: Asked, *, facts: TileFacts, streams: Sequence[Stream]) -> GivenFiles:
    """Tiles of what files say, to be completed by a model.

    Args:
        files: a tile set; images (one, or one a date that is known; for a model of one date each is a scene of its
            own); or masks without images (one, or one a layer).
        asked: what of them is known, and how they are to be read.
        facts, streams: of the model.

    Raises:
        ModelError: it is not clear what is known, or it is not given, or nothing of it can be used.
        FileFormatError, SceneError, MaskError, TileError: files that cannot be read, or do not fit the model.
    """
    where = str(files[0])
    numbers = None if asked.known is None else known_streams(asked.known, streams=streams, where=where)
    if any(is_tile_set(file) for file in files):
        return _tile_set(files, asked, numbers=numbers, facts=facts, streams=streams)
    options = dict(asked.options or {})
    masks, images = asked.mask, list(files)
    if not masks and are_masks(files, facts, numbers=numbers, streams=streams, options=options):
        masks, images = list(files), []
        options["mask_variable"] = options.get("mask_variable") or options.get("variable")
    elif not masks and options.get("mask_variable") is not None:
        masks = [files[0]]  # image and mask in one file
    if asked.varied and not images:
        raise ModelError(f"{where}: images are to be varied, but none is given; name it with --from FILE")
    known, numbers = _settled(asked, numbers, bool(images), bool(masks), streams=streams, facts=facts, where=where)
    dates = _dates(images, numbers, facts=facts, streams=streams, asked=asked) if images else []
    many = len(facts.dates) == 1 and len(files) > 1
    groups: list[tuple[list[Path], MaskFiles]] = [(images, masks)]
    if many:
        if masks and (isinstance(masks, Mapping) or len(masks) != len(files)):
            raise ModelError(f"{where}: {len(files)} scenes but {len(masks)} masks; give one each, in the same order")
        each = list(masks) if not isinstance(masks, Mapping) else []
        groups = [([files[i]] if images else [], [each[i]] if each else []) for i in range(len(files))]
    layers = _layers(numbers, streams)
    places = [
        _place(own, beside, asked, options=options, dates=dates, layers=layers, facts=facts) for own, beside in groups
    ]
    tiles = cut_places(_told_apart(places), facts)
    return GivenFiles(tiles, known, cut_areas(places, facts))


def _tile_set(
    files: Sequence[Path],
    asked: Asked,
    *,
    numbers: Sequence[int] | None,
    facts: TileFacts,
    streams: Sequence[Stream],
) -> GivenFiles:
    where = str(files[0])
    if len(files) > 1 or asked.mask:
        raise ModelError(f"{where}: a tile set has its own masks and stands alone; give it without other files")
    if numbers is None and asked.area is None:
        raise ModelError(f"{where}: say what of the tiles is known: --known image, --known mask or the name of a date")
    kinds = {streams[number].kind for number in numbers} if numbers is not None else {"image", "classes"}
    mask = bool(kinds - {"image"})
    image = asked.varied or "image" in kinds
    tiles = open_tiles(files[0])
    left_out = 0
    if (mask or asked.varied) and len(tiles.train):
        # what is drawn for masks is trained on: those of test ground must not be among it
        left_out, tiles = len(tiles) - len(tiles.train), tiles.train
    tiles = fitted_tiles(tiles, facts, image=image, mask=mask, resample=asked.resample)
    if mask and says_nothing(tiles):
        raise MaskError(f"{where}: the masks are said to be known, but no pixel of them is labelled")
    area = None
    if asked.area is not None:
        plane = read_area(asked.area, grid=(tiles.size, tiles.size), of=where, options=asked.options or {})
        area = np.broadcast_to(plane, (len(tiles), *plane.shape)).copy()
    return GivenFiles(tiles, None if asked.known is None else list(asked.known), area, left_out)


def _settled(
    asked: Asked,
    numbers: list[int] | None,
    image: bool,
    mask: bool,
    *,
    streams: Sequence[Stream],
    facts: TileFacts,
    where: str,
) -> tuple[list[str] | None, list[int]]:
    """What is known, by name and as numbers of streams: as the user says, else whatever is given."""
    if numbers is None:
        if image and mask and asked.area is None:
            raise ModelError(
                f"{where}: image and mask are given, so say what is known: --known image, --known mask or, with "
                "--area, both"
            )
        names = [name for name, there in (("image", image), ("mask", mask)) if there]
        if image and mask:
            return None, known_streams(names, streams=streams, where=where)
        return names, known_streams(names, streams=streams, where=where)
    kinds = {streams[number].kind for number in numbers}
    for what, there, wanted in (("image", image, "image" in kinds), ("mask", mask, bool(kinds - {"image"}))):
        if wanted and not there:
            hint = "add it with --mask FILE" if what == "mask" else "name it with --from FILE"
            raise ModelError(f"{where}: the {what} is said to be known, but none is given; {hint}")
    return list(asked.known or ()), numbers


def _dates(
    images: Sequence[Path], numbers: Sequence[int], *, facts: TileFacts, streams: Sequence[Stream], asked: Asked
) -> list[int]:
    """Positions in the model of the dates that the images show."""
    every = list(range(len(facts.dates)))
    if len(every) == 1 or len(images) == len(every):
        return every
    if len(images) == 1 and dates_in(images[0], asked.options or {}) == len(every):
        return every
    said = [streams[n].position for n in numbers if streams[n].kind == "image"] if asked.known is not None else []
    if len(said) == len(images):
        return said
    names = [stream.name for stream in streams if stream.kind == "image"]
    raise ModelError(
        f"{images[0]}: {len(images)} image{'s' if len(images) > 1 else ''} for a model of {len(every)} dates; give all "
        f"of them in order, or say which are known, such as --known {names[0]!r}; its dates are {', '.join(names)}"
    )


def _layers(numbers: Sequence[int], streams: Sequence[Stream]) -> list[int] | None:
    """Positions of the mask's layers that are known; None for all."""
    found = sorted({streams[n].position for n in numbers if streams[n].kind == "classes"})
    return found or None


def _place(
    images: Sequence[Path],
    masks: MaskFiles,
    asked: Asked,
    *,
    options: Mapping[str, Any],
    dates: Sequence[int],
    layers: Sequence[int] | None,
    facts: TileFacts,
) -> GivenPlace:
    found = None
    if images:
        labels = [facts.dates[date] for date in dates]
        scene = open_images(images, options, dates=labels)
        found = model_images(scene, facts, places=dates, resample=asked.resample)
    there: ModelMasks | None = read_masks(masks, facts, options=options, layers=layers) if masks else None
    if there is not None and there.says_nothing:
        raise MaskError(f"{there.where}: the mask is said to be known, but no pixel of it is labelled")
    if found is not None:
        where, grid, ground = str(images[0]), (found.scene.height, found.scene.width), found.scene.dataset["image"]
    elif there is not None:
        where, grid, ground = there.where, there.grid, there.place
    else:
        raise SceneError("nothing is given; name an image, a mask or a tile set with --from")
    if found is not None and there is not None:
        same_grid("mask", there.grid, grid, there.where)
        check_same_place(ground, there.place, image_name=where, mask_name=there.where)
    area = None
    if asked.area is not None:
        area = read_area(asked.area, grid=grid, of=where, options=options, ground=ground)
    return GivenPlace(Path(where).stem, where, grid, found, there, area)


def read_area(
    file: Path, *, grid: tuple[int, int], of: str, options: Mapping[str, Any], ground: xr.DataArray | None = None
) -> np.ndarray:
    """Known ground, boolean `(y, x)`: any value but 0, NaN and nodata.

    Args:
        file: a mask.
        grid: rows and columns that it must have.
        of: what these are of, for messages.
        options: of `open_scene`, about arrays.
        ground: where they lie, if that is known.

    Raises:
        FileFormatError: the file cannot be read.
        MaskError: several bands, another size, or another place.
    """
    said = {key: options[key] for key in ("rows", "columns", "order", "layout") if key in options}
    raster = read_source(one_file(file), OpenOptions(**said).array(role="mask"))
    if raster.n_bands != 1:
        raise MaskError(f"{file}: has {raster.n_bands} bands; an area is a mask of one, with 0 where nothing is known")
    same_grid("area", raster.grid, grid, f"{file} (for {of})")
    if ground is not None:
        check_same_place(ground, raster.values, image_name=of, mask_name=str(file))
    plane = np.asarray(raster.values[0].values)
    known = np.nan_to_num(plane) != 0
    if raster.nodata is not None and np.isfinite(raster.nodata):
        known &= plane != raster.nodata
    return known


def _told_apart(places: Sequence[GivenPlace]) -> list[GivenPlace]:
    """With names that differ, so that tiles and georeferences can be told apart."""
    names: list[str] = []
    for place in places:
        name, count = place.name, 2
        while name in names:
            name, count = f"{place.name}_{count}", count + 1
        names.append(name)
    return [replace(place, name=name) for place, name in zip(places, names, strict=True)]
