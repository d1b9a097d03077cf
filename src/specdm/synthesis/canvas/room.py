"""Whether a scene fits on the disk, asked before the hours that drawing may take."""

from __future__ import annotations

import shutil
from pathlib import Path

from specdm.errors import RunError
from specdm.tiles.export.sizes import readable


def check_room(path: Path, needed: int) -> None:
    """Ask for room where a scene is written.

    Args:
        path: of the scene; its folder is there.
        needed: bytes at the least, of the scene and of what is kept beside it meanwhile.

    Raises:
        RunError: less is free.
    """
    free = shutil.disk_usage(path.parent).free
    if needed > free:
        raise RunError(
            f"{path}: takes at least {readable(needed)} while it is drawn, but {readable(free)} are free there; make "
            "room, choose another place, or a smaller scene"
        )
