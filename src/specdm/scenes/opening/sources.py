"""From images, masks and dates as a user gives them to a plan: which files make which scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from specdm.errors import SceneError
from specdm.scenes.dates import DateLabel
from specdm.scenes.layouts import plan_folder
from specdm.scenes.opening.file_dates import date_sources, dated_masks, plane_beside
from specdm.scenes.opening.options import OpenOptions
from specdm.scenes.opening.plan import OpeningPlan, RasterSource, ScenePlan, one_file
from specdm.scenes.pairs import Pair, Source, Sources, is_many, match_pairs, source_name


def plan_opening(image: Sources, options: OpenOptions) -> OpeningPlan:
    """The scenes that a user means.

    Args:
        image: one image; several (a folder or list); with `dates` one a date, or a list of lists.
        options: masks, dates and the names of arrays among them.

    Raises:
        SceneError: not one image a date, a partner missing, a folder that a layout knows but that lacks something.
        FileFormatError: a file cannot be read, or holds several candidates.
    """
    if isinstance(image, (str, Path)) and is_many(image):
        plan = plan_folder(Path(image), options.given())
        if plan is not None:
            if options.split_map is not None:
                raise SceneError(f"{image}: split_map= does not go with the folder's own layout; leave it out")
            return plan
    dates = options.labels()
    return _plan_dates(image, dates, options) if dates and len(dates) > 1 else _plan_single(image, dates, options)


def _plan_single(image: Sources, dates: tuple[DateLabel, ...] | None, options: OpenOptions) -> OpeningPlan:
    """Images of one date each."""
    many = is_many(image)
    if many and dates and options.dates is not None and not isinstance(image, (str, Path)):
        image = image[0] if len(image) == 1 else image  # a list of one date
        many = is_many(image)
    variable = options.variable
    if variable is not None and not isinstance(variable, str):
        if len(variable) != 1:
            raise SceneError(
                f"{source_name(image)}: variable= names {len(variable)} arrays; if they are dates of one place say "
                f"dates= with {len(variable)} labels (any words)"
            )
        variable = variable[0]
    mask = options.mask
    if mask is None and options.mask_variable is not None and not many:
        mask = image
    pairs = match_pairs(image, None if isinstance(mask, Mapping) else mask)
    scenes = [
        ScenePlan(
            name=pair.name,
            images=(one_file(pair.image, variable=variable),),
            masks=() if pair.partner is None else _masks_of(pair.partner, options, n_dates=1),
        )
        for pair in pairs
    ]
    reference = [pair.image for pair in pairs] if many and not isinstance(image, (str, Path)) else image
    if isinstance(mask, Mapping):
        scenes = _with_masks(scenes, reference, options, n_dates=1)
    scenes = _with_split_maps(scenes, reference, options)
    return OpeningPlan(scenes=tuple(scenes), name=_name(image), dates=dates, many=many)


def _plan_dates(image: Sources, dates: tuple[DateLabel, ...], options: OpenOptions) -> OpeningPlan:
    """Images of several dates: one a date, or all in one file."""
    reference: Sources
    if isinstance(image, (str, Path, np.ndarray)):
        pairs = match_pairs(image, None)
        found = [date_sources(pair.image, dates=dates, variable=options.variable) for pair in pairs]
        names, many, reference = [pair.name for pair in pairs], is_many(image), image
        if options.mask is None and not many:
            options = _with_own_mask(image, found[0], options)
    elif len(image) and all(isinstance(item, (list, tuple)) for item in image):
        found = [_one_each(item, dates, options) for item in image]
        reference = [own[0].files[0] for own in found]
        names, many = [pair.name for pair in match_pairs(reference, None)], True
    else:
        given = _one_each(image, dates, options)
        folders = [source for source in given if is_many(source.files[0])]
        if folders and len(folders) < len(given):
            raise SceneError(f"{folders[0].name} is a folder, other dates are files; give a folder or a file for each")
        reference = given[0].files[0]
        names, found, many = _matched(given, dates) if folders else ([_common_name(given)], [given], False)
    scenes = [ScenePlan(name=name, images=own) for name, own in zip(names, found, strict=True)]
    scenes = _with_masks(scenes, reference, options, n_dates=len(dates))
    scenes = _with_split_maps(scenes, reference, options)
    return OpeningPlan(scenes=tuple(scenes), name=_name(reference), dates=dates, many=many)


def _one_each(image: Sequence[Any], dates: Sequence[DateLabel], options: OpenOptions) -> tuple[RasterSource, ...]:
    if len(image) != len(dates):
        raise SceneError(
            f"{len(image)} images ({', '.join(source_name(item) for item in image[:4])}) for {len(dates)} dates "
            f"({', '.join(map(str, dates))}); give one image a date, in the same order"
        )
    variable = options.variable
    names = [variable] * len(dates) if variable is None or isinstance(variable, str) else list(variable)
    if len(names) != len(dates):
        raise SceneError(f"variable= names {len(names)} arrays for {len(dates)} images; give one, or one an image")
    return tuple(one_file(source, variable=name) for source, name in zip(image, names, strict=True))


def _matched(
    folders: Sequence[RasterSource], dates: Sequence[DateLabel]
) -> tuple[list[str], list[tuple[RasterSource, ...]], bool]:
    """Files of a folder a date, matched by name."""
    first, *others = [folder.files[0] for folder in folders]
    columns = [
        match_pairs(first, other, what=f"image of {date}") for other, date in zip(others, dates[1:], strict=True)
    ]
    found = [
        (one_file(row[0].image, variable=folders[0].variable),
         *(one_file(_partner(pair), variable=folder.variable)
           for pair, folder in zip(row, folders[1:], strict=True)))
        for row in zip(*columns, strict=True)
    ]  # fmt: skip
    return [pair.name for pair in columns[0]], found, True


def _with_masks(
    scenes: Sequence[ScenePlan], images: Sources, options: OpenOptions, *, n_dates: int
) -> list[ScenePlan]:
    """The scenes with the masks that the user gives: one each, one a date, or one a class."""
    mask = options.mask
    if mask is None:
        return list(scenes)
    if isinstance(mask, Mapping):
        columns = [match_pairs(images, source, what=f"mask of {name!r}") for name, source in mask.items()]
        return [
            replace(
                scene,
                masks=tuple(one_file(_partner(pair)) for pair in row),
                mask_classes=tuple(map(str, mask)),
            )
            for scene, *row in zip(scenes, *columns, strict=True)
        ]
    a_date = n_dates > 1 and isinstance(mask, (list, tuple)) and (not is_many(images) or _are_folders(mask))
    if a_date:
        if len(mask) != n_dates:
            raise SceneError(f"{len(mask)} masks for {n_dates} dates; give one for all dates, or one a date in a list")
        if any(source is None for source in mask):
            raise SceneError("a date has no mask; give one a date (-1 where nothing is known), or one for all")
        columns = [match_pairs(images, source) for source in mask]
        return [
            replace(scene, masks=tuple(one_file(_partner(pair), variable=variable) for pair, variable in
                                       zip(row, _variables(options, n_dates), strict=True)))
            for scene, *row in zip(scenes, *columns, strict=True)
        ]  # fmt: skip
    if n_dates > 1 and isinstance(mask, (list, tuple)) and any(isinstance(item, (list, tuple)) for item in mask):
        if len(mask) != len(scenes):
            raise SceneError(f"{len(mask)} masks for {len(scenes)} scenes; give one a scene, in the same order")
        return [
            replace(scene, masks=tuple(one_file(source) for source in own))
            for scene, own in zip(scenes, mask, strict=True)
        ]
    pairs = match_pairs(images, mask)
    return [
        replace(scene, masks=() if pair.partner is None else _masks_of(pair.partner, options, n_dates=n_dates))
        for scene, pair in zip(scenes, pairs, strict=True)
    ]


def _with_split_maps(scenes: Sequence[ScenePlan], images: Sources, options: OpenOptions) -> list[ScenePlan]:
    if options.split_map is None:
        return list(scenes)
    pairs = match_pairs(images, options.split_map, what="train/test map")
    return [
        replace(scene, split_map=one_file(_partner(pair))) for scene, pair in zip(scenes, pairs, strict=True)
    ]


def _masks_of(source: Source, options: OpenOptions, *, n_dates: int) -> tuple[RasterSource, ...]:
    """One mask in a file, or one a date where arrays are named for it."""
    variable = options.mask_variable
    if variable is None or isinstance(variable, str):
        dated = dated_masks(source, n_dates=n_dates, variable=variable) if n_dates > 1 else None
        return dated or (one_file(source, variable=variable),)
    if len(variable) not in (1, n_dates):
        raise SceneError(
            f"{source_name(source)}: mask_variable= names {len(variable)} arrays for {n_dates} dates; give one, or one "
            "a date"
        )
    return tuple(one_file(source, variable=name) for name in variable)


def _with_own_mask(image: Source, found: Sequence[RasterSource], options: OpenOptions) -> OpenOptions:
    """With the image's file as the mask's, if an array of it is named or plainly is the mask."""
    if options.mask_variable is not None:
        return replace(options, mask=image)
    beside = plane_beside(image, found, layout=options.layout) if options.variable is None else None
    return options if beside is None else replace(options, mask=image, mask_variable=beside)


def _variables(options: OpenOptions, n_dates: int) -> list[str | None]:
    variable = options.mask_variable
    if variable is None or isinstance(variable, str):
        return [variable] * n_dates
    if len(variable) != n_dates:
        raise SceneError(f"mask_variable= names {len(variable)} arrays for {n_dates} masks; give one, or one a mask")
    return list(variable)


def _are_folders(sources: Sequence[Any]) -> bool:
    return all(isinstance(source, (str, Path)) and is_many(source) for source in sources)


def _partner(pair: Pair) -> Source:
    if pair.partner is None:  # match_pairs gives every image one if partners are given at all
        raise SceneError(f"{source_name(pair.image)}: has no partner; give one each")
    return pair.partner


def _common_name(sources: Sequence[RasterSource]) -> str:
    """What a scene of several files is called: the words their names share, else their folder."""
    files = [Path(s.files[0]) for s in sources if isinstance(s.files[0], (str, Path))]
    if len(files) < len(sources):
        return "scene"
    words = [file.stem.replace("-", "_").split("_") for file in files]
    shared = [word for word in words[0] if all(word in other for other in words[1:])]
    if shared or len({file.parent for file in files}) > 1:
        return "_".join(shared) or files[0].stem
    return files[0].resolve().parent.name


def _name(image: Any) -> str:
    return Path(image).resolve().name if isinstance(image, (str, Path)) else "scenes"
