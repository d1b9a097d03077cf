"""Training tiles as tensors: a bounded, seeded part of a tile set, and their latents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch

from specdm.errors import TrainingError
from specdm.models.denoiser import JointDenoiser
from specdm.models.joint_model import EncodedTiles, JointModel
from specdm.models.pixels import Pixels
from specdm.models.streams import Stream, streams_of
from specdm.scenes.classes import UNLABELLED
from specdm.tiles.tileset import COUNT_BATCH, TileSet
from specdm.training.compositions import compositions, ground_composition
from specdm.training.draws import step_generator
from specdm.training.orientations import ORIENTATIONS, orient

CODEC_BYTES = 1_000_000_000
LATENT_BYTES = 1_500_000_000
ENCODED = 4
"""Orientations of a tile that are trained on; each batch of tiles has others, and encoding all takes long."""

SPARSE_SHARE = 0.002
"""Share of unlabelled pixels above which a mask's gaps are learnt; below it they are specks."""


def check_trainable(tiles: TileSet) -> None:
    """Raise TrainingError unless there are tiles and at least one labelled or known pixel in each stream."""
    if len(tiles) == 0:
        raise TrainingError(f"{tiles.where}: no training tile; expected at least one (split 'train')")
    if tiles.classes is None and tiles.quantities is None:
        raise TrainingError(
            f"{tiles.where}: no labelled pixel in {len(tiles)} training tiles, since there is no mask; give one"
        )
    for layer, name in enumerate(tiles.layers):
        if tiles.classes is None or tiles.label_counts_of(layer).sum() == 0:
            where = f" in the mask layer {name}" if len(tiles.layers) > 1 else ""
            raise TrainingError(
                f"{tiles.where}: no labelled pixel in {len(tiles)} training tiles{where}; give a mask that labels "
                "training ground, or another split"
            )
    if tiles.quantities is not None:
        known = known_counts(tiles)
        for name, count in zip(tiles.quantities.names, known, strict=True):
            if count == 0:
                raise TrainingError(
                    f"{tiles.where}: {name} is unknown in all pixels of {len(tiles)} training tiles; give values on "
                    "training ground, or another split"
                )


def known_counts(tiles: TileSet) -> np.ndarray:
    """Pixels with a known value, int64 `(quantities,)`."""
    counts = np.zeros(len(tiles.quantities or ()), np.int64)
    for start in range(0, len(tiles), COUNT_BATCH):
        counts += np.isfinite(tiles.amounts(slice(start, start + COUNT_BATCH))).sum(axis=(0, 2, 3))
    return counts


