"""What others may rely on: the names of `specdm` and `specdm.torch`, each with an entry in the documentation."""

from __future__ import annotations

import inspect
import re

import pytest
from docs_pages import DOCS

import specdm
import specdm.torch

NAMES = [
    "Scene",
    "SceneCollection",
    "SpecDMPipeline",
    "TileSet",
    "__version__",
    "distill",
    "evaluate",
    "fit",
    "open_scene",
    "open_tiles",
    "reliability",
    "tile_scenes",
    "usefulness",
]
TORCH_NAMES = [
    "EpochSampler",
    "FillNoData",
    "MixedDataset",
    "RandomOrientation",
    "Standardize",
    "TileDataModule",
    "TileDataset",
]
"""A name is added here when it is meant to stay, and goes only after a release that warned."""

FIRST_ARGUMENTS = {
    "distill": ["pipeline", "tiles"],
    "evaluate": ["synthetic"],
    "fit": ["tiles"],
    "open_scene": ["image"],
    "open_tiles": ["path"],
    "reliability": ["tiles"],
    "tile_scenes": ["scenes"],
    "usefulness": ["run"],
}
"""What functions take without a name; everything else they take by name only, so that it may move."""


def test_the_names_are_these() -> None:
    assert sorted(specdm.__all__) == NAMES
    assert sorted(specdm.torch.__all__) == TORCH_NAMES


@pytest.mark.parametrize("name", FIRST_ARGUMENTS)
def test_functions_take_options_by_name(name: str) -> None:
    parameters = inspect.signature(getattr(specdm, name)).parameters.values()
    by_place = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    assert by_place == FIRST_ARGUMENTS[name]


def test_every_function_is_in_the_table_above() -> None:
    functions = {name for name in specdm.__all__ if inspect.isfunction(getattr(specdm, name))}
    assert functions == set(FIRST_ARGUMENTS)


@pytest.mark.parametrize(("module", "page"), [(specdm, "python.md"), (specdm.torch, "torch.md")])
def test_every_name_has_an_entry(module, page: str) -> None:
    text = (DOCS / "reference" / page).read_text(encoding="utf-8")
    entries = re.findall(rf"^::: {re.escape(module.__name__)}\.(\w+)$", text, flags=re.MULTILINE)
    wanted = {name for name in module.__all__ if not name.startswith("__")}
    assert set(entries) >= wanted
    assert len(entries) == len(set(entries))


@pytest.mark.parametrize("name", [*(f"specdm.{n}" for n in NAMES), *(f"specdm.torch.{n}" for n in TORCH_NAMES)])
def test_every_name_says_what_it_is(name: str) -> None:
    module, _, last = name.rpartition(".")
    if last.startswith("__"):
        return
    found = getattr(specdm.torch if module.endswith("torch") else specdm, last)
    assert inspect.getdoc(found)
    assert found.__module__.startswith("specdm.")
