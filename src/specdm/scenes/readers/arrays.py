"""From bare arrays without named dimensions (MATLAB, HDF5, NumPy) to `(band, y, x)`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from specdm.errors import FileFormatError
from specdm.scenes.readers.products.options import Quality

Order = Literal["F", "C"]
Layout = Literal["yxb", "byx", "dyxb", "dbyx"]
Role = Literal["image", "mask"]


@dataclass(frozen=True)
class ArrayOptions:
    """What a user says about an array that does not describe itself, and about sensor products.

    Attributes:
        variable: name of the array in a file with several.
        rows, columns: grid of a flattened matrix (bands x pixels, or pixels x bands).
        order: "F" if its pixels run column by column, "C" if row by row.
        layout: order of the dimensions of an array: "yxb" or "byx"; with dates "dyxb" or "dbyx".
        role: whether an image or a mask is looked for, for files that hold both.
        position: which date to take of an array whose first dimension is dates.
        resolution, quality: of sensor products, see `ProductOptions`.
    """

    variable: str | None = None
    rows: int | None = None
    columns: int | None = None
    order: Order | None = None
    layout: Layout | None = None
    role: Role = "image"
    position: int | None = None
    resolution: int | None = None
    quality: Quality | None = None

    def __post_init__(self) -> None:
        for name, value, known in (
            ("order", self.order, ("F", "C")),
            ("layout", self.layout, ("yxb", "byx", "dyxb", "dbyx")),
        ):
            if value is not None and value not in known:
                raise FileFormatError(f"{name}={value!r} is not known; expected one of {', '.join(known)}")
        if (self.rows is None) != (self.columns is None):
            raise FileFormatError("rows and columns of a flattened matrix must be given together")


def pick_variable(
    shapes: Mapping[str, tuple[int, ...]],
    *,
    path: Path,
    options: ArrayOptions,
    grid: tuple[int, int] | None = None,
) -> str:
    """Which array of a file is meant.

    The one the user names; else, for an image, the one with the most bands (3-D, or flattened onto a known
    grid); for a mask, the only plane.

    Args:
        shapes: numeric arrays of the file and their shapes, as a user of the format sees them.
        path: for messages.
        options: what the user said.
        grid: rows and columns that the file itself states.

    Raises:
        FileFormatError: no array, no such array, or several that could be meant; lists what is there.
    """
    shapes = {name: shape for name, shape in shapes.items() if _cells(shape) > 1}
    listed = ", ".join(f"{name} ({' x '.join(map(str, shape))})" for name, shape in shapes.items())
    if not shapes:
        raise FileFormatError(f"{path}: holds no array of numbers; expected an image cube or a mask")
    if options.variable is not None:
        if options.variable not in shapes:
            raise FileFormatError(f"{path}: there is no variable {options.variable!r}; it holds {listed}")
        return options.variable
    if len(shapes) == 1:
        return next(iter(shapes))

    grid = _given_grid(options) or grid
    n_bands = {name: _bands(shape, grid, options.layout) for name, shape in shapes.items()}
    if options.role == "mask":
        candidates = [name for name, shape in shapes.items() if n_bands[name] == 1 or _is_plane(shape)]
        on_grid = [name for name in candidates if grid in (shapes[name], shapes[name][:2], shapes[name][1:])]
        candidates = on_grid or candidates
    else:
        most = max(n_bands.values())
        candidates = [name for name, count in n_bands.items() if count == most and count > 0]
        if most == 0:
            candidates = [name for name, shape in shapes.items() if _is_plane(shape)]
    if len(candidates) != 1:
        option = "mask_variable" if options.role == "mask" else "variable"
        dated = options.role == "image" and len({shapes[name] for name in candidates}) == 1
        hint = f", or if they are dates of one place say dates= with {len(candidates)} labels" if dated else ""
        raise FileFormatError(
            f"{path}: several variables could be the {options.role}; it holds {listed}. "
            f"Name one with {option}={hint}"
        )
    return candidates[0]


def as_cube(
    array: Any,
    *,
    path: Path,
    name: str | None,
    options: ArrayOptions,
    grid: tuple[int, int] | None = None,
    order: Order,
    layout: Layout = "yxb",
) -> Any:
    """The array (NumPy or dask) as `(band, y, x)`.

    Args:
        array: 1 to 4 dimensions; the first of 4 is dates.
        path, name: for messages.
        options: what the user said.
        grid: rows and columns that the file states, used if the user gave none.
        order, layout: used if the user gave none.

    Raises:
        FileFormatError: too many dimensions, or a matrix that does not fit the given rows and columns.
    """
    what = f"{path}: variable {name}" if name else f"{path}: the array"
    array = _at_date(array, what=what, options=options)
    shape = tuple(array.shape)
    if len(shape) == 3:
        return array if layout_of(shape, options, layout) == "byx" else array.transpose(2, 0, 1)
    if len(shape) not in (1, 2):
        raise FileFormatError(
            f"{what} has {len(shape)} dimensions ({_shown(shape)}); expected rows, columns and bands, or dates, "
            "rows, columns and bands"
        )
    given = _given_grid(options)
    cells = given or grid
    used_order = options.order or order
    if len(shape) == 1:
        array, shape = array[None, :], (1, shape[0])
        if cells is None or shape[1] != cells[0] * cells[1]:
            raise FileFormatError(
                f"{what} is a list of {shape[1]} values; give the rows and columns of its grid"
            )
    if cells is None or shape == cells:
        return array[None]
    rows, columns = cells
    n_pixels = rows * columns
    if shape == (n_pixels, n_pixels):
        raise FileFormatError(f"{what} has as many bands as pixels ({n_pixels}); save it as a 3-D cube")
    if shape[1] == n_pixels:
        matrix = array
    elif shape[0] == n_pixels:
        matrix = array.T
    elif given is None:
        return array[None]  # the file states a grid for another of its arrays
    else:
        raise FileFormatError(
            f"{what} is {shape[0]} x {shape[1]}; with {rows} rows and {columns} columns one side must be "
            f"{n_pixels}"
        )
    if used_order == "F":
        return matrix.reshape(-1, columns, rows).swapaxes(1, 2)
    return matrix.reshape(-1, rows, columns)


def layout_of(shape: tuple[int, ...], options: ArrayOptions, layout: Layout = "yxb") -> Literal["yxb", "byx"]:
    """Order of the three dimensions of one date; `layout` if the user says none."""
    if options.role == "mask" and (shape[0] == 1) != (shape[2] == 1):
        return "byx" if shape[0] == 1 else "yxb"  # a mask has one band: its dimension of 1 is no guess
    return "byx" if (options.layout or layout) in ("byx", "dbyx") else "yxb"


def _at_date(array: Any, *, what: str, options: ArrayOptions) -> Any:
    """The date asked for, of an array with dates; any other array as it is."""
    shape = tuple(array.shape)
    if len(shape) != 4:
        return array
    if options.position is None:
        raise FileFormatError(
            f"{what} has 4 dimensions ({_shown(shape)}); if the first is dates say dates= with {shape[0]} labels "
            "(any words), else save it as rows, columns and bands"
        )
    return array[options.position]


def _given_grid(options: ArrayOptions) -> tuple[int, int] | None:
    if options.rows is None or options.columns is None:
        return None
    return int(options.rows), int(options.columns)


def _bands(shape: tuple[int, ...], grid: tuple[int, int] | None, layout: Layout | None) -> int:
    """Bands if this is a cube or a matrix flattened onto the grid, else 0."""
    if len(shape) in (3, 4):  # of 4 the first is dates
        return shape[-3] if layout in ("byx", "dbyx") else shape[-1]
    if len(shape) == 2 and grid is not None and shape != grid:
        n_pixels = grid[0] * grid[1]
        if shape[1] == n_pixels:
            return shape[0]
        if shape[0] == n_pixels:
            return shape[1]
    return 0


def _is_plane(shape: tuple[int, ...]) -> bool:
    return len([n for n in shape if n > 1]) == 2


def _shown(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _cells(shape: tuple[int, ...]) -> int:
    count = 1
    for n in shape:
        count *= n
    return count
