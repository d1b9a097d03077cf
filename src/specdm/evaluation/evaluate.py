"""Judge synthetic tiles against real ones: the order of the judgements, and what is checked before."""

from __future__ import annotations

import numpy as np

from specdm.errors import TileError
from specdm.evaluation.codec import NO_MODEL, judge_heldout, judge_training
from specdm.evaluation.generated import judge_floor, judge_generated
from specdm.evaluation.record import Evaluation
from specdm.evaluation.reference import Reference
from specdm.evaluation.views import Reconstructs
from specdm.tiles.tileset import TileSet
from specdm.version import __version__

SAME_WAVELENGTH_NM = 0.5


def evaluate(
    synthetic: TileSet, *, real: TileSet, model: Reconstructs | None = None, seed: int = 0
) -> Evaluation:
    """Judge synthetic tiles against the real ones they were learnt from.

    Everything is fitted on real *training* tiles: MNF components, the classifier, the principal components.
    Memory is bounded whatever the number of tiles; of many tiles a part is judged, which the notes say.

    Args:
        synthetic: tiles of the split "synthetic"; all tiles of the set if it has none of that split.
        real: the whole real tile set, with its training tiles and, if there are, validation and test tiles.
        model: the model that drew them, to judge its codec and to hold synthetic tiles against what its codec
            can show at best; without it they are held against real tiles as they are.
        seed: of every draw.

    Returns:
        Numbers (explained in `specdm.evaluation.METRICS`), class records and notes.

    Raises:
        TileError: a set has no tiles for this, or the two differ in bands, wavelengths, dates or classes.
        SceneError: fewer than two real training pixels have data in every band.
    """
    synthetic = synthetic.synthetic if (synthetic.split == "synthetic").any() else synthetic
    train = real.train
    if not len(synthetic):
        raise TileError(f"{synthetic.where} has no tiles to judge; draw some with `specdm sample`")
    if not len(train):
        raise TileError(
            f"{real.where} has no training tiles; give the whole real tile set, as `specdm train` used it"
        )
    _check_alike(synthetic, real)

    result = Evaluation(real=real, synthetic=synthetic)
    result.settings = {
        "seed": seed,
        "specdm": __version__,
        "model": "given" if model is not None else "not given",
    }
    reference = Reference.fit(train, seed=seed)
    real_texture, ceiling = judge_training(result, reference, model, seed=seed)
    judge_generated(result, synthetic, reference, real_texture=real_texture, ceiling=ceiling, seed=seed)
    if model is None:
        for key in ("spectral_angle_deg", "mask_accuracy", "lda_ratio"):
            result.add(f"codec.{key}", None, why_not=NO_MODEL)
    else:
        judge_heldout(result, real, reference, model)
    judge_floor(result, real, reference, seed=seed)
    result.add("real.training_tiles", len(train))
    result.add("real.training_pixels", reference.ground_pixels)
    result.add("real.labelled_pixels", int(reference.ground_counts.sum()))
    result.settings |= {
        "features": f"MNF, {reference.features.components} components, fitted on real training tiles",
        "classifier": "linear discriminant analysis of single spectra in these components, fitted on real "
        "training pixels, each pixel of ground once",
        "Fréchet distance": "2-Wasserstein, Gaussian, in "
        f"{reference.space.components if reference.space else 0} principal components of real training "
        "spectra, each of unit variance",
        "real class shares, spectra and spread": "of real training tiles, each pixel of ground once",
        "pixel policy": real.pixel_policy,
    }
    return result


def _check_alike(synthetic: TileSet, real: TileSet) -> None:
    """Raise TileError if the two cannot be compared, naming the first difference."""
    found: tuple[object, object] | None = None
    what = ""
    if synthetic.n_bands != real.n_bands or synthetic.n_dates != real.n_dates:
        what = "images"
        found = tuple(f"{one.n_dates} dates of {one.n_bands} bands" for one in (synthetic, real))  # type: ignore[assignment]
    elif not _same_wavelengths(synthetic.wavelength, real.wavelength):
        what = "wavelengths"
        found = _wavelengths(synthetic.wavelength), _wavelengths(real.wavelength)
    elif _classes(synthetic) != _classes(real):
        what = "classes"
        found = tuple(  # type: ignore[assignment]
            ", ".join(f"{name} ({value})" for value, name in sorted(_classes(one))) or "none"
            for one in (synthetic, real)
        )
    if found:
        raise TileError(
            f"the {what} of {synthetic.where} are {found[0]}, those of {real.where} are {found[1]}; "
            "compare synthetic tiles with the real tiles their model was trained on"
        )


def _same_wavelengths(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    if one is None or other is None:
        return one is other
    return bool(np.allclose(one, other, rtol=0, atol=SAME_WAVELENGTH_NM))


def _wavelengths(wavelength: np.ndarray | None) -> str:
    return "unknown" if wavelength is None else f"{wavelength[0]:g} to {wavelength[-1]:g} nm"


def _classes(tiles: TileSet) -> tuple[tuple[int, str], ...]:
    # order counts: positions of one set must mean the same in the other
    return tuple(zip(tiles.classes.values, tiles.classes.names, strict=True)) if tiles.classes else ()
