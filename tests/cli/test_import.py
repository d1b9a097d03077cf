"""`import specdm` is light, and everything it promises is there."""

from __future__ import annotations

import subprocess
import sys

import pytest

import specdm

HEAVY = ("torch", "lightning", "matplotlib", "rasterio", "xarray", "zarr", "scipy", "sklearn", "diffusers")


@pytest.mark.parametrize("statement", ["import specdm", "import specdm.cli.main"])
def test_import_loads_nothing_heavy(statement: str) -> None:
    code = f"{statement}; import sys; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", specdm.__all__)
def test_every_promised_name_is_there(name: str) -> None:
    found = getattr(specdm, name)
    assert isinstance(found, str) if name == "__version__" else callable(found)
    assert name in dir(specdm)


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="nonsense"):
        _ = specdm.nonsense
