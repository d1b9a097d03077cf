"""What is a name on the Hub, and what a place on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from specdm.errors import HubError
from specdm.hub.names import HubName, hub_name, new_name


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("me/fields", HubName("me/fields", "model")),
        ("me/fields@v1", HubName("me/fields", "model", "v1")),
        ("hf://me/fields", HubName("me/fields", "model")),
        ("hf://models/me/fields@refs/pr/3", HubName("me/fields", "model", "refs/pr/3")),
        (Path("hf://me/fields"), HubName("me/fields", "model")),
        ("run/model/x", None),
        ("/data/model", None),
        ("../model", None),
        ("./model", None),
        ("model", None),
    ],
)
def test_models(text: str | Path, expected: HubName | None) -> None:
    assert hub_name(text, kind="model") == expected


@pytest.mark.parametrize("there", ["me", "me/fields"])
def test_folders_come_first(there: str) -> None:
    Path(there).mkdir(parents=True)
    assert hub_name("me/fields", kind="model") is None
    assert hub_name("hf://me/fields", kind="model") == HubName("me/fields", "model")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("me/tiles.zarr", None),
        ("hf://datasets/me/tiles", HubName("me/tiles", "dataset")),
        ("hf://me/tiles@v2", HubName("me/tiles", "dataset", "v2")),
        (Path("hf://datasets/me/tiles"), HubName("me/tiles", "dataset")),
    ],
)
def test_tile_sets_need_the_prefix(text: str | Path, expected: HubName | None) -> None:
    assert hub_name(text, kind="dataset") == expected


def test_names_read_back_as_they_are_shown() -> None:
    for name in (HubName("a/b", "model"), HubName("a/b", "dataset", "v1")):
        assert hub_name(str(name), kind=name.kind) == name


@pytest.mark.parametrize(
    ("text", "kind", "revision", "said"),
    [
        ("hf://fields", "model", None, "expected hf://owner/name"),
        ("hf://datasets/me/x", "model", None, "names a dataset"),
        ("hf://models/me/x", "dataset", None, "names a model"),
        ("hf://me/x@v1", "model", "v2", "revision v1, but v2"),
    ],
)
def test_refusals(text: str, kind, revision: str | None, said: str) -> None:
    with pytest.raises(HubError, match=said):
        hub_name(text, kind=kind, revision=revision)


def test_names_to_send_to() -> None:
    Path("me").mkdir()
    assert new_name("me/x", kind="model", revision="v1") == HubName("me/x", "model", "v1")
    assert new_name("hf://datasets/me/x", kind="dataset") == HubName("me/x", "dataset")
    for text in ("x", "a/b/c", "me/x.git", "me/" + "x" * 100, "me/-x", ""):
        with pytest.raises(HubError, match="cannot be a name"):
            new_name(text, kind="model")
