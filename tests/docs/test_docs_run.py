"""Every block of the documentation runs as it stands, page by page; see docs/reference/these-pages.md."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from docs_files import change_scene, write_files
from docs_pages import DOCS, Block, blocks, front_matter, pages
from docs_runner import little_demonstration, little_training, run_blocks

SYNTHETIC_TILES = 16


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, little_settings: dict[str, object]) -> Path:
    """What a reader may have: files, and finished runs."""
    folder = tmp_path_factory.mktemp("reader")
    write_files(folder)
    with pytest.MonkeyPatch.context() as patch:
        little_training(patch, little_settings)
        _make_run(folder, "mine", ["scene.tif", "--mask", "labels.tif"], patch)
        _make_run(folder, "change", ["2000.tif", "2003.tif", "--dates", "2000,2003", "--mask", "change.png"], patch)
    return folder


def _make_run(folder: Path, name: str, files: list[str], patch: pytest.MonkeyPatch) -> None:
    from specdm.cli.main import run

    patch.chdir(folder)
    for words in (["train", *files, "-o", f"runs/{name}"], ["sample", f"runs/{name}", "-n", str(SYNTHETIC_TILES)]):
        with pytest.raises(SystemExit) as end:
            run(words)
        assert not end.value.code


@pytest.mark.parametrize("page", [page for page in pages() if blocks(page)], ids=lambda p: str(p.relative_to(DOCS)))
def test_blocks_run(
    page: Path,
    reader: Path,
    little_settings: dict[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = blocks(page)
    if all(block.needs is not None for block in wanted):
        pytest.skip("every block needs what a test has not")
    for file in reader.iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path)
    for run in front_matter(page).get("runs", []):
        shutil.copytree(reader / "runs" / run, tmp_path / "runs" / run)
    little_training(monkeypatch, little_settings)
    little_demonstration(monkeypatch)
    monkeypatch.chdir(tmp_path)
    run_blocks(wanted, folder=tmp_path)


def test_the_files_are_what_pages_say(reader: Path) -> None:
    from specdm.scenes.open import open_scene

    tif = open_scene(reader / "scene.tif", mask=reader / "labels.tif")
    envi = open_scene(reader / "scene.hdr", mask=reader / "labels.tif")
    assert np.array_equal(tif.dataset["image"].values, envi.dataset["image"].values)
    assert envi.wavelength is not None and np.allclose(envi.wavelength, tif.wavelength, atol=0.01)
    assert tif.classes is not None and tif.classes.names == ("grass", "bare soil", "water")
    change = open_scene(
        [reader / "2000.tif", reader / "2003.tif"], dates=["2000", "2003"], mask=reader / "change.png"
    )
    assert np.array_equal(change.dataset["mask"].values, change_scene().dataset["mask"].values)


@pytest.mark.parametrize(
    ("language", "text"), [("bash", "true\nfalse"), ("bash", "specdm info nowhere.tif"), ("python", "\n1 / 0")]
)
def test_a_block_that_fails_is_named(language: str, text: str, tmp_path: Path) -> None:
    wrong = Block(DOCS / "index.md", 7, language, None, text)
    with pytest.raises((AssertionError, ZeroDivisionError)) as error:
        run_blocks([wrong], folder=tmp_path)
    if language == "python":
        assert error.traceback[-1].lineno == 7  # counted from 0: the second line of a block that begins on line 7
    else:
        assert "docs/index.md:7" in str(error.value)


def test_a_block_that_needs_more_is_not_run(tmp_path: Path) -> None:
    run_blocks([Block(DOCS / "index.md", 7, "bash", "a cluster", "touch ran")], folder=tmp_path)
    assert not list(tmp_path.iterdir())
