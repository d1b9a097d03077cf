"""The report: one HTML file that needs nothing beside it."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specdm.errors import RunError
from specdm.evaluation.metrics import METRICS, info_of
from specdm.report.figures import REAL, SYNTHETIC, class_spectra, loss_curve, spectra_limits
from specdm.report.gallery import gallery
from specdm.report.losses import read_losses
from specdm.report.pictures import svg
from specdm.scenes.plot import UNLABELLED_COLOR, composite_bands
from specdm.version import __version__

if TYPE_CHECKING:
    from specdm.evaluation.record import ClassRecord, Evaluation
    from specdm.tiles.tileset import TileSet

MOST_PANELS = 24
"""Classes whose spectra are drawn, most frequent first."""

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
        real: the real tile set; its training tiles are shown.
        synthetic: the synthetic tiles.
        evaluation: of `specdm.evaluation.evaluate`, or read from its JSON file.
        run: run folder; its `log/metrics.csv` and `config.yaml` are shown if they are there.
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
    page = _template().render(
        title=_title(real),
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        version=__version__,
        real_colour=REAL,
        synthetic_colour=SYNTHETIC,
        unlabelled_colour=UNLABELLED_COLOR,
        subtitle=_subtitle(real, synthetic),
        headline=_headline(evaluation),
        gallery=gallery(real, synthetic),
        composite=_composite(real),
        classes=_class_rows(evaluation.classes),
        largest_share=max([max(c.real_share, c.synthetic_share) for c in evaluation.classes] or [1.0]) or 1.0,
        spectra=_spectra(evaluation.classes, real),
        losses=_losses(run),
        metrics=_metric_rows(evaluation),
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
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(page, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise RunError(
            f"cannot write {path}: {error.strerror}; choose a folder that can be written"
        ) from error
    finally:
        if beside.is_file():
            beside.unlink()


def _sources(tiles: TileSet) -> list[str]:
    return list(dict.fromkeys(str(source) for source in tiles.dataset["source"].values))


def _title(real: TileSet) -> str:
    sources = _sources(real)
    return sources[0] if len(sources) == 1 else f"{sources[0]} and {len(sources) - 1} more scenes"


def _subtitle(real: TileSet, synthetic: TileSet) -> str:
    wavelength = real.wavelength
    span = "" if wavelength is None else f" ({wavelength.min():.0f} to {wavelength.max():.0f} nm)"
    classes = f", {len(real.classes)} classes" if real.classes else ""
    return (
        f"{len(synthetic):,} synthetic tiles against {len(real.train):,} real training tiles, "
        f"{real.size} x {real.size} px, {real.n_bands} bands{span}{classes}"
    )


def _headline(evaluation: Evaluation) -> dict[str, Any]:
    cards = [
        {
            "title": info.title,
            "value": info.show(evaluation.metrics.get(key)),
            "bar": info.show_bar(),
            "verdict": info.verdict(evaluation.metrics.get(key)),
            "sentence": info.sentence,
        }
        for key, info in METRICS.items()
        if info.headline and evaluation.metrics.get(key) is not None
    ]
    kept = sum(card["verdict"] == "pass" for card in cards)
    missed = [str(card["title"]) for card in cards if card["verdict"] == "miss"]
    return {"cards": cards, "kept": kept, "of": kept + len(missed), "missed": missed}


def _metric_rows(evaluation: Evaluation) -> list[dict[str, Any]]:
    known = [key for key in METRICS if key in evaluation.metrics]
    rest = [key for key in evaluation.metrics if key not in METRICS]
    rows = []
    for key in [*known, *rest]:
        info, value = info_of(key), evaluation.metrics[key]
        rows.append(
            {
                "key": key,
                "title": info.title,
                "sentence": info.sentence,
                "value": info.show(value),
                "bar": info.show_bar(),
                "better": info.better or "",
                "verdict": info.verdict(value),
            }
        )
    return rows


def _class_rows(classes: list[ClassRecord]) -> list[ClassRecord]:
    return sorted(classes, key=lambda record: -record.real_share)


def _spectra(classes: list[ClassRecord], real: TileSet) -> dict[str, Any]:
    from specdm.evaluation.frequencies import COMMON

    drawn = [record for record in _class_rows(classes) if record.real_mean or record.synthetic_mean]
    drawn, left_out = drawn[:MOST_PANELS], drawn[MOST_PANELS:]
    limits = spectra_limits(drawn)
    units = real.image_units or ""
    panels = []
    for record in drawn:
        figure = class_spectra(record, real.wavelength, n_bands=real.n_bands, limits=limits, y_label=units)
        label = f"Mean spectra of {record.name}, real and synthetic"
        panels.append({"record": record, "svg": svg(figure, label=label)})
    return {
        "panels": panels,
        "left_out": [record.name for record in left_out],
        "common": COMMON,
        "dates": real.n_dates,
    }


def _losses(run: Path | None) -> list[dict[str, str]]:
    if run is None:
        return []
    curves = read_losses(Path(run) / "log" / "metrics.csv")
    return [{"title": c.title, "svg": svg(loss_curve(c), label=f"{c.title} by step")} for c in curves]


def _composite(real: TileSet) -> str:
    bands = composite_bands(real.wavelength, real.n_bands)
    if real.wavelength is None:
        return "bands " + ", ".join(real.band_name[band] for band in bands)
    return ", ".join(f"{real.wavelength[band]:.0f}" for band in bands) + " nm"


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
            if key not in ("provenance", "problems") and isinstance(value, (str, int, float))
        }
        parts[name] = {**attrs, **tiles.provenance}
    return parts
