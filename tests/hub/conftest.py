"""A Hub on the loopback address, and a huggingface_hub that knows no other and no cache but the test's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from little_hub import TOKEN, LittleHub, little_hub


@pytest.fixture
def hub_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where huggingface_hub keeps everything; it looks at the environment once, when it is imported."""
    from huggingface_hub import constants

    home = tmp_path / "hf"
    for name, folder in (("HF_HOME", ""), ("HF_HUB_CACHE", "hub"), ("HF_ASSETS_CACHE", "assets")):
        monkeypatch.setattr(constants, name, str(home / folder))
    from huggingface_hub.utils import _cache_assets

    monkeypatch.setattr(_cache_assets, "HF_ASSETS_CACHE", str(home / "assets"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(home / "token"))
    # large files of the Hub itself go by a protocol of their own
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_OIDC_RESOURCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    return home


@pytest.fixture
def hub(hub_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LittleHub]:
    """A Hub, and somebody who is logged in there."""
    with little_hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield hub
