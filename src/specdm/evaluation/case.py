"""One comparison of synthetic with real tiles: what several judges look at, each computed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from specdm.evaluation.looks import Looks
from specdm.evaluation.reading import evenly, most_tiles, some
from specdm.evaluation.reference import Reference
from specdm.evaluation.views import CodecView, Reconstructs, View, codec_view, view
from specdm.tiles.tileset import TileSet

if TYPE_CHECKING:
    import torch

CODEC_TILES, CODEC_PIXELS = 256, 524_288
"""Most tiles, and pixels in them, that go through the codec."""

SYNTHETIC_TILES, SYNTHETIC_PIXELS = 2048, 2_097_152
"""Most synthetic tiles, and pixels in them, whose images are judged; labels are counted over all tiles."""

NO_MODEL = "no model was given, so nothing could be sent through its codec"
NO_HELDOUT = "there are no validation or test tiles"


@dataclass(frozen=True)
class Training:
    """Real training tiles as synthetic ones can be at best: after the codec, as they are without a model.

    Attributes:
        features: `(n, y, x, component)`.
        original: the same as they are; None without a model.
        labels: class positions `(n, y, x)`, -1 where unlabelled.
        tiles: how many tiles.
    """

    features: np.ndarray
    original: np.ndarray | None
    labels: np.ndarray
    tiles: int


class Case:
    """Synthetic and real tiles looked at through some layers of their masks.

    Attributes:
        synthetic, real, train: looks at the synthetic, at all real and at the real training tiles; without imagery
            that nobody labelled.
        everything: looks at all real tiles, with such imagery: what could have been copied.
        model: to send tiles through its codecs, or None.
        seed: of every draw.
        endmembers: given spectra of pure materials `(quantity, channel)`, or None.
        network: image network that pictures of the tiles are shown to, see `load_network`; None for none.
    """

    def __init__(
        self,
        synthetic: TileSet,
        real: TileSet,
        *,
        layers: tuple[int, ...],
        model: Reconstructs | None,
        seed: int,
        endmembers: np.ndarray | None = None,
        network: str | torch.nn.Module | None = None,
    ) -> None:
        labelled = real.of_labelled_scenes()
        self.synthetic, self.real, self.train, self.everything = (
            Looks(tiles, layers) for tiles in (synthetic, labelled, labelled.train, real)
        )
        self.model, self.seed, self.endmembers, self.network = model, seed, endmembers, network

    @cached_property
    def reference(self) -> Reference:
        return Reference.fit(self.train, seed=self.seed)

    @cached_property
    def training(self) -> Training:
        """Some real training tiles, through the codec if there is a model."""
        looks, features = self.train, self.reference.features
        most = max(1, self._most(looks.tiles) // looks.kinds)
        index = some(len(looks.tiles), most, random=np.random.default_rng(self.seed))
        if self.model is None:
            plain = view(looks, index, features=features, seed=self.seed)
            return Training(plain.features, None, plain.labels, len(index))
        seen = codec_view(looks, index, model=self.model, features=features)
        return Training(seen.decoded_features, seen.features, seen.labels, len(index))

    @cached_property
    def heldout(self) -> CodecView | None:
        """Held-out real tiles before and after the codec; None without a model or without such tiles."""
        index = self.heldout_index
        if self.model is None or not index.size:
            return None
        return codec_view(self.real, index, model=self.model, features=self.reference.features)

    @cached_property
    def heldout_index(self) -> np.ndarray:
        """Some validation and test tiles, evenly spread."""
        found = np.flatnonzero(np.isin(self.real.tiles.split, ("val", "test")))
        return found[evenly(len(found), max(1, self._most(self.real.tiles) // self.real.kinds))]

    @cached_property
    def generated_index(self) -> np.ndarray:
        """Some synthetic tiles, evenly spread."""
        tiles = self.synthetic.tiles
        most = most_tiles(tiles, tile_limit=SYNTHETIC_TILES, pixel_limit=SYNTHETIC_PIXELS)
        return evenly(len(tiles), max(1, most // self.synthetic.kinds))

    @cached_property
    def generated(self) -> View:
        return view(self.synthetic, self.generated_index, features=self.reference.features, seed=self.seed)

    def why_no_codec(self) -> str:
        """Why there are no tiles after the codec."""
        return NO_MODEL if self.model is None else NO_HELDOUT

    @staticmethod
    def _most(tiles: TileSet) -> int:
        return most_tiles(tiles, tile_limit=CODEC_TILES, pixel_limit=CODEC_PIXELS)
