"""Without the extra there is one line that says how to get it."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from specdm.errors import SceneError
from specdm.simulation import simulate_scene
from specdm.simulation.library import load_library


def test_missing_earthlib(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "earthlib" else found(name, *rest)
    )
    load_library.cache_clear()
    with pytest.raises(SceneError, match=r'earthlib.*pip install "specdm\[simulate\]"') as error:
        simulate_scene(size=(8, 8), classes=("bare soil", "water"), wavelengths=[500, 850])
    assert "\n" not in str(error.value)


def test_missing_xleaf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xleaf", None)  # what makes an import fail
    with pytest.raises(SceneError, match=r'xleaf.*pip install "specdm\[simulate\]"'):
        simulate_scene(size=(8, 8), classes=("grassland", "water"), wavelengths=[500, 850])


def test_earthlib_is_not_imported() -> None:
    """It would bring pandas, loguru and more, only to read one table."""
    if importlib.util.find_spec("earthlib") is None:
        pytest.skip('needs pip install "specdm[simulate]"')
    load_library.cache_clear()
    load_library()
    assert "earthlib" not in sys.modules
