"""Which array of a file is which, where data sets go round with names of their own: told by shape."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from specdm.errors import FileFormatError, SceneError

_BINARY = ("binary", "bin", "gt", "label", "map")


def arrays_of(path: Path) -> dict[str, tuple[int, ...]]:
    """Arrays of a MATLAB file (any version) and their shapes, in the order of their names.

    Raises:
        FileFormatError: it cannot be read.
    """
    from specdm.scenes.readers.detect import detect_format

    try:
        if detect_format(path) == "hdf5":
            import h5py

            with h5py.File(path) as file:
                found = {name: tuple(item.shape) for name, item in file.items() if isinstance(item, h5py.Dataset)}
        else:
            from scipy.io import whosmat

            found = {name: tuple(shape) for name, shape, _ in whosmat(str(path), appendmat=False)}
    except FileFormatError:
        raise
    except Exception as error:  # both libraries raise many kinds for damaged files
        raise FileFormatError(f"{path}: cannot be read, it is damaged or truncated; download it again") from error
    return dict(sorted(found.items()))


def pair_and_map(path: Path) -> tuple[list[str], str]:
    """Names of the two cubes, in order of their names, and of the binary change map, in one file.

    Raises:
        SceneError: there are not two cubes and a map.
    """
    shapes = arrays_of(path)
    cubes = [name for name, shape in shapes.items() if len([n for n in shape if n > 1]) == 3]
    planes = [name for name, shape in shapes.items() if len([n for n in shape if n > 1]) == 2]
    planes.sort(key=lambda name: next((i for i, word in enumerate(_BINARY) if word in name.lower()), len(_BINARY)))
    if len(cubes) != 2 or not planes:
        listed = ", ".join(f"{name} ({' x '.join(map(str, shape))})" for name, shape in shapes.items())
        raise SceneError(
            f"{path}: expected two image cubes and a change map, found {listed}; name them with variable= and "
            "mask_variable="
        )
    return cubes, planes[0]


def scale_to_one(path: Path, *, default: float) -> float:
    """1 over the file's own `maxValue` (values divided by it are reflectance), else 1 over the published one."""
    from scipy.io import loadmat

    shapes = arrays_of(path)
    if "maxValue" in shapes and int(np.prod(shapes["maxValue"])) == 1:
        found = float(np.ravel(loadmat(str(path), appendmat=False, variable_names=["maxValue"])["maxValue"])[0])
        if found > 0:
            return 1.0 / found
    return 1.0 / default


def names_by_counts(path: Path, counts: dict[str, int]) -> dict[int, str]:
    """Mask value -> class name, for maps that go round with either value meaning either class: told by their pixels.

    Args:
        path: a map of two values, 0 apart.
        counts: class name -> published number of pixels.

    Raises:
        SceneError: the numbers of pixels are others, so that nothing says which value is which class.
    """
    from specdm.scenes.readers import read_raster

    values, sizes = np.unique(np.asarray(read_raster(path, role="mask").values), return_counts=True)
    found = {int(value): int(size) for value, size in zip(values, sizes, strict=True)}
    by_size = {size: name for name, size in counts.items()}
    named = {value: by_size[size] for value, size in found.items() if size in by_size}
    if sorted(named.values()) != sorted(counts):
        listed = ", ".join(f"{value}: {size} px" for value, size in found.items())
        raise SceneError(
            f"{path}: copies of this map differ in which value means changed, and its pixels ({listed}) do not tell; "
            'say class_names={value: "unchanged", value: "changed"}'
        )
    return named
