"""What users may say of their files: the options of `specdm train` that become options of `open_scene`.

Each is declared here once and read here once; the command only lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from specdm.cli import texts


def _option(help_: str) -> Any:
    return typer.Option(help=help_, rich_help_panel="What the files mean", show_default=False)


Mask = Annotated[
    list[str] | None,
    _option("Mask of each image, a folder of masks, one a date, or CLASS=FILE for each class; repeat it."),
]
MaskKind = Annotated[
    str | None,
    _option(
        "What the mask holds: values, change, abundances (parts that sum to one), continuous (free values), or "
        "dominant (abundances made into classes)."
    ),
]
MaskVariable = Annotated[str | None, _option("Mask array; without --mask in the image's own file.")]
Dates = Annotated[
    str | None, _option("Label of each date, such as 2000-03-17,2003-02-06; then the images are the dates.")
]
Date = Annotated[str | None, _option("When a single image was taken.")]
Sensors = Annotated[str | None, _option("one, or each if every date has a sensor of its own.")]
Sensor = Annotated[str | None, _option("sentinel2: its band names and centres.")]
Dataset = Annotated[str | None, _option("Known data set in that folder; specdm catalog lists them.")]
QuantityNames = Annotated[str | None, _option("Names of a continuous mask's layers: tree,water,soil.")]
QuantityUnits = Annotated[str | None, _option("Their units, one each or one for all: m.")]
ClassNames = Annotated[str | None, _option("1=corn,2=woods or a YAML or CSV file.")]
UnlabelledValue = Annotated[
    str | None, _option("Mask values that mean no class, or none; default: 0 if it has no name.")
]
UnlabelledImagery = Annotated[
    list[str] | None,
    _option(
        "More imagery of the same bands that nobody labelled: a file, a folder or a quoted pattern such as "
        "'more/*.hdr' (with --dates a file with all dates, or one a date with commas between); repeat it."
    ),
]
ClassesKept = Annotated[str | None, _option("Classes to keep, by name or value.")]
Bands = Annotated[str | None, _option("Bands to keep: positions from 0, names, ranges in nm (450-900).")]
Wavelengths = Annotated[
    str | None, _option("Band centres in nm, or a text table of them; with --sensors each one table a date.")
]
Fwhm = Annotated[str | None, _option("Band widths in nm, likewise.")]
Nodata = Annotated[str | None, _option("Image values that mean no data.")]
Scale = Annotated[str | None, _option("Factor for image values; with --sensors each one a date.")]
Offset = Annotated[str | None, _option("Added after it, likewise.")]
Resolution = Annotated[
    int | None, _option("Pixel size in m of a product with several: 10, 20 (default) or 60 for Sentinel-2.")
]
Quality = Annotated[
    str | None,
    _option(
        "Pixels of a product that become no data: keep for none, or some of cloud, cloud_edge, cirrus, shadow, haze, "
        "snow, water, dark, saturated, defective, negative."
    ),
]
BadBands = Annotated[str | None, _option("leave_out (default) or keep bands that a file marks as bad.")]
Units = Annotated[str | None, _option("Unit of image values.")]
Variable = Annotated[
    str | None, _option("Image array in a file with several; with --dates one a date: T1,T2.")
]
Rows = Annotated[int | None, _option("Rows of a flattened matrix.")]
Columns = Annotated[int | None, _option("Columns of a flattened matrix.")]
Order = Annotated[str | None, _option("Its pixels: F column by column, C row by row.")]
Layout = Annotated[
    str | None, _option("Dimensions of a plain array: yxb or byx; with a date axis dyxb or dbyx.")
]
SplitMap = Annotated[list[Path] | None, _option("Given training and test ground.")]
SplitMapKind = Annotated[
    str | None, _option("values (0 nothing, 1 train, 2 test), or train if it marks training pixels only.")
]
Citation = Annotated[str | None, _option("What to cite for the data; default: the catalogue's for --dataset.")]
Licence = Annotated[
    str | None,
    _option("Licence of the data, such as 'CC BY 4.0', likewise; it goes on the cards of tiles, models and exports."),
]
Name = Annotated[str | None, _option("What to call the scene.")]

_READ: Mapping[str, Callable[[Any], Any]] = {
    "mask": texts.masks,
    "dates": texts.words,
    "quantity_names": texts.words,
    "quantity_units": texts.word_or_words,
    "variable": texts.word_or_words,
    "mask_variable": texts.word_or_words,
    "sensor": texts.word_or_words,
    "quality": texts.word_or_words,
    "class_names": texts.class_names,
    "classes": texts.choices,
    "bands": texts.choices,
    "unlabelled_value": partial(texts.whole_numbers, option="--unlabelled-value"),
    "wavelengths": partial(texts.numbers_or_file, option="--wavelengths"),
    "fwhm": partial(texts.numbers_or_file, option="--fwhm"),
    "scale": partial(texts.number_or_numbers, option="--scale"),
    "offset": partial(texts.number_or_numbers, option="--offset"),
    "nodata": partial(texts.numbers, option="--nodata"),
    "split_map": texts.one_or_many,
}
"""How an option's text becomes a value; an option that is not here is taken as it is."""

_AS_THEY_ARE = (
    "mask_kind", "date", "sensors", "resolution", "bad_bands", "dataset", "units", "rows", "columns", "order",
    "layout", "split_map_kind",
    "name", "citation", "licence",
)  # fmt: skip


def scene_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Options of `open_scene` from the parameters of a command; what was not given is left out.

    Args:
        given: parameter -> what the command line holds; others than the options above are ignored.

    Raises:
        ConfigError: an option that cannot be read.
    """
    # typer gives an empty list or tuple for an option that may be repeated and was not
    found = {key: read(given[key]) for key, read in _READ.items() if given.get(key) not in (None, [], ())}
    if "unlabelled_value" in found:
        found["unlabelled"] = found.pop("unlabelled_value")
    return found | {key: given[key] for key in _AS_THEY_ARE if given.get(key) is not None}
