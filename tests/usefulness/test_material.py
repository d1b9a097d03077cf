"""What a generator makes for the arms: each source once, with kept labels, and by the right model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fake_generator import FakeGenerator, labels_of, with_chances
from tiny_tiles import GRASS, HEIGHT, NONE, ROOF, amount_tiles, class_tiles, noise

from specdm.errors import ConfigError
from specdm.evaluation.usefulness import material as module
from specdm.evaluation.usefulness.material import Material, read_off
from specdm.tiles.posterior import Posterior
from specdm.tiles.tileset import TileSet

NAN = float("nan")


@dataclass
class Made:
    """A material with a fake generator, and what it said."""

    material: Material
    generator: FakeGenerator
    lines: list[str]

    def tiles(self, source: str) -> TileSet:
        """Of a source without weights."""
        found, weights = self.material.tiles(source)
        assert weights is None
        return found


def real_tiles() -> TileSet:
    images = noise(3, 1, 3, 2, 2)
    images[:, 0, 0] = [[[0.1, 0.9], [0.5, 0.9]], [[0.9] * 2] * 2, [[0.1] * 2] * 2]
    masks = [[[[ROOF, NONE], [NONE, NONE]]], [[[GRASS, GRASS], [NONE, NONE]]], [[[NONE, NONE], [NONE, ROOF]]]]
    return class_tiles(masks, images=images, split=["train", "train", "val"])


def make(folder: Path, *, labelled: TileSet | None = None, n: int = 5, **options: Any) -> Made:
    labelled, lines = real_tiles() if labelled is None else labelled, []
    material = Material(
        labelled=labelled, seen=labelled, folder=folder, n=n, seed=4, say=lines.append,
        **({"config": "ours", "baseline": "theirs"} | options),
    )  # fmt: skip
    generator = FakeGenerator()
    material.generator = generator  # type: ignore[misc]
    return Made(material, generator, lines)


def test_real_tiles_are_those_given(tmp_path: Path):
    made = make(tmp_path)
    assert made.tiles("real") is made.material.labelled and made.generator.drawn == []


def test_synthetic_tiles_are_drawn_once(tmp_path: Path):
    made = make(tmp_path)
    drawn = made.tiles("drawn")
    assert len(drawn) == 5 and made.generator.drawn == [{"n": 5, "seed": 4}]
    for source in ("read", "sure"):
        tiles = made.tiles(source)
        expected = read_off(drawn, FakeGenerator(), all_ground=source == "read")
        np.testing.assert_array_equal(tiles.masks(), expected.masks())
        np.testing.assert_array_equal(tiles.images(), drawn.images())
    assert len(made.generator.drawn) == 1 and made.generator.read == 2
    assert (made.tiles("read").masks() >= 0).all() and (made.tiles("sure").masks() < 0).any()
    # another process finds them
    later = make(tmp_path)
    np.testing.assert_array_equal(later.tiles("sure").masks(), made.tiles("sure").masks())
    assert later.generator.drawn == [] and later.generator.read == 0 and later.lines == []


def test_another_number_is_made_anew(tmp_path: Path):
    make(tmp_path).tiles("read")
    more = make(tmp_path, n=7)
    assert len(more.tiles("read")) == 7 and more.generator.drawn == [{"n": 7, "seed": 4}]


def test_balanced_tiles_are_asked_for(tmp_path: Path):
    made = make(tmp_path)
    tiles = made.tiles("balanced")
    assert made.generator.drawn == [{"n": 5, "seed": 4, "balance": True}]
    expected = read_off(tiles, FakeGenerator())
    np.testing.assert_array_equal(tiles.masks(), expected.masks())
    of_amounts = make(tmp_path / "amounts", labelled=amount_tiles(noise(2, 1, 2, 2)))
    with pytest.raises(ConfigError, match="these have no classes"):
        of_amounts.tiles("balanced")


def test_varied_tiles_are_densified_ones_from_all_over_with_other_images(tmp_path: Path):
    many = real_tiles().select(np.resize(np.arange(3), 30))
    made = make(tmp_path, labelled=many, n=10)
    made.tiles("varied")
    call = made.generator.drawn[0]
    given = call.pop("given")
    assert call == {"n": 10, "seed": 4, "known": ["mask"], "variation": module.VARIATION}
    dense = made.tiles("dense")
    order = np.random.default_rng(4).permutation(30)[:10]
    np.testing.assert_array_equal(given.masks(), dense.masks()[order])
    np.testing.assert_array_equal(given.images(), dense.images()[order])
    assert order.max() > 20, "they do not lie at one end of the scene"


def test_densified_tiles_keep_their_labels_and_images(tmp_path: Path):
    made = make(tmp_path)
    dense = made.tiles("dense")
    assert dense.masks()[0].ravel().tolist() == [ROOF, ROOF, NONE, ROOF]
    assert dense.masks()[1].ravel().tolist() == [GRASS, GRASS, ROOF, ROOF]
    assert dense.masks()[2].ravel().tolist() == [GRASS, GRASS, GRASS, ROOF]
    np.testing.assert_array_equal(dense.images(), made.material.labelled.images())
    np.testing.assert_array_equal(dense.split, made.material.labelled.split)
    assert labels_of(made.material.labelled).count(NONE) == 8, "the real tiles stay as they are"
    later = make(tmp_path)
    np.testing.assert_array_equal(later.tiles("dense").masks(), dense.masks())
    assert (made.generator.read, later.generator.read) == (1, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["dense.npz"]


def test_densified_amounts(tmp_path: Path):
    labelled = amount_tiles([[[[1, NAN], [NAN, 2]]]], images=with_chances(0, 0, 0, 0, amounts=(5, 6, 7, 8)))
    for _ in range(2):
        np.testing.assert_array_equal(make(tmp_path, labelled=labelled).tiles("dense").amounts().ravel(), [1, 6, 7, 2])


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Calls of `reliability`, whose scores rise from pixel to pixel; amounts are one more layer."""
    calls: list[dict[str, Any]] = []

    def fake(tiles: TileSet, **options: Any) -> SimpleNamespace:
        calls.append(options)
        shape = (len(tiles), len(tiles.layers) + (tiles.quantities is not None), tiles.size, tiles.size)
        return SimpleNamespace(pixel=np.linspace(0, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape))

    monkeypatch.setattr(module, "reliability", fake)
    monkeypatch.setattr(module.RealEvidence, "fit", lambda tiles, *, seed: ("evidence of", list(tiles.split), seed))
    return calls


