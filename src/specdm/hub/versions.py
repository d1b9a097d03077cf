"""Files of a newer version of SpecDM than the one that reads them."""

from __future__ import annotations

from typing import Any

from specdm.errors import SpecDMError
from specdm.version import __version__


def check_not_newer(found: Any, *, where: str, error: type[SpecDMError]) -> None:
    """Raise `error` if files say that a newer version wrote them; they may hold what this one knows nothing of.

    Args:
        found: the version that they state; anything that is no version is let pass.
        where: what messages call the files.
        error: class of the error.
    """
    from packaging.version import InvalidVersion, Version

    try:
        newer = Version(str(found)) > Version(__version__)
    except InvalidVersion:
        return
    if newer:
        raise error(
            f"{where}: written by SpecDM {found}, but this is SpecDM {__version__}; run: pip install -U specdm"
        )
