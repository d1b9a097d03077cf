"""Whether the tiles of two datasets can stand in one batch."""

from __future__ import annotations

from specdm.errors import TileError
from specdm.tiles.alike import check_alike as check_tiles_alike
from specdm.torch.dataset import TileDataset

ADVICE = "mix synthetic tiles with the real tiles their model was trained on"


def check_alike(synthetic: TileDataset, real: TileDataset) -> None:
    """Raise TileError, naming the first difference, unless sizes, bands, dates, masks and amounts are the same."""
    for what, found, wanted in (
        ("sizes (px)", synthetic.tiles.size, real.tiles.size),
        ("unlabelled values", synthetic.unlabelled, real.unlabelled),
    ):
        if found != wanted:
            raise TileError(
                f"the {what} of {synthetic.tiles.where} and {real.tiles.where} differ: {found} and {wanted}; {ADVICE}"
            )
    check_tiles_alike(synthetic.tiles, real.tiles, advice=ADVICE)
