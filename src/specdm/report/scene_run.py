"""A scene from a run: drawn from nothing, or around a real one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specdm.errors import RunError
from specdm.report.file_options import file_options
from specdm.report.run_folder import check_writable, model_folder
from specdm.report.scene_source import option_flag

if TYPE_CHECKING:
    from specdm.scenes.scene import Scene

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Extended:
    """A real scene that a drawn one continues.

    Attributes:
        files: its image, one file a date; none to draw from nothing.
        mask: its mask, if it has one, as `open_scene` takes it.
        margin: pixels to add at the top, right, bottom and left.
        known: what of it is known; default: its image and, if there is one, its mask.
        options: of `open_scene`.
    """

    files: Sequence[Path] = ()
    mask: Any = None
    margin: tuple[int, int, int, int] = (0, 0, 0, 0)
    known: Sequence[str] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        """Raise RunError if something is said about a scene, but there is none."""
        about = {
            "--mask": self.mask,
            "--known": self.known,
            "--by": self.margin if any(self.margin) else None,
            **{option_flag(name): value for name, value in self.options.items()},
        }
        if not self.files and (said := [flag for flag, value in about.items() if value is not None]):
            raise RunError(f"{said[0]} is about a scene to extend; name it with --extend FILE")

    def open(self, run: Path, dates: Sequence[Any]) -> Scene:
        """The scene.

        Args:
            run: whose training files were read as these are.
            dates: labels of the model's dates.

        Raises:
            SpecDMError: as `open_scene`; RunError if the files hold several scenes.
        """
        from specdm.scenes.open import open_scene
        from specdm.scenes.scene import Scene

        options = file_options(run, self.options, files=self.files)
        if len(dates) > 1:
            options = {"dates": list(dates), **options}
        files = list(self.files)
        has_mask = self.mask is not None or "mask_variable" in options
        if not has_mask:
            options.pop("unlabelled", None)
        scene = open_scene(files if len(files) > 1 else files[0], mask=self.mask, **options)
        if not isinstance(scene, Scene):
            raise RunError(f"{files[0]}: holds several scenes; give the file of one")
        return scene


def scene_run(
    run: Path,
    output: Path,
    *,
    size: tuple[int, int] | None = None,
    extended: Extended | None = None,
    seed: int = 0,
    batch_size: int = 32,
    overwrite: bool = False,
    callback: Progress | None = None,
    **drawing: Any,
) -> Scene:
    """Draw a scene of any size and write it.

    Args:
        run: run folder, model folder, or a model of the Hub, "owner/name".
        output: file to write, `.nc` or `.tif`.
        size: rows and columns, in pixels.
        extended: a scene to extend; then without a size.
        seed: of all that is drawn at random.
        batch_size: windows at a time; changes memory only.
        overwrite: replace files that are there.
        callback: called with (done, all).
        **drawing: steps, overlap, composition, composition_strength, guidance and dense, as those of
            `SpecDMPipeline.sample_scene`; the model's own for what is None or left out.

    Raises:
        RunError: no trained model, neither or both of size and a scene to extend, or the output exists or cannot be
            written.
        ConfigError: another kind of file than scenes are written to.
        ModelError: the model cannot be loaded, or cannot do what is asked.
        SpecDMError: files that cannot be read, or do not fit the model.
    """
    extended = extended or Extended()
    extended.check()
    if bool(extended.files) == (size is not None):
        raise RunError("say what to draw: --size ROWSxCOLUMNS for a new scene, or --extend FILE to extend a real one")
    model = model_folder(run)
    # mistakes that need no model are told before torch is loaded
    if output.exists() and not (overwrite and output.is_file()):
        raise RunError(f"{output} exists already; choose another name with -o, or add --overwrite to replace it")
    check_writable(output.parent)
    from specdm.synthesis.pipeline import SpecDMPipeline

    pipeline = SpecDMPipeline.from_pretrained(model)
    asked: dict[str, Any] = {key: value for key, value in drawing.items() if value is not None}
    if size is not None:
        asked |= {"height": size[0], "width": size[1]}
    else:
        known_scene = extended.open(run, pipeline.facts.dates)
        asked |= {"known_scene": known_scene, "margin": extended.margin, "known": extended.known}
    return pipeline.sample_scene(
        path=output, seed=seed, batch_size=batch_size, overwrite=overwrite, callback=callback, **asked
    )
