"""What sampling does when not told otherwise; stored with the model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SamplingDefaults:
    """What `SpecDMPipeline.sample` does when not told otherwise.

    Attributes:
        steps: solver steps of each stage.
        level_shift: of the solver's grid of noise levels, for images.
        mask_level_shift: the same for masks, which are drawn before the images.
        masks_first: masks before images; else both together, as they were trained.
        guidance: strength by which images are pulled towards masks, and masks towards images and the composition.
        composition_strength: how far masks are pulled to the shares of their composition, 0 to 1.
        mask_coherence: log odds that agreeing neighbours add to the classes of drawn masks; fitted after training.
        sensor_noise: whether noise of the sensor's covariance is put back on decoded images.
        dense: whether all ground is labelled, also what real masks would leave unlabelled.
    """

    steps: int = 8
    level_shift: float = 2.0
    mask_level_shift: float = 2.0
    masks_first: bool = True
    guidance: float = 0.8
    composition_strength: float = 1.0
    mask_coherence: float = 0.0
    sensor_noise: bool = True
    dense: bool = False
