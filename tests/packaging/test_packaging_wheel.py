"""Wheel and source distribution: they build without a network, hold what they must and nothing else, and work."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import numpy as np
import pytest

import specdm

pytest.importorskip("hatchling")

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "specdm"
NEVER = ("tests/", "benchmarks/", "docs/", "examples/", ".git/", "runs/", "shared/", "__pycache__")


ALONE = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
"""Environment in which nothing points back to the source."""


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the source distribution, and the wheel that is made from it, as pip makes it."""
    folder = tmp_path_factory.mktemp("dist")
    _build("sdist", ROOT, folder)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    _build("wheel", next((folder / "unpacked").iterdir()), folder)
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    return next(dist.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of a new environment with the wheel, which borrows what it depends on from this one."""
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    install = ["install", "--no-deps", "--no-index", "--no-compile", "--disable-pip-version-check", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), *install], check=True, capture_output=True)
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip())
    # a path in a .pth file is searched after the environment's own; .pth files there, such as that of an editable
    # specdm, are not read
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def _build(target: str, source: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(folder)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    info = f"specdm-{specdm.__version__}.dist-info"
    wanted = {
        f"specdm/{path.relative_to(SOURCE).as_posix()}"
        for path in SOURCE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in names if not name.startswith(f"{info}/")} == wanted
    assert "specdm/py.typed" in names
    for kind in (".html.j2", ".css.j2", ".yaml", ".csv", ".json"):
        assert any(name.endswith(kind) for name in names), f"no {kind} file"
    assert f"{info}/licenses/LICENSE" in names
    assert wheel.stat().st_size < 3_000_000


def test_the_source_distribution_holds_what_the_wheel_needs(dist: Path) -> None:
    with tarfile.open(next(dist.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "CITATION.cff", "CHANGELOG.md"} <= names
    assert not [name for name in names if name.startswith(NEVER) or "__pycache__" in name]
    assert sum(name.startswith("src/specdm/") for name in names) > 100


def test_what_the_wheel_says_of_itself(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"specdm-{specdm.__version__}.dist-info/METADATA").decode()
    facts = Parser().parsestr(text)
    assert facts["Name"] == "specdm" and facts["Version"] == specdm.__version__
    assert facts["License-Expression"] == "Apache-2.0"
    assert facts["Requires-Python"] == ">=3.11"
    assert {"simulate", "fid", "usefulness", "export", "docs"} <= set(facts.get_all("Provides-Extra"))
    assert "SpecDM" in str(facts.get_payload())


def test_the_installed_command_works(installed: Path, tmp_path: Path) -> None:
    rows, columns = np.mgrid[:24, :20]
    np.save(tmp_path / "image.npy", (rows * 10.0 + columns)[..., None] + np.arange(6.0))
    np.save(tmp_path / "mask.npy", (rows // 8 + 1).astype(np.uint8))
    command = installed.with_name("specdm" + installed.suffix)
    version = subprocess.run([command, "--version"], capture_output=True, text=True, cwd=tmp_path, env=ALONE)
    assert version.stdout.strip() == f"specdm {specdm.__version__}", version.stderr
    asked = [command, "info", "image.npy", "mask.npy"]
    info = subprocess.run(asked, capture_output=True, text=True, cwd=tmp_path, env=ALONE)
    assert info.returncode == 0, info.stderr
    assert "24 rows x 20 columns x 6 bands" in info.stdout


def test_the_installed_package_finds_its_data(installed: Path, tmp_path: Path) -> None:
    """The embedded scene with its wavelengths, presets, the reliability rule and the report's template."""
    code = (
        "import specdm; from importlib import resources\n"
        "from specdm.scenes.samples import indian_pines\n"
        "from specdm.training.config import load_config\n"
        "from specdm.evaluation.reliability import default_rules\n"
        "assert indian_pines().wavelength.max() > 2400 and load_config(preset='large') and default_rules()\n"
        "assert resources.files('specdm.report').joinpath('template.html.j2').is_file()\n"
        "print(specdm.__file__)"
    )
    done = subprocess.run([installed, "-c", code], capture_output=True, text=True, cwd=tmp_path, env=ALONE)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(installed.parents[1]), "the source was asked"
