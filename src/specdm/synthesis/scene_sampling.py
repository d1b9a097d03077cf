"""The part of the pipeline that draws scenes larger than a tile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from specdm.models.composition_prior import CompositionPrior
from specdm.models.drawing import Drawing
from specdm.models.joint_model import JointModel
from specdm.models.mask_reader import MaskReader
from specdm.models.spectral_calibration import SpectralCalibration
from specdm.scenes.scene import Scene
from specdm.synthesis.canvas.order import Margin, check_place, checked_scene_order
from specdm.synthesis.canvas.sampling import SceneSampler
from specdm.synthesis.facts import TileFacts
from specdm.synthesis.sampling_defaults import SamplingDefaults

Callback = Callable[[int, int], None]


class _Pipeline(Protocol):
    """What `SceneSampling` needs of the pipeline that it is a part of."""

    model: JointModel
    prior: CompositionPrior
    facts: TileFacts
    defaults: SamplingDefaults
    calibration: SpectralCalibration | None
    reader: MaskReader | None

    @property
    def model_id(self) -> str: ...

    def drawing(
        self, *, steps: int | None = None, guidance: float | None = None, composition_strength: float | None = None
    ) -> Drawing: ...


class SceneSampling:
    """Draws scenes of any size, and extends real ones."""

    def sample_scene(
        self: _Pipeline,
        *,
        path: str | Path,
        height: int | None = None,
        width: int | None = None,
        seed: int = 0,
        overlap: float = 0.5,
        composition: Mapping[str, float] | None = None,
        known_scene: Scene | None = None,
        margin: Margin = (0, 0, 0, 0),
        known: Sequence[str] | None = None,
        area: np.ndarray | None = None,
        steps: int | None = None,
        guidance: float | None = None,
        composition_strength: float | None = None,
        sensor_noise: bool | None = None,
        calibrated: bool = True,
        dense: bool | None = None,
        batch_size: int = 32,
        overwrite: bool = False,
        callback: Callback | None = None,
    ) -> Scene:
        """A scene of any size, seamless and in bounded memory, or a given one extended; see `synthesis.canvas`.

        Args:
            path: file to write: `.nc`, or `.tif` with masks in files beside it.
            height, width: in pixels, at least a tile's; not with `known_scene`.
            seed: what is drawn at a place depends on the model, the options, the seed and the place.
            overlap: share of a window of a tile's size that the next covers too, 0 up to but without 1.
            composition: of all windows, as in `sample`. Default: a training tile's for each tile's size of ground.
            known_scene: a real scene that the drawn one continues; NaN in its images is drawn too.
            margin: pixels to add above, right of, below and left of it.
            known: what of it is known, as in `sample`; default: its image and, if it has one, its mask.
            area: boolean `(y, x)` of its size, ground of it that is known; default: all.
            steps, guidance, composition_strength, sensor_noise, calibrated, dense: as in `sample`.
            batch_size: windows at once; changes memory, and the scene no more than it does tiles.
            overwrite: replace files that are there.
            callback: called with (done, all).

        Returns:
            The scene, lazily from its file. It lies where the known scene does, if that lies anywhere.

        Raises:
            ConfigError: the file's ending is unknown.
            ModelError: an option is out of range, or everything is known.
            SceneError, MaskError: the known scene does not fit the model.
            RunError: a file is there already, or the place is not writable.
        """
        check_place(Path(path), self.facts, overwrite=overwrite)
        numbers = {"seed": seed, "batch_size": batch_size, "steps": self.defaults.steps if steps is None else steps}
        order = checked_scene_order(
            model=self.model, facts=self.facts, prior=self.prior, height=height, width=width, known_scene=known_scene,
            margin=margin, known=known, area=area, composition=composition, overlap=overlap, numbers=numbers,
            reader=self.reader,
        )  # fmt: skip
        sampler = SceneSampler(
            self.drawing(steps=steps, guidance=guidance, composition_strength=composition_strength),
            self.prior,
            self.facts,
            self.reader,
            self.calibration if calibrated else None,
            sensor_noise=self.defaults.sensor_noise if sensor_noise is None else sensor_noise,
            dense=self.defaults.dense if dense is None else dense,
            overlap=overlap,
            batch_size=batch_size,
            model_id=self.model_id,
        )
        return sampler.write(order, Path(path), seed=seed, callback=callback)
