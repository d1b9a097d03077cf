"""What of a model's files can be read without torch: their names, and JSON."""

from __future__ import annotations

import json
from pathlib import Path

from specdm.errors import ModelError

CONFIG = "config.json"
WEIGHTS = "diffusion_pytorch_model.safetensors"


def read_json(path: Path) -> dict:
    """A JSON object.

    Raises:
        ModelError: it is missing or none.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"{path}: missing; expected a model folder that SpecDM saved") from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelError(f"{path}: damaged, not readable as JSON ({error}); copy the model again") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path}: found a {type(content).__name__}, expected a JSON object")
    return content
