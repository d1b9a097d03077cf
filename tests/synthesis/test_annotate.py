"""Whole scenes annotated by windows: no seams, no difference to reading all at once, labels and sureness kept."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from little_scenes import make_little_change, make_little_scene

from specdm.errors import MaskError, ModelError, SceneError
from specdm.models.pixels import Pixels
from specdm.scenes.scene import Scene
from specdm.synthesis.annotate import Annotation, scene_reading
from specdm.synthesis.pipeline import SpecDMPipeline
from specdm.training.reading import read_pixels

HEIGHT, WIDTH = 70, 61


@pytest.fixture(scope="module")
def pipeline(pipeline: SpecDMPipeline) -> SpecDMPipeline:
    """With half a say for the network, which looks further around than single spectra do, and neighbours heard."""
    halved = copy.deepcopy(pipeline)
    assert halved.reader is not None and halved.reader.spectral is not None
    halved.reader.spectral_share.fill_(0.5)
    halved.reader.neighbourhood.fill_(2)
    return halved


@pytest.fixture(scope="module")
def scene() -> Scene:
    """Of no multiple of any window, with a hole without data."""
    made = make_little_scene(seed=4, height=HEIGHT, width=WIDTH)
    image = made.dataset["image"].values.copy()
    image[:, :, 30:38, 20:29] = np.nan
    return Scene(made.dataset.assign(image=made.dataset["image"].copy(data=image)))


@pytest.fixture(scope="module")
def at_once(pipeline: SpecDMPipeline, scene: Scene) -> np.ndarray:
    """Probabilities `(layer, class, y, x)` of the scene read as one window."""
    image, _ = scene.window(0, 0, HEIGHT, WIDTH)
    pixels = Pixels(
        torch.from_numpy(image)[None], torch.full((1, 1, HEIGHT, WIDTH), -1), torch.zeros(1, 0, HEIGHT, WIDTH)
    )
    assert pipeline.reader is not None
    chances, _ = read_pixels(pipeline.model, pipeline.reader, pixels, views=8)
    return chances[0].numpy()


@pytest.mark.parametrize("window", [17, 20, 32, 48, 128])
def test_windows_say_what_the_whole_scene_says(pipeline, scene: Scene, at_once: np.ndarray, window: int) -> None:
    found = pipeline.annotate(scene, window=window)
    np.testing.assert_allclose(found.probabilities, at_once, atol=2e-6)
    best = np.nan_to_num(at_once[0]).argmax(axis=0)
    expected = np.where(np.isnan(at_once[0, 0]), -1, np.array([2, 5, 7])[best])
    ties = np.sort(np.nan_to_num(at_once[0]), axis=0)
    sure = (ties[-1] - ties[-2] > 1e-5) | (expected == -1)
    assert (found.mask[0] == expected)[sure].all() and sure.mean() > 0.99


def test_each_window_is_small(pipeline, scene: Scene) -> None:
    reading = scene_reading(scene, model=pipeline.model, reader=pipeline.reader, facts=pipeline.facts, window=32)
    asked: list[tuple[int, ...]] = []
    images = reading.images

    class Watched:
        scene = images.scene

        def window(self, *where: int) -> np.ndarray:
            asked.append(where)
            return images.window(*where)

    object.__setattr__(reading, "images", Watched())
    pieces = list(reading.windows())
    assert len(pieces) == len(asked) == len(reading.starts) > 4
    assert max(max(height, width) for _, _, height, width in asked) <= 32
    covered = np.zeros((HEIGHT, WIDTH), int)
    for y, x, piece in pieces:
        covered[y : y + piece.mask.shape[1], x : x + piece.mask.shape[2]] += 1
    assert (covered == 1).all()


def test_windows_without_margins_would_differ(pipeline, scene: Scene, at_once: np.ndarray) -> None:
    """That the test above can fail: tiles read side by side disagree with the whole at their borders."""
    image, _ = scene.window(0, 0, 32, 32)
    pixels = Pixels(torch.from_numpy(image)[None], torch.full((1, 1, 32, 32), -1), torch.zeros(1, 0, 32, 32))
    alone, _ = read_pixels(pipeline.model, pipeline.reader, pixels, views=8)
    assert np.nanmax(np.abs(alone[0].numpy() - at_once[..., :32, :32])[..., -1, :]) > 1e-3


def test_unsure_pixels_stay_unlabelled(pipeline, scene: Scene) -> None:
    whole = pipeline.annotate(scene)
    limit = float(np.nanquantile(whole.confidence, 0.4))
    found = pipeline.annotate(scene, min_confidence=limit)
    with np.errstate(invalid="ignore"):
        sure = whole.confidence >= limit
    assert ((found.mask != -1) == sure).all()
    assert (found.mask[sure] == whole.mask[sure]).all()
    assert 0.5 < sure.mean() < 0.7


@pytest.mark.parametrize("limit", [None, 0.6])
def test_the_surest_share_of_each_class_is_labelled_in_any_case(pipeline, scene: Scene, limit) -> None:
    whole = pipeline.annotate(scene)
    calls: list[tuple[int, int]] = []
    found = pipeline.annotate(
        scene, min_share=0.5, min_confidence=limit, window=48, callback=lambda done, total: calls.append((done, total))
    )
    assert calls == [(i + 1, len(calls)) for i in range(len(calls))], "both readings count"
    for value in (2, 5, 7):
        own = whole.mask == value
        kept, confidence = found.mask[own] == value, whole.confidence[own]
        wanted = 0.5 if limit is None else max(0.5, (confidence >= limit).mean())
        assert own.sum() > 0 and kept.mean() == pytest.approx(wanted, abs=0.02)
        assert confidence[kept].min() >= confidence[~kept].max() - 1e-3
    assert ((found.mask == whole.mask) | (found.mask == -1)).all()
    assert (pipeline.annotate(scene, min_share=0.0).mask == -1).all()
    assert (pipeline.annotate(scene, min_share=1.0).mask == whole.mask).mean() > 0.999


def test_labels_stay(pipeline, scene: Scene) -> None:
    labels = np.full((1, HEIGHT, WIDTH), -1, np.int16)
    labels[0, 5:9] = 7
    labels[0, 33, 22] = 2  # where there are no data
    found = pipeline.annotate(scene, labels=labels, min_confidence=1.0, window=32)
    np.testing.assert_array_equal(found.mask, labels)
    with pytest.raises(MaskError, match="labels to keep"):
        pipeline.annotate(scene, labels=labels[:, 1:])


def test_of_a_change_nothing_is_said_where_a_date_is_missing(little_change_run: Path) -> None:
    """Clouds on one date: no pixel of theirs is unchanged for sure."""
    pipeline, scene = SpecDMPipeline.from_pretrained(little_change_run / "model"), make_little_change()
    image = scene.dataset["image"].values.copy()
    image[1, :, 4:12, 6:14] = np.nan
    found = pipeline.annotate(Scene(scene.dataset.assign(image=scene.dataset["image"].copy(data=image))))
    hole = np.zeros(found.mask.shape[-2:], bool)
    hole[4:12, 6:14] = True
    assert (found.mask[:, hole] == -1).all() and np.isnan(found.probabilities[..., hole]).all()
    assert (found.mask[:, ~hole] != -1).all() and np.isfinite(found.probabilities[..., ~hole]).all()
    tiles = Scene(scene.dataset.assign(image=scene.dataset["image"].copy(data=image))).tile(
        size=16, stride=16, split="none"
    )
    said, there = pipeline.posterior(tiles).probabilities, np.isfinite(tiles.images()).all(axis=(1, 2))
    np.testing.assert_array_equal(np.isfinite(said).all(axis=(1, 2)), there)


def test_confidence_and_entropy() -> None:
    shares = np.array([[1.0, 0.0], [0.5, 0.5], [np.nan, np.nan]], np.float32).T[None, :, None]
    found = Annotation(np.zeros((1, 1, 3), np.int16), shares, np.zeros((0, 1, 3), np.float32))
    np.testing.assert_allclose(found.confidence[0, 0], [1.0, 0.5, np.nan])
    np.testing.assert_allclose(found.entropy[0, 0], [0.0, 1.0, np.nan], atol=1e-6)


def test_callback_counts_windows(pipeline, scene: Scene) -> None:
    calls: list[tuple[int, int]] = []
    pipeline.annotate(scene, window=48, callback=lambda done, total: calls.append((done, total)))
    assert calls[-1][0] == calls[-1][1] == len(calls)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"window": 16}, "at least 17"), ({"views": 9}, "views is 9"), ({"min_confidence": 1.2}, "min_confidence"),
     ({"min_share": -0.1}, "min_share is -0.1")],
)
def test_numbers_out_of_range(pipeline, scene: Scene, options: dict, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        pipeline.annotate(scene, **options)


def test_a_scene_of_other_bands(pipeline, scene: Scene) -> None:
    fewer = Scene(scene.dataset.isel(band=slice(0, 9)))
    with pytest.raises(SceneError, match="lacks 3 of the model's 12 bands"):
        pipeline.annotate(fewer)