def load_part(tiles: TileSet, *, seed: int, max_bytes: int = CODEC_BYTES) -> Pixels:
    """All tiles, or as many as fit in `max_bytes` of float32, chosen as `some_tiles` does."""
    each = 4 * (tiles.n_dates * tiles.n_bands + len(tiles.quantities or ())) * tiles.size**2
    return training_pixels(tiles, some_tiles(tiles, most=max(1, max_bytes // each), seed=seed))


def some_tiles(tiles: TileSet, *, most: int, seed: int) -> np.ndarray:
    """Rising positions of all tiles, or of seeded random ones where there are more than `most`.

    At least half of those have masks that say anything, if there are as many: what reads or encodes masks learns from
    no others.
    """
    if len(tiles) <= most:
        return np.arange(len(tiles))
    tells = telling(tiles)
    random, labelled, others = np.random.default_rng(seed), np.flatnonzero(tells), np.flatnonzero(~tells)
    n = min(len(labelled), max(most - len(others), -(-most // 2)))
    chosen = [random.choice(labelled, n, replace=False), random.choice(others, most - n, replace=False)]
    return np.sort(np.concatenate(chosen))


def telling(tiles: TileSet) -> np.ndarray:
    """Tiles with any label or known amount, bool `(n,)`."""
    found = np.zeros(len(tiles), bool)
    for start in range(0, len(tiles), COUNT_BATCH):
        part = slice(start, start + COUNT_BATCH)
        for known in (tiles.masks(part) != UNLABELLED, np.isfinite(tiles.amounts(part))):
            found[part] |= known.any(axis=(1, 2, 3))
    return found


def to_pixels(tiles: TileSet, index: np.ndarray | slice) -> Pixels:
    """The tiles at `index`."""
    masks = tiles.masks(index)
    positions = np.full(masks.shape, -1, np.int64) if tiles.classes is None else tiles.classes.index_of(masks)
    return Pixels(
        torch.from_numpy(tiles.images(index)), torch.from_numpy(positions), torch.from_numpy(tiles.amounts(index))
    )


def training_pixels(tiles: TileSet, index: np.ndarray | slice) -> Pixels:
    """The tiles at `index`, those told apart that are of imagery nobody labelled."""
    annotated = torch.from_numpy(tiles.annotated[index])[:, None, None]
    return replace(to_pixels(tiles, index), annotated=None if bool(annotated.all()) else annotated)


def tile_streams(tiles: TileSet) -> tuple[Stream, ...]:
    """What a model of these tiles generates, each with a codec of its own kind."""
    sensors = None
    if tiles.date_sensor is not None:
        own = [tiles.bands_of(date) for date in range(tiles.n_dates)]
        sensors = [(int(bands[0]), int(bands[-1]) + 1) for bands in own]
    return streams_of(
        dates=tiles.dates,
        layers=tiles.layers,
        quantities=() if tiles.quantities is None else tiles.quantities.names,
        sum_to_one=tiles.quantities is not None and tiles.quantities.sum_to_one,
        sparse=sparse_layers(tiles),
        sensors=sensors,
    )


def sparse_layers(tiles: TileSet) -> list[str]:
    """Mask layers that leave more than `SPARSE_SHARE` of the pixels of labelled scenes unlabelled."""
    if tiles.classes is None:
        return []
    return [name for name, share in zip(tiles.layers, labelled_shares(tiles), strict=True) if share < 1 - SPARSE_SHARE]


def labelled_shares(tiles: TileSet) -> list[float]:
    """Share of labelled pixels of labelled scenes, for each mask layer."""
    tiles = tiles.of_labelled_scenes()
    return [float(tiles.label_counts_of(layer).sum()) / (len(tiles) * tiles.size**2) for layer in tiles.layers]


@dataclass(frozen=True)
class LatentTiles:
    """Everything the denoiser trains on; encoded once.

    Attributes:
        encoded: latents and what is known.
        compositions: `(n, parts)`, see `compositions`.
        shares: `(parts,)`, the same over the training ground, each pixel counted once.
    """

    encoded: EncodedTiles
    compositions: torch.Tensor
    shares: torch.Tensor

    def __len__(self) -> int:
        return len(self.encoded)


def encode_tiles(
    model: JointModel,
    tiles: TileSet,
    *,
    seed: int,
    batch_size: int = 64,
) -> LatentTiles:
    """Latents of all tiles in up to `ENCODED` of the eight orientations, as memory allows, drawn by seed.

    The codecs are convolutions that know up from down, so each orientation is encoded, not the latents turned.

    Args:
        model: with its codecs.
        tiles: of training.
        seed: of the orientations.
        batch_size: tiles at a time.
    """
    classes = len(tiles.classes or ())
    closed = tiles.quantities is not None and tiles.quantities.sum_to_one
    cells = (tiles.size // model.factor) ** 2
    each = 4 * cells * (sum(model.stream_channels) + len(model.stream_channels))
    count = int(np.clip(LATENT_BYTES // (each * max(1, len(tiles))), 1, ENCODED))
    latents, known, fractions = [], [], []
    for start in range(0, len(tiles), batch_size):
        part = training_pixels(tiles, slice(start, start + batch_size))
        rows = compositions(part, classes=classes, abundances=closed)
        if part.annotated is not None:
            # tiles are drawn as labelled scenes are
            rows = torch.where(part.annotated[:, 0], rows, float("nan"))
        generator = step_generator(seed, start)
        for orientation in torch.randperm(ORIENTATIONS, generator=generator)[:count].tolist():
            turned = part.apply(partial(orient, orientation=orientation))
            encoded = model.encode(turned.apply(lambda values: values.to(model.device)))
            latents.append(encoded.latents.cpu())
            known.append(encoded.known.cpu())
            fractions.append(rows)
    shares = torch.from_numpy(ground_composition(tiles.of_labelled_scenes())).float()
    return LatentTiles(EncodedTiles(torch.cat(latents), torch.cat(known)), torch.cat(fractions), shares)


def fit_latents(denoiser: JointDenoiser, tiles: LatentTiles, *, streams: Sequence[Stream]) -> LatentTiles:
    """Let a new denoiser standardise its streams by these tiles and give its noise their spectrum.

    Returns:
        The tiles as it will see them.
    """
    encoded = tiles.encoded
    denoiser.fit_latents(encoded.latents, encoded.known)
    encoded = EncodedTiles(denoiser.standardise(encoded.latents), encoded.known)
    images = [number for number, stream in enumerate(streams) if stream.kind == "image"]
    if denoiser.noise_reach:
        denoiser.fit_noise(encoded.latents, encoded.known, streams=images)
    return replace(tiles, encoded=encoded)
