"""Several dates in one file: several arrays of the same shape, or one array with a dimension of dates."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from specdm.errors import SceneError
from specdm.scenes.dates import DateLabel
from specdm.scenes.opening.options import Variable
from specdm.scenes.opening.plan import RasterSource, one_file
from specdm.scenes.pairs import Source, source_name
from specdm.scenes.readers import array_shapes
from specdm.scenes.readers.arrays import Layout

_EARLY, _LATE = {"before", "pre", "old", "first", "early", "a"}, {"after", "post", "new", "second", "late", "b"}


def date_sources(
    source: Source, *, dates: Sequence[DateLabel], variable: Variable | None
) -> tuple[RasterSource, ...]:
    """One source a date, all in the same file or array.

    Args:
        source: the file or array.
        dates: labels of two or more dates.
        variable: arrays, one a date; or the one array that has a dimension of dates; or None to find out: an array
            of four dimensions, else as many cubes of the same shape as there are dates.

    Raises:
        SceneError: another number of dates or arrays, or it cannot be told which arrays are the dates, in which
            order.
        FileFormatError: the file cannot be read.
    """
    if variable is not None and not isinstance(variable, str):
        _check_count(source, "variable=", list(variable), dates)
        return tuple(one_file(source, variable=name) for name in variable)
    shapes = {"": source.shape} if isinstance(source, np.ndarray) else array_shapes(source)
    if variable is not None:
        shapes = {name: shape for name, shape in shapes.items() if name == variable} or shapes
    many = [name for name, shape in shapes.items() if len(shape) == 4]
    if len(many) == 1:
        found = shapes[many[0]][0]
        if found != len(dates):
            raise SceneError(
                f"{source_name(source)}: holds {found} dates ({_shown(shapes)}), dates= names {len(dates)} "
                f"({_listed(dates)}); expected dates, rows, columns, bands and one label a date"
            )
        return tuple(one_file(source, variable=many[0] or None, position=i) for i in range(found))
    names = _cubes(shapes, len(dates))
    if names is None:
        raise SceneError(
            f"{source_name(source)}: cannot tell {len(dates)} dates ({_listed(dates)}) in it; it holds "
            f"{_shown(shapes) or 'one image'}. Give a list with one file a date, or name one array a date with "
            "variable=[...]"
        )
    return tuple(one_file(source, variable=name) for name in in_order(names, dates=dates, where=source_name(source)))


def dated_masks(source: Source, *, n_dates: int, variable: str | None) -> tuple[RasterSource, ...] | None:
    """One mask a date, where an array of four dimensions holds as many as there are dates; else None."""
    shapes = {"": source.shape} if isinstance(source, np.ndarray) else array_shapes(source)
    many = [n for n, s in shapes.items() if len(s) == 4 and s[0] == n_dates and variable in (None, n)]
    if len(many) != 1:
        return None
    return tuple(one_file(source, variable=many[0] or None, position=i) for i in range(n_dates))


def plane_beside(source: Source, dates: Sequence[RasterSource], *, layout: Layout | None) -> str | None:
    """The only array in the file that has the rows and columns of the dates and no bands: their mask, or None."""
    if isinstance(source, np.ndarray):
        return None
    shapes = array_shapes(source)
    taken = {date.variable for date in dates}
    bands_first = layout in ("byx", "dbyx")
    cubes = [shape for name, shape in shapes.items() if name in taken and len(shape) in (3, 4)]
    grids = {shape[-2:] if bands_first else shape[-3:-1] for shape in cubes}
    planes = [n for n, s in shapes.items() if n not in taken and {tuple(k for k in s if k > 1)} == grids]
    return planes[0] if len(planes) == 1 else None


def in_order(names: Sequence[str], *, dates: Sequence[DateLabel], where: str) -> list[str]:
    """Names of arrays from the first date to the last.

    By the labels, if the arrays are called so; by a number in the names ("T1", "T2"); by words such as "before" and
    "after", or A and B.

    Raises:
        SceneError: the names do not tell.
    """
    labels = [str(label) for label in dates]
    if set(names) == set(labels):
        return labels
    numbers = [[int(digits) for digits in re.findall(r"\d+", name)] for name in names]
    for column in zip(*numbers, strict=False):
        if len(set(column)) == len(names):
            return [name for _, name in sorted(zip(column, names, strict=True))]
    words = {name: set(re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower())) for name in names}
    early = [name for name in names if words[name] & _EARLY and not words[name] & _LATE]
    late = [name for name in names if words[name] & _LATE and not words[name] & _EARLY]
    if len(names) == 2 and len(early) == len(late) == 1:
        return [*early, *late]
    raise SceneError(
        f"{where}: which of {_listed(names)} is {labels[0]} cannot be told; name them in order with variable=[...]"
    )


def _cubes(shapes: Mapping[str, tuple[int, ...]], n_dates: int) -> list[str] | None:
    """The arrays that are the dates: as many cubes of one shape as there are dates, if only one shape has that."""
    cubes = {name: shape for name, shape in shapes.items() if len(shape) == 3 and min(shape) > 1}
    groups = [[n for n, s in cubes.items() if s == shape] for shape in dict.fromkeys(cubes.values())]
    fitting = [group for group in groups if len(group) == n_dates]
    return fitting[0] if len(fitting) == 1 else None


def _check_count(source: Source, what: str, given: Sequence[str], dates: Sequence[DateLabel]) -> None:
    if len(given) != len(dates):
        raise SceneError(
            f"{source_name(source)}: {what} names {len(given)} arrays ({_listed(given)}) for {len(dates)} dates "
            f"({_listed(dates)}); give one a date, in the same order"
        )


def _listed(items: Sequence[object]) -> str:
    return ", ".join(str(item) for item in items)


def _shown(shapes: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} ({' x '.join(map(str, s))})".strip() for name, s in shapes.items())
