"""What a call of `sample_scene` asks for, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from specdm.errors import ModelError, RunError
from specdm.models.composition_prior import CompositionPrior
from specdm.models.joint_model import JointModel
from specdm.models.mask_reader import MaskReader
from specdm.scenes.scene import Scene
from specdm.synthesis.canvas.files import file_names
from specdm.synthesis.canvas.ground import KnownGround, known_ground
from specdm.synthesis.composition import composition_row
from specdm.synthesis.facts import TileFacts

Margin = tuple[int, int, int, int]
"""Pixels above, right of, below and left of a scene."""


@dataclass(frozen=True)
class SceneOrder:
    """A scene that the model can draw.

    Attributes:
        height, width: in pixels.
        composition: `(parts,)` everywhere, or None.
        known: ground that is known, or None.
    """

    height: int
    width: int
    composition: torch.Tensor | None
    known: KnownGround | None


def checked_scene_order(
    *,
    model: JointModel,
    facts: TileFacts,
    prior: CompositionPrior,
    reader: MaskReader | None,
    height: int | None,
    width: int | None,
    known_scene: Scene | None,
    margin: Sequence[int],
    known: Sequence[str] | None,
    area: np.ndarray | None,
    composition: Mapping[str, float] | None,
    overlap: float,
    numbers: Mapping[str, int],
) -> SceneOrder:
    """Options of `SpecDMPipeline.sample_scene` made into an order.

    Raises:
        ModelError: an option is out of range, or options contradict each other.
        SceneError, MaskError: the scene does not fit the model.
    """
    if any(stream.kind == "pair" for stream in model.streams):
        raise ModelError(
            "this model encodes image and mask together (preset ldm) and draws tiles only; train another preset"
        )
    for name, value in numbers.items():
        lowest = 0 if name == "seed" else 1
        if value < lowest:
            raise ModelError(f"{name} is {value}, expected at least {lowest}")
    if not 0 <= overlap < 1:
        raise ModelError(f"overlap is {overlap}, expected a share of a window from 0 up to but without 1")
    sides = tuple(int(side) for side in margin)
    if len(sides) != 4 or min(sides) < 0:
        raise ModelError(f"margin is {tuple(margin)}, expected pixels at the top, right, bottom and left, 0 or more")
    ground = None
    if known_scene is None:
        if known is not None or area is not None or any(sides):
            raise ModelError("known, area and margin are about a scene to extend; say which with known_scene")
        if height is None or width is None:
            raise ModelError("height and width are not given, expected the size of the scene in pixels")
    else:
        if height is not None or width is not None:
            raise ModelError("a scene that is extended has a size; say by how much with margin, not height and width")
        height, width = known_scene.height + sides[0] + sides[2], known_scene.width + sides[1] + sides[3]
        ground = known_ground(
            known_scene, margin=sides, known=known, area=area, model=model, facts=facts, reader=reader  # type: ignore[arg-type]
        )
    if min(height, width) < facts.size:
        raise ModelError(
            f"a scene of {height} x {width} px is smaller than the model's tiles; expected at least {facts.size} px "
            "each way"
        )
    row = None if composition is None else composition_row(composition, groups=facts.parts, prior=prior)
    return SceneOrder(height, width, row, ground)


def check_place(path: Path, facts: TileFacts, *, overwrite: bool) -> None:
    """Make sure that a scene can be written there.

    Raises:
        ConfigError: another kind of file than scenes are written to.
        RunError: one of its files is there already, or is no file.
    """
    for name in file_names(path, facts):
        file = path.parent / name
        if file.exists() and not (overwrite and file.is_file()):
            raise RunError(f"{file} exists already; choose another name, or add --overwrite to replace it")
