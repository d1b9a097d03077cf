"""The commands and Python blocks of the README run, on little files and runs; see docs/reference/these-pages.md."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from docs_files import write_files
from docs_pages import ROOT, Block, blocks, inline_blocks, shell_lines
from docs_runner import little_training, run_blocks
from PIL import Image

README = ROOT / "README.md"

LEFT_OUT = {
    r"make \w+|source \.venv": "installs, trains for minutes, or calls these tests",
    r"pip install": "the network",
    r"specdm (push|pull) |specdm sample me/": "the Hugging Face Hub; tests/hub has one of its own",
    r".* --engine ray": "an extra package that takes long to start; tests/scale runs it",
    r".* --devices 4": "several devices; tests/ddp runs two processes",
    r"specdm train (?!runs/mine$|scene\.hdr --mask labels\.tif|.*2000\.tif 2003\.tif)": "files of many formats, which "
    "tests/scenes and tests/cli read; here such commands are parsed",
    r"specdm (train|info|usefulness)( FILE\.\.\.)?$": "named in a sentence without what it is about",
}
"""Commands that are not run, by how they begin, and why."""

LESS = [
    (r"-n 1000000", "-n 8"),
    (r"--shard 3/100", "--shard 1/1"),
    (r"-n (1000|500)\b", "-n 8"),
    (r"--size 512x512", "--size 48x48"),
    (r"--by 64", "--by 8"),
    # a model of ten steps is sure of nothing
    (r"(below|confidence) 0\.\d", r"\1 0.01"),
    (r"(specdm usefulness .*)", r"\1 --steps 2 --tiles 8 --seeds 1 --jobs 1 --device cpu --shares 1"),
    (r"(specdm usefulness (?!.*--arms).*)", r"\1 --arms real,svm"),
    (r"(specdm sample .*--evaluations 4.*)", r"\1 -n 8"),
    (r"\bTILES\.zarr|SYNTHETIC\.zarr", "runs/mine/synthetic/tiles.zarr"),
    (r"\bREAL\.zarr", "runs/mine/tiles/tiles.zarr"),
    (r"--json FILE", "--json found.json"),
    (r"\bRUN\b(?=.*200\d\.tif)", "runs/change"),
    (r"\bRUN\b", "runs/mine"),
    (r"woods=", "grass="),
    (r"(specdm sample .*--composition .*)", r"\1 -n 8 -o ordered.zarr"),
    # commands of one block that are alternatives
    (r"(specdm sample .*--reliability .*)", r"\1 -o sure.zarr"),
    (r"-o change\.tif", "-o changed.tif"),
    # in Python
    (r"sample\(256,", "sample(16,"),
    (r"2000TM", "2000.tif"),
    (r"2003TM", "2003.tif"),
    (r'"run/', '"runs/mine/'),
    (r"tiles\.amount ", "# only where a mask is of amounts: "),
]
"""What is smaller, or called otherwise, here than in the README: patterns and what stands in their place."""


class Changes:
    """What is run instead of a command, and which rules were of use."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    def __call__(self, text: str) -> str | None:
        if "\n" not in text:
            for pattern in LEFT_OUT:
                if re.match(pattern, text.partition("#")[0].strip()):
                    self.used.add(pattern)
                    return None
            text = text.partition("  #")[0].strip()
        for pattern, instead in LESS:
            text, count = re.subn(pattern, instead, text)
            if count:
                self.used.add(pattern)
        return text


@pytest.fixture
def folder(tmp_path: Path, little_settings: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files of the names that the README uses; training is of ten steps."""
    write_files(tmp_path)
    for name, like in {"real.tif": "scene.tif", "m.tif": "labels.tif", "few.tif": "labels.tif"}.items():
        shutil.copy(tmp_path / like, tmp_path / name)
    changed = np.asarray(Image.open(tmp_path / "change.png")) > 0
    for name, values in {"change.bmp": changed, "unchanged.bmp": ~changed}.items():
        Image.fromarray(np.where(values, 255, 0).astype(np.uint8)).save(tmp_path / name)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "nets.py").write_text(
        "from torch import nn\n\n\ndef build(channels, classes):\n    return nn.Conv2d(channels, classes, 1)\n"
    )
    little_training(monkeypatch, little_settings)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_readme_runs(folder: Path) -> None:
    change, fenced = Changes(), blocks(README)
    run_blocks([block for block in fenced if block.language == "bash"], folder=folder, change=change)
    run_blocks(inline_blocks(README), folder=folder, change=change)
    # last, since they tell of what commands have written
    names = run_blocks([block for block in fenced if block.language == "python"], folder=folder, change=change)
    assert {path.name for path in folder.iterdir()} >= {
        "big.zarr", "quick.zarr", "good.zarr", "scene.nc", "larger.tif", "found.json", "tiles_tif", "rendered.zarr",
        "masks.zarr", "after.zarr", "before.zarr", "filled.zarr", "again.zarr", "ordered.zarr", "mask.tif", "dense.tif",
        "changed.tif", "report.html",
    }  # fmt: skip
    assert names["scene"].task == "change" and names["mixed"][0]["image"].shape[-2:] == (32, 32)
    unused = {*LEFT_OUT, *(pattern for pattern, _ in LESS)} - change.used
    assert not unused, f"rules of this test that the README has no use for any more: {unused}"


@pytest.mark.parametrize("wrong", ["specdm sample runs/mine --tile 3", "specdm reliability runs/none"])
def test_a_wrong_command_would_be_found(wrong: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AssertionError, match=re.escape(f"README.md:7: {wrong}")):
        run_blocks([Block(README, 7, "bash", None, wrong)], folder=folder, change=Changes())


def test_most_commands_are_run() -> None:
    change: Callable[[str], str | None] = Changes()
    written = [line for block in blocks(README) if block.language == "bash" for line in shell_lines(block.text)]
    run = [line for line in written if change(line) is not None]
    assert len(run) >= 20 and all(line.startswith("specdm ") for line in run)
