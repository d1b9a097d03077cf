"""Fields of a class map turned into other classes, filled with real pixels of those classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from specdm.errors import SceneError

MARGIN_PX = 3
"""How far unlabelled ground beside a field may be its margin: maps are drawn well inside of fields."""

NEAR_BEST = 0.9
"""Places that cover at least this share of what the best place covers are drawn from alike."""

SEARCHED_PX = 256
"""Side of the ground in which pixels for a field are looked for: on a larger map the time goes with its fields."""


@dataclass(frozen=True)
class ChangedFields:
    """Which ground changes, into what, and where its pixels come from.

    Attributes:
        labels: class positions after the change, `(y, x)`, -1 where unlabelled.
        donor: flat position of the pixel that each pixel is taken from, `(y, x)`; its own where nothing changes.
        fields: how many fields change.
    """

    labels: np.ndarray
    donor: np.ndarray
    fields: int


def change_fields(
    labels: np.ndarray, image: np.ndarray, *, share: float, least_field: int, random: np.random.Generator
) -> ChangedFields:
    """Turn whole fields into other classes until about a share of the labelled ground has changed.

    A field is a connected piece (also over corners) of one class. Fields are drawn at random and left out if they
    would overshoot; each becomes a class drawn alike from the others that have at least half as many pixels.
    It is filled in pieces: the class's real pixels, turned or mirrored, laid over the field where they cover most
    of it, then over what is still open, so that pixels keep their neighbours. Unlabelled ground beside a field
    that looks like the field changes with it and stays unlabelled; otherwise the old crop would frame the new.

    Args:
        labels: class positions `(y, x)`, -1 where unlabelled.
        image: `(band, y, x)`, any units; pixels with a NaN in any band are not taken from.
        share: of the labelled pixels to change, between 0 and 1.
        least_field: fields of fewer pixels stay.
        random: draws fields, classes and places.

    Raises:
        SceneError: there is no field to change, or no class to change into.
    """
    valid = np.isfinite(image).all(axis=0)
    pieces = _fields(labels, least=least_field)
    wanted = share * (labels >= 0).sum()
    counts = np.array([((labels == c) & valid).sum() for c in range(int(labels.max()) + 1)])
    after, donor = labels.copy(), np.arange(labels.size).reshape(labels.shape)
    changed = fields = 0
    for number in random.permutation(len(pieces)):
        field = pieces[number]
        size = int(field.inside.sum())
        others = np.flatnonzero((counts >= size / 2) & (np.arange(len(counts)) != field.position))
        # a field that takes the share a little beyond what is asked is still nearer than none
        if not others.size or changed + size / 2 > wanted:
            continue
        new = int(random.choice(others))
        _fill(_with_margin(field, labels, image), (labels == new) & valid, donor, random=random)
        after[field.box][field.inside] = new
        changed, fields = changed + size, fields + 1
    if not fields:
        raise SceneError(
            f"none of {len(pieces)} fields of at least {least_field} px can be turned into another class to change "
            f"{share:.0%} of {(labels >= 0).sum()} labelled pixels; ask for a larger share or smaller fields"
        )
    return ChangedFields(labels=after, donor=donor, fields=fields)


@dataclass(frozen=True)
class _Field:
    """A piece of ground of one class.

    Attributes:
        position: of the class.
        box: rows and columns of the map that hold it.
        inside: which pixels of the box are its own, bool `(y, x)`.
    """

    position: int
    box: tuple[slice, slice]
    inside: np.ndarray


def _fields(labels: np.ndarray, *, least: int) -> list[_Field]:
    """Each connected piece of one class of at least that many pixels."""
    from scipy.ndimage import find_objects, label

    found = []
    for position in np.unique(labels[labels >= 0]):
        pieces, _ = label(labels == position, structure=np.ones((3, 3)))
        parts = ((box, pieces[box] == i) for i, box in enumerate(find_objects(pieces), 1))
        found += [_Field(int(position), box, inside) for box, inside in parts if inside.sum() >= least]
    return found


def _with_margin(field: _Field, labels: np.ndarray, image: np.ndarray) -> _Field:
    """The field and the unlabelled ground within `MARGIN_PX` that differs from it no more than it does in itself."""
    from scipy.ndimage import binary_dilation

    pixels = image[:, *field.box][:, field.inside].astype(np.float64)
    mean, spread = pixels.mean(axis=1), np.maximum(pixels.std(axis=1), 1e-9)
    rows, columns = (
        slice(max(0, side.start - MARGIN_PX), min(extent, side.stop + MARGIN_PX))
        for side, extent in zip(field.box, labels.shape, strict=True)
    )
    own = np.zeros((rows.stop - rows.start, columns.stop - columns.start), bool)
    own[tuple(slice(a.start - b.start, a.stop - b.start) for a, b in zip(field.box, (rows, columns), strict=True))] = (
        field.inside
    )
    with np.errstate(invalid="ignore"):
        distance = np.square((image[:, rows, columns] - mean[:, None, None]) / spread[:, None, None]).mean(axis=0)
    alike = (labels[rows, columns] < 0) & (distance <= np.nanquantile(distance[own], 0.98))
    grown = binary_dilation(own, np.ones((3, 3)), iterations=MARGIN_PX, mask=alike | own)
    box, inside = _trimmed(grown)
    return _Field(field.position, (_moved(box[0], rows.start), _moved(box[1], columns.start)), inside)


def _trimmed(inside: np.ndarray) -> tuple[tuple[slice, slice], np.ndarray]:
    from scipy.ndimage import find_objects

    (box,) = find_objects(inside.astype(np.uint8))
    return box, inside[box]


def _moved(side: slice, by: int) -> slice:
    return slice(side.start + by, side.stop + by)


def _fill(field: _Field, donors: np.ndarray, donor: np.ndarray, *, random: np.random.Generator) -> None:
    """Write into `donor`, within the field, the flat positions of donor pixels, piece by piece."""
    hole = field.inside.copy()
    around = _searched(donors, random=random)
    positions = np.arange(donors.size).reshape(donors.shape)[around]
    donors = donors[around]
    while hole.any():
        places = [(turn, *_coverage(hole, _turned(donors, turn))) for turn in range(8)]
        best = max(cover.max() for _, cover, _ in places)
        choices = [(turn, y, x) for turn, cover, _ in places for y, x in np.argwhere(cover >= NEAR_BEST * best)]
        turn, y, x = choices[int(random.integers(len(choices)))]
        margin = places[turn][2]
        there = tuple(slice(at, at + extent) for at, extent in zip((y, x), hole.shape, strict=True))
        covered = hole & np.pad(_turned(donors, turn), margin)[there]
        donor[field.box][covered] = np.pad(_turned(positions, turn), margin)[there][covered]
        hole &= ~covered


def _searched(donors: np.ndarray, *, random: np.random.Generator) -> tuple[slice, slice]:
    """Where donors are looked for: everywhere, or around one of them where the map is large."""
    if max(donors.shape) <= SEARCHED_PX:
        return slice(None), slice(None)
    places = np.flatnonzero(donors)
    middle = np.unravel_index(places[int(random.integers(len(places)))], donors.shape)
    first = [
        int(np.clip(at - SEARCHED_PX // 2, 0, max(0, extent - SEARCHED_PX)))
        for at, extent in zip(middle, donors.shape, strict=True)
    ]
    return slice(first[0], first[0] + SEARCHED_PX), slice(first[1], first[1] + SEARCHED_PX)


def _coverage(hole: np.ndarray, donors: np.ndarray) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """How many pixels of the hole donors cover with its corner at each place of the padded map, and the padding."""
    from scipy.signal import fftconvolve

    margin = [(extent - 1, extent - 1) for extent in hole.shape]
    padded = np.pad(donors, margin).astype(np.float32)
    cover = fftconvolve(padded, hole[::-1, ::-1].astype(np.float32), mode="valid")
    return np.rint(cover).astype(np.int64), margin


def _turned(array: np.ndarray, turn: int) -> np.ndarray:
    """One of the eight orientations of a map."""
    turned = np.rot90(array, turn % 4)
    return turned[:, ::-1] if turn >= 4 else turned
