"""Judge of spectra: values band by band, shapes class by class, and how sure the numbers are."""

from __future__ import annotations

from specdm.evaluation.band_distances import add_band_distances
from specdm.evaluation.case import Case
from specdm.evaluation.pixel_samples import Groups, synthetic_sample, training_sample
from specdm.evaluation.record import Evaluation
from specdm.evaluation.spectral_angles import add_angles
from specdm.evaluation.tile_intervals import add_intervals


def judge_spectra(result: Evaluation, case: Case) -> None:
    """Add distances of bands and angles, and intervals to the numbers of images and classes that are there."""
    groups = Groups.of(case)
    real, synthetic = training_sample(case, groups), synthetic_sample(case, groups)
    add_band_distances(result, real, synthetic, seed=case.seed)
    add_angles(result, case, groups, real, synthetic)
    add_intervals(result, case, synthetic)
    result.settings["pixels for bands and angles"] = f"{len(real.spectra)} real, {len(synthetic.spectra)} synthetic"
    result.settings["intervals"] = "95 %, bootstrap over synthetic tiles; real tiles stay as they are"
