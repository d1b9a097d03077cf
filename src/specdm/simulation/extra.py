"""The two packages that a simulation takes its spectra from, and the one line that says how to get them."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType

from specdm.errors import SceneError


def missing_extra(package: str) -> SceneError:
    """What is raised where a package of the extra is not installed."""
    return SceneError(
        f'simulated scenes need the package {package}, which is not installed; run: pip install "specdm[simulate]"'
    )


def package_folder(package: str) -> Path:
    """Folder of an installed package, found without importing it.

    Raises:
        SceneError: it is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise missing_extra(package)
    return Path(spec.submodule_search_locations[0])


def imported(package: str) -> ModuleType:
    """The package, imported.

    Raises:
        SceneError: it is not installed, or cannot be loaded on this machine.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise missing_extra(package) from error
