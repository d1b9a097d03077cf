"""reference/settings.md: every setting with its default and what the presets make of it, from `RunConfig`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PAGE = "reference/settings.md"
INTRODUCTION = """# Settings

A preset, then a YAML file (`--config FILE`), then single keys (`--set denoiser.batch_size=16`; in Python
`specdm.fit(tiles, denoiser__batch_size=16)`): what comes later wins. `config.yaml` in a run folder has them all. A
run's budget (`minutes`, `steps`) and the sections `training` and `sampling` may change when training goes on; nothing
else may.
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    files.append(File.generated(config, PAGE, content=setting_page()))
    return files


def setting_page() -> str:
    """The page in Markdown."""
    from specdm.training.config import PRESETS, RunConfig, load_config

    presets = {name: _flat(load_config(preset=name).model_dump(mode="json")) for name in PRESETS}
    lines = [INTRODUCTION]
    for section, field in RunConfig.model_fields.items():
        model: Any = field.annotation
        if not hasattr(model, "model_fields"):
            continue
        lines += [f"\n## {section}\n\n{(model.__doc__ or '').strip()}\n", _row("key", *PRESETS, "what it is")]
        lines.append(_row(*["---"] * (len(PRESETS) + 2)))
        for key, about in _keys(model, section):
            lines.append(_row(f"`{key}`", *(f"`{presets[name][key]}`" for name in PRESETS), about))
    return "\n".join(lines) + "\n"


def _keys(model: Any, prefix: str) -> Iterator[tuple[str, str]]:
    for name, field in model.model_fields.items():
        if hasattr(field.annotation, "model_fields"):
            yield from _keys(field.annotation, f"{prefix}.{name}")
        else:
            yield f"{prefix}.{name}", field.description or ""


def _flat(record: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in record.items():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


def _row(*cells: object) -> str:
    return "| " + " | ".join("none" if cell is None else str(cell) for cell in cells) + " |"
