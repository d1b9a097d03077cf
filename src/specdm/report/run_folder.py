"""The folder of a run: where everything is, and whether it may be written to."""

from __future__ import annotations

import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path

from specdm.errors import RunError
from specdm.hub.names import hub_name
from specdm.scenes.write_failures import partial_name, whole_file

PARTS = {
    "config.yaml", "source.yaml", "tiles", "checkpoints", "model", "synthetic",
    "evaluation.json", "reliability.json", "usefulness", "report.html", "log",
}  # fmt: skip
"""Names that a run folder may hold."""


@dataclass(frozen=True)
class RunFolder:
    """Paths within a run folder; none of them need exist."""

    path: Path

    @property
    def config(self) -> Path:
        """The resolved configuration."""
        return self.path / "config.yaml"

    @property
    def source(self) -> Path:
        """What the tiles were made from, and by which command."""
        return self.path / "source.yaml"

    @property
    def tiles(self) -> Path:
        """The real tiles."""
        return self.path / "tiles" / "tiles.zarr"

    @property
    def model(self) -> Path:
        """The trained pipeline."""
        return self.path / "model"

    @property
    def synthetic(self) -> Path:
        """The synthetic tiles, unless they were written elsewhere."""
        return self.path / "synthetic" / "tiles.zarr"

    @property
    def evaluation(self) -> Path:
        return self.path / "evaluation.json"

    @property
    def reliability(self) -> Path:
        """What judging the annotations of the synthetic tiles has found."""
        return self.path / "reliability.json"

    @property
    def usefulness(self) -> Path:
        """Folder of what downstream models have made of the synthetic tiles."""
        return self.path / "usefulness"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    def is_run(self) -> bool:
        """Whether training was begun here."""
        return self.config.is_file() or self.source.is_file()

    def check_is_run(self) -> None:
        """Raise RunError unless training was begun here."""
        if not self.path.exists():
            raise RunError(f"{self.path} does not exist; expected a run folder, as specdm train makes one")
        if not self.is_run():
            raise RunError(
                f"{self.path} is no run folder: it has no config.yaml; expected what specdm train has written"
            )

    def check_can_hold_run(self) -> None:
        """Raise RunError if the folder cannot be written to or holds something else than a run."""
        check_writable(self.path)
        if self.path.is_dir():
            # what a killed `write_text` leaves is written over
            ours = PARTS | {partial_name(self.path / name).name for name in PARTS}
            strange = sorted({item.name for item in self.path.iterdir()} - ours)
            if strange and not self.is_run():
                raise RunError(
                    f"{self.path} is neither empty nor a run folder (it holds {strange[0]}); "
                    "choose another folder"
                )


def model_folder(run: Path) -> Path:
    """The model of a run folder, the folder itself if it is a model, or where a model of the Hub is kept.

    Raises:
        RunError: there is no such folder, or training has not ended yet.
        HubError: a model of the Hub, "owner/name", that cannot be fetched.
        ModelError: what is there on the Hub is no model, or one of a newer version of SpecDM.
    """
    check_has_model(run)
    if hub_name(run, kind="model") is not None:
        from specdm.synthesis.model_files import model_place

        return model_place(run)
    folder = RunFolder(run)
    if not folder.is_run():
        return run
    if not folder.model.is_dir():
        raise RunError(f"{run} has no finished model; go on with: specdm train {shlex.quote(str(run))}")
    return folder.model


def check_has_model(run: Path) -> None:
    """Raise RunError if this is neither a folder nor a name on the Hub, which is not asked."""
    if hub_name(run, kind="model") is None and not run.exists():
        raise RunError(
            f"{run} does not exist; expected a run folder, a model folder, or a model of the Hugging Face Hub, "
            "hf://owner/name"
        )


def check_writable(folder: Path) -> None:
    """Try whether files can be made in a folder that may not exist yet; leaves nothing behind.

    Raises:
        RunError: a parent is a file, or the place takes no files.
    """
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise RunError(f"{folder} cannot be a folder: {place} is a file; choose another place")
    try:
        # tried out, because permission bits say little to root and on network disks
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        raise RunError(
            f"{folder} cannot be written to ({error.strerror or error}); choose another place"
        ) from None


def write_text(path: Path, text: str) -> None:
    """Write a small file so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")
