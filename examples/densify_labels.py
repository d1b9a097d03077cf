"""Make sparse labels dense where the model is sure, and count on ground it never saw labels of how often that is right.

python examples/densify_labels.py                                          # the embedded scene
python examples/densify_labels.py --image scene.hdr --mask labels.tif      # your own
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import specdm
from specdm.scenes.samples import indian_pines

STAGES = {"codec": 0.15, "reader": 0.1, "denoiser": 0.75}
"""What a model learns, one after the other, and how the minutes are shared."""


def budget(minutes: float, steps: int | None) -> dict[str, Any]:
    """Settings of `specdm.fit`: minutes in all, or instead steps of each stage."""
    if steps is None:
        return {f"{stage}__minutes": minutes * share for stage, share in STAGES.items()}
    return {f"{stage}__{key}": value for stage in STAGES for key, value in (("minutes", None), ("steps", steps))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", help="image of your own scene; default: the embedded one")
    parser.add_argument("--mask", help="its sparse mask")
    parser.add_argument("--tile-size", type=int, default=16)
    parser.add_argument("--minutes", type=float, default=5.0, help="of training")
    parser.add_argument("--steps", type=int, help="of training, of each stage, instead of minutes")
    parser.add_argument("--min-confidence", type=float, default=0.8)
    parser.add_argument("-o", "--output", type=Path, default=Path("dense.npy"))
    options = parser.parse_args()

    scene = specdm.open_scene(options.image, mask=options.mask) if options.image else indian_pines()
    if not isinstance(scene, specdm.Scene):
        parser.error(f"{options.image} holds several scenes; give one image")
    # blocks of ground are kept back: their labels are for counting only
    tiles = specdm.tile_scenes(scene, size=options.tile_size, split="blocks")
    model = specdm.fit(tiles, preset="tiny", show_progress=False, **budget(options.minutes, options.steps))

    labels = scene.dataset["mask"].values
    read = model.annotate(scene)
    kept_back = np.zeros(labels.shape, bool)
    for y, x in zip(tiles.test.dataset["window_y"].values, tiles.test.dataset["window_x"].values, strict=True):
        kept_back[:, y : y + tiles.size, x : x + tiles.size] = True
    judged = kept_back & (labels >= 0)
    sure = judged & (read.confidence >= options.min_confidence)
    for name, where in (("all", judged), ("sure", sure)):
        right = (read.mask == labels)[where].mean() if where.any() else float("nan")
        print(f"{name} of the labels kept back: {where.sum()} pixels, {right:.3f} of them read right")

    # labels that were given stay; the rest is labelled where the model is sure
    dense = model.annotate(scene, min_confidence=options.min_confidence, labels=labels).mask
    np.save(options.output, dense)
    print(f"labelled before: {(labels >= 0).mean():.0%}, after: {(dense >= 0).mean():.0%}; {options.output}")


if __name__ == "__main__":
    main()