def test_the_least_reliable_labels_are_left_out(tmp_path: Path, judged: list):
    made = make(tmp_path)
    filtered, drawn = made.tiles("filtered"), made.tiles("drawn")
    assert labels_of(filtered) == [NONE] * 4 + [GRASS] * 16
    np.testing.assert_array_equal(filtered.images(), drawn.images())
    (call,) = judged
    assert call["real"] == ("evidence of", ["train", "train"], 4) and call["seed"] == 4
    assert isinstance(call["posterior"], Posterior)


def test_weights_are_scores_of_the_drawn_tiles(tmp_path: Path, judged: list):
    made = make(tmp_path)
    made.generator.reader = None
    tiles, weights = made.material.tiles("weighted")
    assert weights is not None
    np.testing.assert_array_equal(tiles.masks(), made.tiles("drawn").masks())
    np.testing.assert_allclose(weights.ravel(), np.linspace(0, 1, 20))
    assert judged[0]["posterior"] is None


@pytest.mark.parametrize("task", ["both", "amounts"])
def test_weights_have_the_layers_that_are_learnt(tmp_path: Path, judged: list, task: str, monkeypatch):
    facts = {"split": "synthetic", "source": "model", "seed": 4, "index": range(5)}
    amounts = np.ones((5, 1, 2, 2), np.float32)
    two = class_tiles(
        np.full((5, 2, 2, 2), GRASS), amounts=amounts, quantities=HEIGHT, layers=["one", "other"], **facts
    )
    made = make(tmp_path)
    monkeypatch.setattr(
        made.generator, "sample", lambda n, *, seed: two if task == "both" else amount_tiles(amounts, **facts)
    )
    tiles, weights = made.material.tiles("weighted")
    assert weights is not None and weights.shape == (5, len(tiles.layers) or 1, 2, 2)
    np.testing.assert_allclose(weights[0, 0].ravel(), np.linspace(0, 1, 60 if task == "both" else 20)[:4], rtol=1e-5)


