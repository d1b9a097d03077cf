"""Training tiles as tensors: a bounded, seeded part of a tile set, and their latents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from specdm.errors import TrainingError
from specdm.models.joint_model import EncodedTiles, JointModel
from specdm.tiles.coverage import class_shares
from specdm.tiles.tileset import TileSet
from specdm.training.draws import step_generator
from specdm.training.orientations import ORIENTATIONS, orient

CODEC_BYTES = 1_000_000_000
LATENT_BYTES = 1_500_000_000
MIN_LABELLED_SHARE = 0.1


@dataclass(frozen=True)
class TileTensors:
    """Tiles in memory.

    Attributes:
        images: float32 `(n, date, bands, y, x)`, user's units, NaN where no data.
        positions: int64 `(n, layer, y, x)`, class positions, -1 where unlabelled.
    """

    images: torch.Tensor
    positions: torch.Tensor


def check_trainable(tiles: TileSet) -> None:
    """Raise TrainingError unless there are tiles and at least one labelled pixel."""
    if len(tiles) == 0:
        raise TrainingError(f"{tiles.where}: no training tile; expected at least one (split 'train')")
    if tiles.classes is None or tiles.label_counts().sum() == 0:
        raise TrainingError(
            f"{tiles.where}: no labelled pixel in {len(tiles)} training tiles; give a mask that labels training "
            "ground, or another split"
        )


def load_part(tiles: TileSet, *, seed: int, max_bytes: int = CODEC_BYTES) -> TileTensors:
    """All tiles, or as many seeded random ones as fit in `max_bytes` of float32."""
    each = 4 * tiles.n_dates * tiles.n_bands * tiles.size**2
    fits = max(1, max_bytes // each)
    chosen = np.arange(len(tiles))
    if len(tiles) > fits:
        chosen = np.sort(np.random.default_rng(seed).choice(len(tiles), fits, replace=False))
    return to_tensors(tiles, chosen)


def to_tensors(tiles: TileSet, index: np.ndarray | slice) -> TileTensors:
    """The tiles at `index`."""
    if tiles.classes is None:
        raise TrainingError(f"{tiles.where}: has no classes, expected labelled tiles")
    positions = tiles.classes.index_of(tiles.masks(index))
    return TileTensors(torch.from_numpy(tiles.images(index)), torch.from_numpy(positions))


def compositions(positions: torch.Tensor, *, classes: int) -> torch.Tensor:
    """Share of each class among a tile's labelled pixels, `(n, classes)`.

    NaN (not given) where less than a tenth of the tile is labelled: a few pixels say little about the rest.

    Args:
        positions: `(n, y, x)`.
    """
    one_hot = torch.nn.functional.one_hot(positions.clamp(min=0), classes) * (positions >= 0).unsqueeze(-1)
    counts = one_hot.sum(dim=(1, 2)).float()
    labelled = counts.sum(dim=1, keepdim=True)
    enough = labelled >= MIN_LABELLED_SHARE * positions[0].numel()
    return torch.where(enough & (labelled > 0), counts / labelled.clamp(min=1), float("nan"))


@dataclass(frozen=True)
class LatentTiles:
    """Everything the denoiser trains on; encoded once.

    Attributes:
        encoded: latents and what is known.
        compositions: `(n, classes)`.
        shares: `(classes,)`, of the classes over the training ground, each pixel counted once.
    """

    encoded: EncodedTiles
    compositions: torch.Tensor
    shares: torch.Tensor

    def __len__(self) -> int:
        return len(self.encoded)


def encode_tiles(model: JointModel, tiles: TileSet, *, seed: int, batch_size: int = 64) -> LatentTiles:
    """Latents of all tiles in as many of the eight orientations as memory allows, at least one, drawn by seed.

    The codecs are convolutions that know up from down, so each orientation is encoded, not the latents turned.
    """
    classes = len(tiles.classes or ())
    cells = (tiles.size // model.factor) ** 2
    each = 4 * cells * (sum(model.stream_channels) + len(model.stream_channels))
    count = int(np.clip(LATENT_BYTES // (each * max(1, len(tiles))), 1, ORIENTATIONS))
    latents, known, fractions = [], [], []
    for start in range(0, len(tiles), batch_size):
        part = to_tensors(tiles, slice(start, start + batch_size))
        generator = step_generator(seed, start)
        for orientation in torch.randperm(ORIENTATIONS, generator=generator)[:count].tolist():
            encoded = model.encode(
                orient(part.images, orientation).to(model.device), orient(part.positions, orientation).to(model.device)
            )
            latents.append(encoded.latents.cpu())
            known.append(encoded.known.cpu())
            fractions.append(compositions(part.positions[:, 0], classes=classes))
    shares = torch.from_numpy(class_shares(tiles))
    return LatentTiles(EncodedTiles(torch.cat(latents), torch.cat(known)), torch.cat(fractions), shares)
