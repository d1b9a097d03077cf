"""What the codecs lose, on held-out real tiles and in the texture of training tiles."""

from __future__ import annotations

import numpy as np

from specdm.evaluation.reading import evenly, most_tiles, some
from specdm.evaluation.record import Evaluation
from specdm.evaluation.reference import Reference
from specdm.evaluation.texture import LAGS, texture
from specdm.evaluation.views import Reconstructs, codec_view, view
from specdm.tiles.tileset import TileSet

TILE_LIMIT, PIXEL_LIMIT = 256, 524_288
"""Most tiles, and pixels in them, that go through the codec."""

NO_MODEL = "no model was given, so nothing could be sent through its codec"
NO_HELDOUT_LABEL = "no held-out pixel is labelled"
ONE_CLASS = "fewer than two classes are labelled in training tiles"


def judge_heldout(result: Evaluation, real: TileSet, reference: Reference, model: Reconstructs) -> None:
    """Add `codec.spectral_angle_deg`, `codec.mask_accuracy` and `codec.lda_*` from held-out real tiles."""
    keys = ("codec.spectral_angle_deg", "codec.mask_accuracy")
    lda_keys = ("codec.lda_accuracy_original", "codec.lda_accuracy_reconstructed", "codec.lda_ratio")
    heldout = np.flatnonzero(np.isin(real.split, ("val", "test")))
    heldout = heldout[evenly(len(heldout), _most(real))]
    if not heldout.size:
        for key in (*keys, *lda_keys):
            result.add(key, None, why_not="there are no validation or test tiles")
        return
    seen = codec_view(real, heldout, model=model, features=reference.features)
    result.add(keys[0], seen.angle_sum / seen.angle_count if seen.angle_count else None)
    labelled = seen.labels >= 0
    right = (seen.decoded_labels == seen.labels)[labelled]
    result.add(keys[1], right.mean() if right.size else None, why_not=NO_HELDOUT_LABEL)
    result.settings["codec held-out tiles"] = len(heldout)

    for split in ("test", "val"):
        there = (real.split[heldout] == split)[:, None, None] & labelled
        if there.any():
            break
    result.settings["codec.lda on split"] = split
    if reference.judge is None or not there.any():
        why = ONE_CLASS if there.any() else NO_HELDOUT_LABEL
        for key in lda_keys:
            result.add(key, None, why_not=why)
        return
    labels = np.where(there, seen.labels, -1)
    before = reference.judge.agreement(seen.features, labels)
    after = reference.judge.agreement(seen.decoded_features, labels)
    result.add(lda_keys[0], before.share)
    result.add(lda_keys[1], after.share)
    result.add(lda_keys[2], after.share / before.share if before.share > 0 else None)


def judge_training(
    result: Evaluation, reference: Reference, model: Reconstructs | None, *, seed: int
) -> tuple[dict[int, float], float | None]:
    """Add `codec.texture_ratio_lag*`, and find what synthetic tiles are held against.

    Returns:
        Texture by lag, and the classifier's agreement (None without classes), of real training tiles after
        the codec; of the tiles as they are if there is no model.
    """
    tiles = reference.tiles
    index = some(len(tiles), _most(tiles), random=np.random.default_rng(seed))
    result.settings["real training tiles for texture and ceiling"] = len(index)
    result.settings["texture and ceiling on"] = "original tiles" if model is None else "reconstructed tiles"
    if model is None:
        plain = view(tiles, index, features=reference.features, seed=seed)
        for lag in LAGS:
            result.add(f"codec.texture_ratio_lag{lag}", None, why_not=NO_MODEL)
        return texture(plain.features), _ceiling(reference, plain.features, plain.labels)
    seen = codec_view(tiles, index, model=model, features=reference.features)
    before, after = texture(seen.features), texture(seen.decoded_features)
    for lag, original in before.items():
        result.add(
            f"codec.texture_ratio_lag{lag}",
            after[lag] / original if original > 0 else None,
            why_not=f"tiles are not wider than {lag} px, or have no texture",
        )
    return after, _ceiling(reference, seen.decoded_features, seen.labels)


def _ceiling(reference: Reference, features: np.ndarray, labels: np.ndarray) -> float | None:
    return None if reference.judge is None else reference.judge.agreement(features, labels).share


def _most(tiles: TileSet) -> int:
    return most_tiles(tiles, tile_limit=TILE_LIMIT, pixel_limit=PIXEL_LIMIT)
