"""Multispectral pairs with changes: OSCD and Taizhou."""

from __future__ import annotations

from typing import Any

from specdm.scenes.catalog.entry import DatasetEntry, FileFact, Files, Opening


def _open_oscd(files: Files, given: dict[str, Any]) -> Opening:
    # <root>/<city>/imgs_1_rect/B01.tif; the layout of OSCD knows the rest, also labels in folders beside the images
    return Opening(files.folder, {})


def _open_taizhou(files: Files, given: dict[str, Any]) -> Opening:
    options = {
        "dates": ["2000-03-17", "2003-02-06"],
        "mask": {"unchanged": files["unchanged.bmp"], "changed": files["change.bmp"]},
        "mask_kind": "change",
        "units": "digital numbers",
    }
    return Opening([files["2000TM"], files["2003TM"]], options)


CHANGE = (
    DatasetEntry(
        name="oscd",
        title="Onera Satellite Change Detection (OSCD)",
        task="change",
        sensor="Sentinel-2 MSI (satellite), L1C",
        where="https://ieee-dataport.org/open-access/oscd-onera-satellite-change-detection (page: https://rcdaudt.github.io/oscd/)",
        files=(
            FileFact("imgs_1_rect/*.tif", shape="13 bands of date 1, one file each, on one grid of 10 m"),
            FileFact("imgs_2_rect/*.tif", shape="13 bands of date 2"),
            FileFact("cm/*", shape="cm.png (0 / 255) and <city>-cm.tif (1 unchanged, 2 changed)", optional=True),
            FileFact("dates.txt", shape="the two days", optional=True),
            FileFact("train.txt", shape="14 cities", optional=True),
            FileFact("test.txt", shape="10 cities", optional=True),
        ),
        size=None,
        bands=13,
        wavelengths=(443, 2190),
        classes={1: "unchanged", 2: "changed"},
        citation=(
            "Caye Daudt, Le Saux, Boulch, Gousseau (2018), Urban Change Detection for Multispectral Earth Observation "
            "Using Convolutional Neural Networks, IGARSS, doi:10.1109/IGARSS.2018.8518015"
        ),
        licence="CC BY-NC-SA 4.0",
        opener=_open_oscd,
        note=(
            "Three archives: Images, Train Labels, Test Labels. Figures in the literature differ widely with the "
            "protocol (F1 60 to 75): bands, tiles, whether the official test cities are used. Name yours."
        ),
        place="24 cities, 2015-2018",
        gsd=10,
        scenes=24,
    ),
    DatasetEntry(
        name="taizhou",
        title="Taizhou",
        task="change",
        sensor="Landsat 7 ETM+ (satellite)",
        where="https://github.com/ChenHongruixuan/ChangeDetectionRepository (Dataset/Landsat)",
        files=(
            FileFact(
                "2000TM", 960_000, "8ff595b88f4c97c42dbf8910ce5033d638006d9e5d55d3e60cc0a74455f66f05",
                "6 x 400 x 400 uint8, ENVI",
            ),
            FileFact("2000TM.HDR", 1349, "5518e3c4cd9f307f2ad12910e3d6f8d483f726d610547357d31d6a1aeabce2cb", "header"),
            FileFact(
                "2003TM", 960_000, "df1533574d725d21c571ad4a08c390513360f7e7836196f9e279382744db8c5c",
                "6 x 400 x 400 uint8, ENVI",
            ),
            FileFact("2003TM.HDR", 1349, "c7e3b0d22726217607f79112fdec2e5c41dad153388bb9040939b76c175cd417", "header"),
            FileFact(
                "change.bmp", 161_078, "8a6093e8970fb35f5367e5ccfd9404d3c9f2a956c047e7c595a74a026aa02c07",
                "400 x 400, 0 / 255",
            ),
            FileFact(
                "unchanged.bmp", 161_078, "80f2adc0c0f6cab3bf0ceacaa50d08aa4f0aec9bb4691b7d44dcee3f5f5ae646",
                "400 x 400, 0 / 255",
            ),
        ),
        size=(400, 400),
        bands=6,
        wavelengths=(482.5, 2220),
        classes={0: "unchanged", 1: "changed"},
        citation=(
            "Wu, Du, Zhang (2014), Slow Feature Analysis for Change Detection in Multispectral Imagery, IEEE TGRS "
            "52(5), 2858-2874, doi:10.1109/TGRS.2013.2266673; Du, Ru, Wu, Zhang (2019), Unsupervised Deep Slow Feature "
            "Analysis, IEEE TGRS 57(12), 9976-9992"
        ),
        licence="MIT (files); images USGS/NASA, public domain",
        opener=_open_taizhou,
        note="4227 px changed and 17 163 unchanged of 160 000; the rest is not labelled. Score inside the masks only.",
        place="Taizhou, China, 17 March 2000 and 6 February 2003",
        gsd=30,
    ),
)
