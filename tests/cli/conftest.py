"""The command line called in the test's process, files to call it with, and stand-ins for what takes long."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from specdm.scenes.scene import Scene
from specdm.tiles.tileset import TileSet


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Files:
    """The scene of `little_scene` as NumPy files."""

    folder: Path
    image: Path
    mask: Path


@pytest.fixture
def specdm_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Outcome]:
    """Run `specdm ARGUMENTS` and return how it ended."""
    from specdm.cli.main import run

    # wide enough for any table, whatever the terminal
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: object) -> Outcome:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code=int(end.value.code or 0), out=captured.out, err=captured.err)

    return call


@pytest.fixture
def refused(specdm_command: Callable[..., Outcome], tmp_path: Path) -> Callable[..., str]:
    """Run a command that must end with exit code 2, one line, and every file as it was; returns the line."""

    def call(*arguments: object) -> str:
        before = snapshot(tmp_path)
        outcome = specdm_command(*arguments)
        assert outcome.code == 2, outcome
        assert outcome.err.startswith("specdm: "), outcome.err
        assert outcome.err.count("\n") == 1 and outcome.err.endswith("\n"), outcome.err
        assert "Traceback" not in outcome.err
        assert snapshot(tmp_path) == before, "something was changed"
        return outcome.err

    return call


def snapshot(folder: Path) -> dict[str, bytes | None]:
    """Every file with its content and every folder below `folder`."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.fixture
def files(little_scene: Scene, tmp_path: Path) -> Files:
    """Image and mask of `little_scene`: 48 x 40 px, 12 bands, class values 2, 5, 7, unlabelled -1."""
    image, mask = little_scene.window(0, 0, little_scene.height, little_scene.width)
    assert mask is not None
    folder = tmp_path / "data"
    folder.mkdir()
    np.save(folder / "image.npy", np.moveaxis(image[0], 0, -1))
    np.save(folder / "mask.npy", mask[0])
    return Files(folder=folder, image=folder / "image.npy", mask=folder / "mask.npy")


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> list[dict]:
    """Training that only notes what it was called with."""
    calls: list[dict] = []

    def train_run(run: Path, *, tiles: TileSet, config: object, show_progress: bool = True) -> None:
        calls.append({"run": run, "tiles": tiles, "config": config})

    module = types.ModuleType("specdm.synthesis.fit")
    module.train_run = train_run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "specdm.synthesis.fit", module)
    return calls


@dataclass
class StandInPipeline:
    """Makes tiles whose values say their seed and index; notes how it was called."""

    calls: list[dict]
    real: TileSet

    def __post_init__(self) -> None:
        from specdm.synthesis.facts import TileFacts
        from specdm.synthesis.sampling_defaults import SamplingDefaults

        self.facts = TileFacts.of(self.real)
        self.defaults = SamplingDefaults()

    def id_of(self, evaluations: int | None = None) -> str:
        return "stand-in"

    def sample(self, n: int, *, seed: int = 0, first: int = 0, callback=None, **options: object) -> TileSet:
        self.calls.append({"n": n, "seed": seed, "first": first, **options})
        index = np.arange(first, first + n)
        shape = (n, 1, self.real.n_bands, self.real.size, self.real.size)
        if callback is not None:
            callback(n, n)
        return TileSet.from_arrays(
            images=np.broadcast_to((1000 * seed + index)[:, None, None, None, None], shape).astype(
                np.float32
            ),
            masks=np.full((n, 1, self.real.size, self.real.size), 2, np.int16),
            classes=self.real.classes,
            wavelength=self.real.wavelength,
            band_name=self.real.band_name,
            split="synthetic",
            source="stand-in",
            seed=[seed] * n,
            index=index,
        )


@pytest.fixture
def trained(
    files: Files,
    no_training: list[dict],
    specdm_command: Callable[..., Outcome],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> tuple[Path, list[dict]]:
    """A run folder with real tiles and a model that is a stand-in, and the list of its calls."""
    run = tmp_path / "run"
    begun = specdm_command("train", files.image, "--mask", files.mask, "-o", run, "--tile-size", 16)
    assert begun.code == 0, begun
    (run / "model").mkdir()
    calls: list[dict] = []
    pipeline = StandInPipeline(calls, no_training[0]["tiles"])
    module = types.ModuleType("specdm.synthesis.pipeline")
    module.SpecDMPipeline = types.SimpleNamespace(  # type: ignore[attr-defined]
        from_pretrained=lambda folder: pipeline
    )
    monkeypatch.setitem(sys.modules, "specdm.synthesis.pipeline", module)
    return run, calls
