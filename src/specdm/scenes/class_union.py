"""One list of classes for several scenes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from specdm.errors import MaskError
from specdm.scenes.classes import Classes, default_color

if TYPE_CHECKING:
    from specdm.scenes.scene import Scene


def union_of_classes(scenes: Sequence[Scene]) -> Classes | None:
    """All classes of all scenes by rising value, or None if no scene has a mask.

    A name that was only made up ("class 3") gives way to one that was given. Colours are those of the first
    scene that has the class, unless another class already has that colour.

    Raises:
        MaskError: a value has different names in two scenes.
    """
    names: dict[int, tuple[str, str]] = {}
    colors: dict[int, str] = {}
    for scene in scenes:
        classes = scene.classes
        if classes is None:
            continue
        for value, name, color in zip(classes.values, classes.names, classes.colors, strict=True):
            known, where = names.get(value, (f"class {value}", ""))
            if known == f"class {value}":
                names[value] = (name, scene.name)
            elif name not in (known, f"class {value}"):
                raise MaskError(
                    f"mask value {value} is {known!r} in {where} but {name!r} in {scene.name}; "
                    "give the scenes one list of classes"
                )
            colors.setdefault(value, color)
    if not names:
        return None
    values = sorted(names)
    free = (default_color(i) for i in range(2 * len(values) + 1))
    taken: set[str] = set()
    for value in values:
        while colors[value] in taken:
            colors[value] = next(free)
        taken.add(colors[value])
    return Classes.create(values, [names[value][0] for value in values], [colors[value] for value in values])
