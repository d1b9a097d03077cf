"""Imagery that nobody labelled, beside labelled scenes: told apart from them, and planned for training alone.

It must not change anything else: labelled scenes are split into the same tiles with and without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from specdm.errors import TileError
from specdm.scenes.collection import SceneCollection
from specdm.scenes.imagery import imagery_like
from specdm.scenes.scene import Scene
from specdm.tiles.splits import TilePlan, plan_none

Scenes = Scene | SceneCollection | Sequence[Scene]
MOST_NAMED = 3


def told_apart(
    scenes: Scenes, unlabelled: Scenes, *, split: str | Mapping[str, Sequence[str]]
) -> tuple[list[Scene], list[Scene]]:
    """Scenes to be split, and imagery that only trains; all with common bands and classes.

    A scene that nobody labelled (`Scene.annotated`) counts as such imagery, unless `split` puts it into validation or
    test, or no scene is labelled at all.

    Args:
        scenes: at least one.
        unlabelled: further imagery; only its images are used.
        split: as in `tile_scenes`.

    Raises:
        TileError: no scene.
        SceneError, MaskError: scenes that do not go together.
    """
    given, imagery = _listed(scenes), _listed(unlabelled)
    if not given:
        raise TileError("there is no scene to tile; give at least one")
    if any(scene.annotated for scene in given):
        held = {name for part, names in _by_part(split).items() if part != "train" for name in names}
        imagery = [s for s in given if not (s.annotated or s.name in held)] + imagery
        given = [scene for scene in given if scene.annotated or scene.name in held]
    if len(given) > 1:
        given = list(SceneCollection.create(given, name="scenes"))
    if not imagery:
        return given, []
    together = [*given, *(imagery_like(scene, given[0]) for scene in imagery)]
    agreeing = list(SceneCollection.create(together, name="scenes"))
    return agreeing[: len(given)], agreeing[len(given) :]


def without(split: str | Mapping[str, Sequence[str]], imagery: Sequence[Scene]) -> str | Mapping[str, Sequence[str]]:
    """The split without the names of imagery that is not split anyway."""
    if not isinstance(split, Mapping) or not imagery:
        return split
    names = {scene.name for scene in imagery}
    return {part: [name for name in own if name not in names] for part, own in _by_part(split).items()}


def with_imagery(
    plan: TilePlan,
    imagery: Sequence[Scene],
    *,
    first: int,
    size: int,
    stride: int,
    most: int | None,
    rng: np.random.Generator,
) -> TilePlan:
    """A plan of labelled scenes with training windows of further imagery.

    Args:
        plan: of the labelled scenes.
        imagery: at least one scene.
        first: number of the first of them among all scenes.
        size, stride: pixels of a tile, and between its windows.
        most: keep a random choice of this many windows; None for all.
        rng: of the choice.
    """
    more = plan_none(imagery, size=size, stride=stride)
    if most is not None and len(more.scene) > most:
        more = more.take(np.sort(rng.choice(len(more.scene), most, replace=False)))
    names = [scene.name for scene in imagery]
    few = ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else "")
    note = f"imagery without labels is in training tiles only ({few}): it teaches what images look like, no mask"
    return TilePlan(
        np.concatenate([plan.scene, more.scene + first]),
        np.concatenate([plan.yx, more.yx]),
        np.concatenate([plan.split, more.split]),
        plan.blocks,
        [*plan.notes, note],
    )


def _by_part(split: str | Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Names of scenes by part, of a split by name; else nothing."""
    if not isinstance(split, Mapping):
        return {}
    return {part: [own] if isinstance(own, str) else list(own) for part, own in split.items()}


def _listed(scenes: Scenes) -> list[Scene]:
    return [scenes] if isinstance(scenes, Scene) else list(scenes)
