"""What formats with a raster file for each part of a tile have in common."""

from __future__ import annotations

from specdm.tiles.export.protocol import Source


def score_names(source: Source) -> list[str]:
    """Names of the layers of scores."""
    names = [f"reliability of {layer}" for layer in source.layout.layers if source.layout.classes is not None]
    return names + (["reliability of amounts"] if source.layout.quantities is not None else [])


def rgb(color: str) -> tuple[int, int, int]:
    """ "#0072b2" as three numbers from 0 to 255."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def file_depths(source: Source, *, class_names: int) -> list[tuple[int, int]]:
    """Bytes a pixel, at the most, and names in the header, of each file of a tile: dates, masks, amounts, scores.

    Args:
        source: what is exported.
        class_names: names that the header of a mask holds.
    """
    layout = source.layout
    bands = [int(n) for n in layout.own_bands.sum(axis=1)]
    bands += [len(layout.quantities)] if layout.quantities is not None else []
    bands += [len(score_names(source))] if source.scored else []
    return [(4 * n, n) for n in bands] + [(2, class_names)] * len(layout.layers)


def layout_lines(source: Source, *, suffix: str, image: str, mask: str, nodata: str) -> list[str]:
    """The files of a tile, lines of Markdown for the card.

    Args:
        source: what is exported.
        suffix: of the files.
        image, mask: how these are stored.
        nodata: how a pixel without a value is told in the other files.
    """
    layout = source.layout
    lines = [image]
    if len(layout.dates) > 1:
        lines.append(f"One image file a date, `image_N_DATE.{suffix}`, with the bands that the date has.")
    if layout.layers:
        several = f" One file a layer, `mask_N_LAYER.{suffix}`." if len(layout.layers) > 1 else ""
        lines.append(f"`mask_N.{suffix}`: {mask}.{several}")
    if layout.quantities is not None:
        lines.append(f"`amount_N.{suffix}`: float32, one band a quantity, {nodata}.")
    if source.scored:
        lines.append(f"`reliability_N.{suffix}`: float32, probability that the label of a pixel is right, {nodata}.")
    return lines
