"""Judge synthetic tiles against real ones: which judges there are, and what is checked before."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from specdm.errors import TileError
from specdm.evaluation.amounts import check_endmembers, has_amounts, judge_amounts
from specdm.evaluation.case import Case
from specdm.evaluation.change import has_change, judge_change
from specdm.evaluation.classes import has_classes, judge_classes
from specdm.evaluation.copies import judge_copies
from specdm.evaluation.images import judge_images
from specdm.evaluation.looks import layer_groups
from specdm.evaluation.mask_fidelity import judge_masks
from specdm.evaluation.networks import EFFICIENTNET, check_network
from specdm.evaluation.picture_fidelity import has_network, judge_pictures
from specdm.evaluation.record import Evaluation
from specdm.evaluation.spectral_fidelity import judge_spectra
from specdm.evaluation.spectral_manifold import judge_manifold
from specdm.evaluation.views import Reconstructs
from specdm.tiles.alike import check_alike
from specdm.tiles.fingerprint import fingerprint
from specdm.tiles.tileset import TileSet
from specdm.version import __version__

if TYPE_CHECKING:
    import torch


class Judge(NamedTuple):
    """One way to judge tiles.

    Attributes:
        applies: whether the tiles have what it judges; if not, it adds nothing.
        judge: adds metrics, records, notes and settings.
        whole: whether it judges all layers of the masks at once; the others judge those of one sensor at a time.
    """

    applies: Callable[[Case], bool]
    judge: Callable[[Evaluation, Case], None]
    whole: bool = False


JUDGES = (
    Judge(lambda case: True, judge_images),
    Judge(has_classes, judge_classes),
    # after those whose numbers it adds intervals to
    Judge(lambda case: True, judge_spectra),
    Judge(lambda case: True, judge_manifold),
    Judge(has_classes, judge_masks),
    Judge(lambda case: True, judge_copies),
    Judge(has_network, judge_pictures, whole=True),
    Judge(has_change, judge_change, whole=True),
    Judge(has_amounts, judge_amounts, whole=True),
)


def evaluate(
    synthetic: TileSet,
    *,
    real: TileSet,
    model: Reconstructs | None = None,
    seed: int = 0,
    endmembers: np.ndarray | None = None,
    network: str | torch.nn.Module | None = EFFICIENTNET,
) -> Evaluation:
    """Judge synthetic tiles against the real ones they were learnt from.

    Everything is fitted on real *training* tiles: MNF components, the classifier, the principal components, end
    members. Memory is bounded whatever the number of tiles; of many tiles a part is judged, which the notes say.
    What is judged follows from what the tiles hold: images always, classes, change and amounts where there are any.
    Of the real tiles those of labelled scenes are the yardstick, since synthetic tiles are drawn to be like these; only
    copies are looked for in imagery that nobody labelled too.

    Args:
        synthetic: tiles of the split "synthetic"; all tiles of the set if it has none of that split.
        real: the whole real tile set, with its training tiles and, if there are, validation and test tiles.
        model: the model that drew them, to judge its codec and to hold synthetic tiles against what its codec
            can show at best; without it they are held against real tiles as they are.
        seed: of every draw.
        endmembers: spectra of the pure materials in the order of the abundances, `(quantity, band)` in the
            user's units, to unmix images with; default: estimated from the real training tiles.
        network: image network that pictures of the tiles are shown to: "efficientnet-lite0", "inception" (slow), or
            a module of your own that maps float32 `(n, 3, y, x)` in 0..1 to features `(n, d)`; None to leave it out.
            They need `pip install "specdm[fid]"` and `"specdm[inception]"`; without it a note says so.

    Returns:
        Numbers (explained in `specdm.evaluation.METRICS`), records of classes and quantities, and notes.

    Raises:
        TileError: a set has no tiles for this, the two differ in bands, wavelengths, dates, masks, classes or
            quantities, or the end members do not fit.
        SceneError: fewer than two real training pixels have data in every band.
        ConfigError: the image network is unknown.
        ModelError: the image network cannot be loaded, or gives no features.
    """
    prints = {"real": fingerprint(real), "synthetic": fingerprint(synthetic)}
    synthetic = synthetic.synthetic if (synthetic.split == "synthetic").any() else synthetic
    if not len(synthetic):
        raise TileError(f"{synthetic.where} has no tiles to judge; draw some with `specdm sample`")
    labelled = real.of_labelled_scenes()
    if not (labelled.split == "train").any():
        raise TileError(f"{real.where} has no training tiles; give the whole real tile set, as `specdm train` used it")
    check_alike(synthetic, real, advice="compare synthetic tiles with the real tiles their model was trained on")
    check_endmembers(endmembers, real)
    check_network(network)

    result = Evaluation(real=real, synthetic=synthetic, prints=prints)
    result.settings = {
        "seed": seed,
        "specdm": __version__,
        "task": real.task,
        "model": "given" if model is not None else "not given",
        "pixel policy": real.pixel_policy,
    }
    if real.note:
        result.note(real.note)
    if len(labelled) < len(real):
        result.note(
            f"{len(real) - len(labelled)} training tiles are of imagery without labels; figures are held against "
            "labelled scenes only, but copies are looked for among all training tiles"
        )
    groups = layer_groups(real)
    for place, layers in enumerate(groups):
        case = Case(synthetic, real, layers=layers, model=model, seed=seed, endmembers=endmembers, network=network)
        part = Evaluation()
        for judge in JUDGES:
            if judge.applies(case) and not (judge.whole and place):
                judge.judge(part, case)
        dates = ", ".join(map(str, case.real.date_labels))
        result.merge(part, about=dates if place else "")
        if len(groups) > 1 and not place:
            result.note(
                "dates of different sensors are judged one after the other; figures of images and classes that "
                f"name no date, and the shares of the classes, are of {dates}"
            )
    return result
