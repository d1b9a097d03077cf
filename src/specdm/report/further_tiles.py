"""More tiles of a synthetic set: drawn where it ended, as its own tiles were, and judged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from specdm.errors import ModelError, RunError
from specdm.tiles.layout import DRAWING
from specdm.tiles.scores import with_scores

if TYPE_CHECKING:
    from specdm.report.score_tiles import Judge
    from specdm.synthesis.pipeline import SpecDMPipeline
    from specdm.tiles.tileset import TileSet


class FurtherTiles:
    """Tiles of the indices after those that a set has, of the same seed, options and model."""

    def __init__(self, tiles: TileSet, *, pipeline: SpecDMPipeline | None, judge: Judge) -> None:
        """Nothing is drawn yet.

        Args:
            tiles: what was drawn so far.
            pipeline: the model that drew it.
            judge: of what is drawn.

        Raises:
            RunError: no model, or tiles that were not drawn from nothing by one seed.
            ModelError: another model drew them.
        """
        if pipeline is None:
            raise RunError("-n draws further tiles, which takes a model; give a run folder, or a model with --model")
        coords = tiles.dataset
        seeds = np.unique(coords["seed"].values)
        if len(seeds) != 1 or seeds[0] < 0 or "completes" in tiles.provenance:
            raise RunError(
                f"{tiles.where}: its tiles were not drawn from nothing by one seed, so no further ones can be drawn; "
                "leave -n out"
            )
        options: dict[str, Any] = json.loads(coords.attrs.get(DRAWING, "{}"))
        sources, few = sorted(set(map(str, coords["source"].values))), options.get("evaluations")
        own = pipeline.model_id if few is None else pipeline.id_of(few)
        if sources != [own]:
            raise ModelError(
                f"{tiles.where} was drawn by the model {', '.join(sources)}, this one is {own}; give the model that "
                "drew it, or sample again"
            )
        self._pipeline, self._judge, self._options = pipeline, judge, options
        self._seed = int(seeds[0])
        self._next = int(coords["index"].values.max()) + 1

    def draw(self, n: int) -> TileSet:
        """The next `n` tiles, with scores, in memory."""
        drawn = self._pipeline.sample(n, seed=self._seed, first=self._next, batch_size=n, **self._options)
        self._next += n
        found = self._judge.scores(drawn)
        return with_scores(drawn, found.pixel, found.tile)
