"""A user's own network: a function of theirs, by the name of its module."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from specdm.errors import ConfigError

if TYPE_CHECKING:
    from torch import nn

EXPECTED = "expected package.module:function, called as function(channels=..., classes=...)"

# a script that parses arguments as it is imported raises SystemExit, which would end ours without a word
FAILURES = (Exception, SystemExit)


def build_own(name: str, *, channels: int, outputs: int) -> nn.Module:
    """What a user's function returns for so many channels and classes.

    Args:
        name: `package.module:function`; the current folder comes first, as it does for `python -m`.
        channels: of the input, bands of all dates together.
        outputs: channels of the output, given to the function as `classes`.

    Raises:
        ConfigError: the module cannot be imported, has no such function, or the function fails or returns something
            else than a `torch.nn.Module` with parameters to learn.
    """
    from torch import nn

    module_name, _, function_name = name.rpartition(":")
    _check_name(name, module_name=module_name, function_name=function_name)
    with _current_folder_first():
        module = _imported(module_name, name=name)
        function = _function(module, function_name, name=name)
        try:
            network = function(channels=channels, classes=outputs)
        except FAILURES as error:
            raise ConfigError(
                f"the network {name} failed for channels={channels}, classes={outputs}: {_said(error)}; {EXPECTED}"
            ) from error
    if not isinstance(network, nn.Module):
        raise ConfigError(f"the network {name} returned {_kind(network)}; expected a torch.nn.Module")
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise ConfigError(f"the network {name} has no parameter to learn; expected some with requires_grad")
    return network


def _check_name(name: str, *, module_name: str, function_name: str) -> None:
    parts = [*module_name.split("."), function_name]
    if all(part.isidentifier() for part in parts) and parts[-2] != "py":
        return
    hint = ""
    if "/" in module_name or "\\" in module_name or module_name.endswith(".py"):
        stem = module_name.replace("\\", "/").rpartition("/")[2].removesuffix(".py")
        hint = f"; for a file of yours, run in its folder and name it {stem}:{function_name or 'function'}"
    raise ConfigError(f"{name!r} names no function of a module; {EXPECTED}{hint}")


def _imported(module_name: str, *, name: str) -> ModuleType:
    # a file written a moment ago may be missing in what Python remembers of folders
    importlib.invalidate_caches()
    try:
        return importlib.import_module(module_name)
    except FAILURES as error:
        missing = isinstance(error, ModuleNotFoundError) and f"{module_name}.".startswith(f"{error.name}.")
        where = f"; it is neither installed nor in the current folder {Path.cwd()}" if missing else "; mend it first"
        raise ConfigError(f"the network {name}: cannot import {module_name}: {_said(error)}{where}") from error


def _function(module: ModuleType, function_name: str, *, name: str) -> Callable[..., object]:
    function = getattr(module, function_name, None)
    if callable(function):
        return function
    there = [key for key, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__]
    found = f"{function_name} is {_kind(function)}" if hasattr(module, function_name) else f"no {function_name}"
    raise ConfigError(
        f"the network {name}: {found} in {getattr(module, '__file__', None) or module.__name__}; "
        f"expected a function there, and there is {', '.join(there) or 'none'}"
    )


@contextmanager
def _current_folder_first() -> Iterator[None]:
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        # what the user's module has added stays
        with suppress(ValueError):
            sys.path.remove(folder)


def _kind(value: object) -> str:
    return "None" if value is None else f"of type {type(value).__name__}"


def _said(error: BaseException) -> str:
    """The error in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")
