"""Synthetic tiles are held against labelled scenes; imagery that nobody labelled can be copied, and no more."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from specdm.evaluation import evaluate
from specdm.tiles.tileset import TileSet


def with_imagery(real: TileSet) -> TileSet:
    """The real tiles with three times as bright imagery of other ground, turned about, without labels."""
    own = real.train.dataset
    image = own["image"].copy(data=3 * own["image"].values[..., ::-1, ::-1])
    more = own.assign(image=image, mask=xr.full_like(own["mask"], -1))
    names = [f"more_{name}" for name in own["tile_name"].values]
    more = more.assign_coords(source=("tile", np.full(len(names), "more")), tile_name=("tile", names))
    dataset = xr.concat([real.dataset, more], dim="tile", data_vars="minimal", coords="minimal", compat="override")
    dataset.attrs = {**real.dataset.attrs, "unlabelled_sources": json.dumps(["more"])}
    return TileSet(dataset)


def differing(one: dict, other: dict) -> set[str]:
    """Keys whose numbers differ."""
    return {key for key in one.keys() | other.keys() if one.get(key) != pytest.approx(other.get(key), nan_ok=True)}


def test_figures_are_those_of_labelled_scenes(real: TileSet, twin) -> None:
    synthetic = twin()
    plain = evaluate(synthetic, real=real, network=None)
    mixed = evaluate(synthetic, real=with_imagery(real), network=None)
    assert {key for key in differing(plain.metrics, mixed.metrics) if not key.startswith("authenticity")} == set()
    note = f"{len(real.train)} training tiles are of imagery without labels"
    assert any(note in line for line in mixed.notes) and not any(note in line for line in plain.notes)
