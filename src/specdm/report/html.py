"""The report: one HTML file that needs nothing beside it."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specdm.errors import RunError
from specdm.report import headings
from specdm.report.amount_section import amount_section
from specdm.report.change_section import change_section
from specdm.report.copies_section import copies_section
from specdm.report.figures import REAL, SYNTHETIC, loss_curve
from specdm.report.gallery import gallery
from specdm.report.losses import read_losses
from specdm.report.numbers_section import headline, number_groups
from specdm.report.pictures import svg
from specdm.report.reliability_section import reliability_section
from specdm.report.run_folder import write_text
from specdm.report.spectra_section import spectra_section
from specdm.report.usefulness_section import usefulness_section
from specdm.scenes.plot import NODATA_GREY, UNLABELLED_COLOR
from specdm.version import __version__

if TYPE_CHECKING:
    from specdm.evaluation.record import ClassRecord, Evaluation
    from specdm.tiles.tileset import TileSet

PACKAGES = ("torch", "numpy", "scikit-learn", "xarray", "zarr", "diffusers", "lightning")


def write_report(
    path: str | Path,
    *,
    real: TileSet,
    synthetic: TileSet,
    evaluation: Evaluation,
    run: Path | None = None,
    command: str | None = None,
    config_yaml: str | None = None,
) -> Path:
    """Write the report beside what is there and put it in place when it is whole.

    Args:
        path: HTML file to write; one that is there is replaced.
        real: the real tile set; its training tiles are shown, those of labelled scenes.
        synthetic: the synthetic tiles.
        evaluation: of `specdm.evaluation.evaluate`, or read from its JSON file.
        run: run folder; its `log/metrics.csv`, `config.yaml`, `reliability.json` and the records of `usefulness` are
            shown if they are there.
        command: command line that made all this.
        config_yaml: resolved configuration; by default that of the run folder.

    Returns:
        The path.

    Raises:
        RunError: the file cannot be written.
    """
    path = Path(path)
    synthetic = synthetic.synthetic if (synthetic.split == "synthetic").any() else synthetic
    if config_yaml is None and run is not None and (Path(run) / "config.yaml").is_file():
        config_yaml = (Path(run) / "config.yaml").read_text(encoding="utf-8")
    labelled = real.of_labelled_scenes()
    classes = sorted(evaluation.classes, key=lambda record: -record.real_share)
    page = _template().render(
        title=headings.title(labelled),
        task=headings.task(real),
        remark=headings.remark(real),
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        version=__version__,
        real_colour=REAL,
        synthetic_colour=SYNTHETIC,
        unlabelled_colour=UNLABELLED_COLOR,
        nodata_colour=f"rgb({NODATA_GREY:.0%} {NODATA_GREY:.0%} {NODATA_GREY:.0%})",
        subtitle=headings.subtitle(real, synthetic),
        headline=headline(evaluation),
        gallery=gallery(labelled, synthetic),
        composite=headings.composite(real),
        classes=classes,
        legend=_legend(classes, real),
        largest_share=max([max(c.real_share, c.synthetic_share) for c in classes] or [1.0]) or 1.0,
        spectra=spectra_section(classes, real),
        reliability=reliability_section(labelled, synthetic, run),
        usefulness=usefulness_section(real, run),
        copies=copies_section(evaluation, real, synthetic),
        change=change_section(evaluation, labelled, synthetic),
        amounts=amount_section(evaluation.quantities, labelled),
        losses=_losses(run),
        metrics=number_groups(evaluation),
        notes=[*evaluation.notes, *real.problems],
        settings=evaluation.settings,
        command=command,
        config=config_yaml,
        versions=_versions(),
        provenance=_provenance(real, synthetic),
    )
    _write(path, page)
    return path


def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # a missing word is a mistake of ours and must not pass for an empty one
    environment = Environment(
        loader=PackageLoader("specdm.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("template.html.j2")


def _write(path: Path, page: str) -> None:
    try:
        write_text(path, page)
    except OSError as error:
        raise RunError(
            f"cannot write {path}: {error.strerror}; choose a folder that can be written"
        ) from error


def _legend(classes: list[ClassRecord], real: TileSet) -> list[tuple[str, str]]:
    """Name and colour of every class, the judged ones first and in their order."""
    named = [(record.name, record.color) for record in classes]
    rest = zip(real.classes.names, real.classes.colors, strict=True) if real.classes else ()
    return list(dict.fromkeys([*named, *rest]))


def _losses(run: Path | None) -> list[dict[str, str]]:
    if run is None:
        return []
    curves = read_losses(Path(run) / "log" / "metrics.csv")
    return [{"title": c.title, "svg": svg(loss_curve(c), label=f"{c.title} by step")} for c in curves]


def _versions() -> dict[str, str]:
    found = {"SpecDM": __version__, "Python": platform.python_version(), "system": platform.platform()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _provenance(real: TileSet, synthetic: TileSet) -> dict[str, dict[str, Any]]:
    parts = {}
    for name, tiles in (("Real tiles", real), ("Synthetic tiles", synthetic)):
        attrs = {
            key: value
            for key, value in tiles.dataset.attrs.items()
            if key not in ("provenance", "problems", "georeference") and isinstance(value, (str, int, float))
        }
        parts[name] = {**attrs, **tiles.provenance}
    return parts
