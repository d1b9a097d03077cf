"""A mask of single labelled pixels here and there is trained like any other."""

from __future__ import annotations

import numpy as np

from specdm.scenes.scene import Scene
from specdm.synthesis.fit import fit


def test_one_pixel_in_twenty_is_enough(little_scene: Scene, little_settings: dict) -> None:
    mask = little_scene.dataset["mask"]
    kept = np.random.default_rng(0).random(mask.shape) < 0.05
    sparse = mask.copy(data=np.where(kept, mask.values, -1).astype(np.int16))
    tiles = Scene(little_scene.dataset.assign(mask=sparse)).tile(size=16, stride=8)
    assert 0 < (tiles.train.masks() >= 0).mean() < 0.06 and len(tiles.test)
    settings = {key.replace(".", "__"): value for key, value in little_settings.items() if key != "tiles.size"}
    pipeline = fit(tiles, show_progress=False, **settings)
    # what tiles are made of is learnt, so that it can be ordered
    assert len(pipeline.prior.fractions) > 0
    assert np.isfinite(pipeline.sample(4, seed=0, composition={"water": 0.5}).images()).all()
    dense = pipeline.sample(4, seed=0, dense=True)
    assert (dense.masks() >= 0).all()
