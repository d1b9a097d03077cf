"""Ray: the same store, also where a worker dies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from scale_stores import OPTIONS, assert_equal_stores

from specdm.errors import ConfigError, ModelError, RunError
from specdm.report.sample_run import sample_run
from specdm.synthesis.scale import ray_parts
from specdm.synthesis.scale.parts import Part, PartDrawer

ray = pytest.importorskip("ray", reason="pip install 'specdm[ray]'")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory):
    """A worker of this machine, which knows the helpers of these tests."""
    here = Path(__file__).parent
    places = [str(here), str(here.parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    environment = {"env_vars": {"PYTHONPATH": os.pathsep.join(filter(None, places))}}
    ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False, runtime_env=environment)
    yield
    ray.shutdown()


class Dying:
    """Draws as another drawer does, but a worker that comes to one part dies, once or always."""

    def __init__(self, draw: PartDrawer, *, at: int, mark: Path | None) -> None:
        self.draw, self.at, self.mark = draw, at, mark

    def __call__(self, part: Part):
        if part.first == self.at and (self.mark is None or not self.mark.exists()):
            if self.mark is not None:
                self.mark.write_text("died here")
            os._exit(1)
        return self.draw(part)


def test_what_drawing_raises_comes_through(cluster, little_run: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no class 'gold'"):
        sample_run(little_run, output=tmp_path / "t.zarr", engine="ray", composition={"gold": 1.0}, **OPTIONS)
    assert list(tmp_path.iterdir()) == []


def test_given_tiles_reach_the_workers(cluster, little_run: Path, little_tiles, tmp_path: Path) -> None:
    from specdm.report.sample_question import Question

    little_tiles.save(tmp_path / "real.zarr")
    question = Question(files=[tmp_path / "real.zarr"], known=["mask"])
    options = {**OPTIONS, "n": 8, "question": question}
    sample_run(little_run, output=tmp_path / "here.zarr", **options)
    sample_run(little_run, output=tmp_path / "there.zarr", engine="ray", **options)
    assert_equal_stores(tmp_path / "there.zarr", tmp_path / "here.zarr")


def test_the_store_is_the_same_with_a_worker_lost(
    cluster, little_run: Path, whole_set: Path, tmp_path: Path, monkeypatch
) -> None:
    real, mark = ray_parts.ray_parts, tmp_path / "died"
    monkeypatch.setattr(
        ray_parts, "ray_parts", lambda draw, parts, address: real(Dying(draw, at=12, mark=mark), parts, address=address)
    )
    sample_run(little_run, output=tmp_path / "tiles.zarr", engine="ray", **OPTIONS)
    assert mark.exists(), "no worker has died"
    assert_equal_stores(tmp_path / "tiles.zarr", whole_set)


def test_a_part_that_always_kills_its_worker_is_given_up(cluster, monkeypatch) -> None:
    monkeypatch.setattr(ray_parts, "RETRIES", 1)
    drawn = ray_parts.ray_parts(Dying(lambda part: part, at=4, mark=None), [Part(0, 2), Part(2, 2), Part(4, 2)])
    assert [next(drawn).first, next(drawn).first] == [0, 2]
    with pytest.raises(RunError, match=r"tiles 4 to 5 were lost 2 times \(WorkerCrashedError\)"):
        next(drawn)


def test_mistakes(little_run: Path, tmp_path: Path, monkeypatch) -> None:
    with pytest.raises(RunError, match="is about --engine ray"):
        sample_run(little_run, output=tmp_path / "t.zarr", ray_address="auto", **OPTIONS)
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    with pytest.raises(RunError, match=r"nothing answers at --ray-address 127\.0\.0\.1:1 .*ray start --head"):
        next(ray_parts.ray_parts(lambda part: part, [Part(0, 2)], address="127.0.0.1:1"))
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(ConfigError, match=r"pip install"):
        sample_run(little_run, output=tmp_path / "t.zarr", engine="ray", **OPTIONS)
    assert list(tmp_path.iterdir()) == []