def test_a_source_that_is_none(tmp_path: Path):
    with pytest.raises(ConfigError, match="no tiles of the source 'reel'"):
        make(tmp_path).tiles("reel")


# -- models ----------------------------------------------------------------------------------------------------


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[tuple]:
    """What models were trained on, in which folder and how."""
    calls: list[tuple] = []

    def fake(folder: Path, *, tiles: TileSet, config: str, show_progress: bool) -> FakeGenerator:
        calls.append((folder, tiles, config))
        return FakeGenerator()

    monkeypatch.setattr(module, "train_run", fake)
    return calls


def test_a_generator_is_trained_on_what_it_may_see(tmp_path: Path, trained: list):
    seen = real_tiles().train
    lines: list[str] = []
    material = Material(
        labelled=real_tiles(), seen=seen, folder=tmp_path, config="ours", baseline="theirs", n=2, seed=0,
        device="cuda", say=lines.append,
    )  # fmt: skip
    material.tiles("drawn"), material.tiles("sure")
    assert trained == [(tmp_path / "specdm", seen, "ours")]
    assert material.generator.device == "cuda" and lines.count("training the generator") == 1


def test_the_baseline_is_another_model_on_the_same_tiles(tmp_path: Path, trained: list):
    seen = real_tiles().train
    material = Material(
        labelled=real_tiles(), seen=seen, folder=tmp_path, config="ours", baseline="theirs", n=2, seed=0
    )
    assert len(material.tiles("ldm")[0]) == 2
    assert trained == [(tmp_path / "ldm", seen, "theirs")]


def test_a_finished_model_is_taken(tmp_path: Path, trained: list, monkeypatch):
    opened = []
    monkeypatch.setattr(module.SpecDMPipeline, "from_pretrained", lambda path: opened.append(path) or FakeGenerator())
    material = Material(
        labelled=real_tiles(), seen=real_tiles(), folder=tmp_path, config="ours", baseline="theirs", n=2, seed=0,
        model=tmp_path / "model",
    )  # fmt: skip
    material.tiles("drawn")
    assert opened == [tmp_path / "model"] and trained == [] and material.generator.device == "cpu"


class Named(FakeGenerator):
    """One whose tiles bear its name."""

    def sample(self, n: int, **options: Any) -> TileSet:
        drawn = super().sample(n, **options)
        return TileSet(drawn.dataset.assign_coords(source=("tile", np.full(n, self.model_id))))


def test_tiles_of_a_model_trained_before_are_drawn_anew(tmp_path: Path, monkeypatch):
    made: list[FakeGenerator] = []
    monkeypatch.setattr(module.SpecDMPipeline, "from_pretrained", lambda path: made[-1])
    facts = {"labelled": real_tiles(), "seen": real_tiles(), "folder": tmp_path, "config": "ours", "baseline": "theirs"}
    for model_id, drawn in (("model", 1), ("model", 0), ("another", 1)):
        made.append(Named(model_id=model_id))
        Material(**facts, n=2, seed=0, model=tmp_path / "model").tiles("drawn")
        assert len(made[-1].drawn) == drawn, model_id
