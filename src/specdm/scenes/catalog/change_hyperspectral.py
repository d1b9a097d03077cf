"""Hyperspectral pairs with changes: Hermiston, Yancheng, Santa Barbara, Bay Area, and the Hyperion maps."""

from __future__ import annotations

from typing import Any

from specdm.errors import SceneError
from specdm.scenes.catalog.arrays import names_by_counts, pair_and_map
from specdm.scenes.catalog.entry import NOT_STATED, DatasetEntry, FileFact, Files, Opening

_CITIUS = "https://citius.usc.es/investigacion/datasets/hyperspectral-change-detection-dataset"
_CITIUS_PAPER = (
    "López-Fandiño, Garea, Heras, Argüello (2018), Stacked Autoencoders for Multiclass Change Detection in "
    "Hyperspectral Images, IGARSS, 1906-1909, doi:10.1109/IGARSS.2018.8518338"
)
_HASANLOU = (
    "Hasanlou, Seydi (2018), Hyperspectral change detection: an experimental comparative study, International Journal "
    "of Remote Sensing 39(20), doi:10.1080/01431161.2018.1466079"
)
_GETNET = (
    "Wang, Yuan, Du, Li (2019), GETNET: A General End-to-End 2-D CNN Framework for Hyperspectral Image Change "
    "Detection, IEEE TGRS 57(1), 3-13, doi:10.1109/TGRS.2018.2849692"
)
_LIU = (
    "Liu, Marinelli, Bruzzone, Bovolo (2019), A Review of Change Detection in Multitemporal Hyperspectral Images, IEEE "
    "GRSM 7(2), doi:10.1109/MGRS.2019.2898520"
)
_BINARY = {0: "unchanged", 1: "changed"}
_KINDS = {0: "unchanged", **{kind: f"change {kind}" for kind in range(1, 6)}}
_KNOWN_PART = {1: "changed", 2: "unchanged"}
"""Santa Barbara and Bay Area: 0 is not known."""


def _pair(
    first: Any, second: Any, mask: Any, dates: tuple[str, str], names: dict[int, str], **more: Any
) -> Opening:
    options = {"dates": list(dates), "mask": mask, "mask_kind": "change", "class_names": names} | more
    return Opening([first, second], options)


def _in_one_file(file: Any, dates: tuple[str, str], names: dict[int, str], **more: Any) -> Opening:
    """Both cubes and the map in one file; their names vary, so they are told by shape."""
    cubes, reference = pair_and_map(file)
    options = {
        "variable": cubes, "mask": file, "mask_variable": reference, "dates": list(dates), "mask_kind": "change",
        "class_names": names,
    }  # fmt: skip
    return Opening(file, options | more)


def _open_hermiston(files: Files, given: dict[str, Any]) -> Opening:
    dates = ("2004-05-01", "2007-05-08")
    if files.variant == "CiTIUS":
        reference = files["rdChangesHermiston_5classes.mat"]
        return _pair(files["hermiston2004.mat"], files["hermiston2007.mat"], reference, dates, _KINDS)
    if files.variant == "USA":
        return _in_one_file(files["USA_Change_Dataset.mat"], dates, _BINARY)
    names = given.pop("class_names", None) or names_by_counts(
        files["SaGT.mat"], {"unchanged": 57_311, "changed": 16_676}
    )
    return _pair(files["Sa1.mat"], files["Sa2.mat"], files["SaGT.mat"], dates, names)


def _open_yancheng(files: Files, given: dict[str, Any]) -> Opening:
    dates = ("2006-05-03", "2007-04-23")
    if files.variant == "farm06, farm07, label":
        return _pair(files["farm06.mat"], files["farm07.mat"], files["label.mat"], dates, _BINARY)
    if files.variant == "Farm1, Farm2, GTChina1":
        names = {1: "unchanged", 2: "changed"}
        return _pair(files["Farm1.mat"], files["Farm2.mat"], files["GTChina1.mat"], dates, names)
    return _in_one_file(files["China_Change_Dataset.mat"], dates, _BINARY)


def _open_santa_barbara(files: Files, given: dict[str, Any]) -> Opening:
    dates = ("2013", "2014")
    if files.variant == "one file":
        return _in_one_file(files["Barbara.mat"], dates, _KNOWN_PART, unlabelled=0)
    reference = files["barbara_gtChanges.mat"]
    return _pair(
        files["barbara_2013.mat"], files["barbara_2014.mat"], reference, dates, _KNOWN_PART, unlabelled=0
    )


def _open_bay_area(files: Files, given: dict[str, Any]) -> Opening:
    dates = ("2013", "2015")
    if files.variant == "one file":
        return _in_one_file(files["BayArea.mat"], dates, _KNOWN_PART, unlabelled=0)
    reference = files["bayArea_gtChanges*.mat"]
    return _pair(
        files["Bay_Area_2013.mat"], files["Bay_Area_2015.mat"], reference, dates, _KNOWN_PART, unlabelled=0
    )


def _hyperion(dates: tuple[str, str], title: str) -> Any:
    def opener(files: Files, given: dict[str, Any]) -> Opening:
        if not (files.has("PreImg*.mat") and files.has("PostImg*.mat")):
            raise SceneError(
                f"{files.folder}: holds the change maps of {title} but no image; put PreImg and PostImg there, or open "
                "another data set"
            )
        # 0 means unchanged in the binary map; the map of kinds has no names for its changes
        images = files["PreImg*.mat"], files["PostImg*.mat"]
        return _pair(*images, files["Reference_Map_Binary.mat"], dates, _BINARY)

    return opener


CHANGE_HYPERSPECTRAL = (
    DatasetEntry(
        name="hermiston",
        title="Hermiston",
        task="change",
        sensor="Hyperion / EO-1 (satellite)",
        where=f"{_CITIUS}; the USA form: https://rslab.ut.ac.ir/data",
        files=(
            FileFact("hermiston2004.mat", shape="HypeRvieW 390 x 200 x 242", variant="CiTIUS"),
            FileFact("hermiston2007.mat", shape="HypeRvieW 390 x 200 x 242", variant="CiTIUS"),
            FileFact("rdChangesHermiston_5classes.mat", shape="gt5clasesHermiston 390 x 200", variant="CiTIUS"),
            FileFact("USA_Change_Dataset.mat", shape="T1, T2 307 x 241 x 154, Binary 307 x 241", variant="USA"),
            FileFact("Sa1.mat", shape="T1 307 x 241 x 154", variant="Sa1, Sa2, SaGT"),
            FileFact("Sa2.mat", shape="T2 307 x 241 x 154", variant="Sa1, Sa2, SaGT"),
            FileFact("SaGT.mat", shape="GT 307 x 241", variant="Sa1, Sa2, SaGT"),
        ),
        size=None,
        bands=None,
        wavelengths=(400, 2500),
        classes=_KINDS,
        citation=f"{_CITIUS_PAPER}; the USA form: {_HASANLOU}",
        licence=NOT_STATED,
        opener=_open_hermiston,
        note=(
            "Two scenes of one place go by this name. CiTIUS: 390 x 200 px, 242 bands (many empty, left out), five "
            "kinds of change without names, 9986 px changed. USA (also as Sa1, Sa2, SaGT): 307 x 241 px, 154 bands, "
            "unchanged 57 311, changed 16 676 px. Copies of SaGT differ in which value means changed: it is told by "
            "those numbers, else asked for."
        ),
        place="Hermiston, Umatilla County, Oregon, USA, 1 May 2004 and 8 May 2007",
        gsd=30,
    ),
    DatasetEntry(
        name="yancheng",
        title="Yancheng (farmland)",
        task="change",
        sensor="Hyperion / EO-1 (satellite)",
        where="http://crabwq.github.io/; the China form: https://rslab.ut.ac.ir/data",
        files=(
            FileFact("farm06.mat", shape="imgh 450 x 140 x 155", variant="farm06, farm07, label"),
            FileFact("farm07.mat", shape="imghl 450 x 140 x 155", variant="farm06, farm07, label"),
            FileFact("label.mat", shape="label 450 x 140, 0 / 1", variant="farm06, farm07, label"),
            FileFact("Farm1.mat", shape="imgh 450 x 140 x 155", variant="Farm1, Farm2, GTChina1"),
            FileFact("Farm2.mat", shape="imghl 450 x 140 x 155", variant="Farm1, Farm2, GTChina1"),
            FileFact("GTChina1.mat", shape="label 450 x 140, 1 / 2", variant="Farm1, Farm2, GTChina1"),
            FileFact("China_Change_Dataset.mat", shape="T1, T2 420 x 140 x 154, Binary", variant="China"),
        ),
        size=None,
        bands=None,
        wavelengths=(400, 2500),
        classes=_BINARY,
        citation=f"{_GETNET}; the China form: {_HASANLOU}",
        licence=NOT_STATED,
        opener=_open_yancheng,
        note=(
            "450 x 140 px with 155 bands, or cut to 420 x 140 with 154 (unchanged 40 417, changed 18 383 px). The "
            "wetland scene of the same days, 430 x 220 px, is hyperion-yancheng."
        ),
        place="Yancheng, Jiangsu, China, 3 May 2006 and 23 April 2007",
        gsd=30,
    ),
    DatasetEntry(
        name="santa-barbara",
        title="Santa Barbara",
        task="change",
        sensor="AVIRIS (airborne)",
        where=_CITIUS,
        files=(
            FileFact("barbara_2013.mat", shape="HypeRvieW 984 x 740 x 224", variant="CiTIUS"),
            FileFact("barbara_2014.mat", shape="HypeRvieW 984 x 740 x 224", variant="CiTIUS"),
            FileFact("barbara_gtChanges.mat", shape="HypeRvieW 984 x 740", variant="CiTIUS"),
            FileFact("Barbara.mat", shape="T1, T2, GT", variant="one file"),
        ),
        size=(984, 740),
        bands=224,
        wavelengths=None,
        classes=_KNOWN_PART,
        citation=_CITIUS_PAPER,
        licence=NOT_STATED,
        opener=_open_santa_barbara,
        note="1 changed 52 134 px, 2 unchanged 80 418 px, 0 (595 608 px) not known and so unlabelled.",
        place="Santa Barbara, California, USA, 2013 and 2014",
    ),
    DatasetEntry(
        name="bay-area",
        title="Bay Area",
        task="change",
        sensor="AVIRIS (airborne)",
        where=_CITIUS,
        files=(
            FileFact("Bay_Area_2013.mat", shape="HypeRvieW 600 x 500 x 224", variant="CiTIUS"),
            FileFact("Bay_Area_2015.mat", shape="HypeRvieW 600 x 500 x 224", variant="CiTIUS"),
            FileFact("bayArea_gtChanges*.mat", shape="HypeRvieW 600 x 500", variant="CiTIUS"),
            FileFact("BayArea.mat", shape="T1, T2, GT", variant="one file"),
        ),
        size=(600, 500),
        bands=224,
        wavelengths=None,
        classes=_KNOWN_PART,
        citation=_CITIUS_PAPER,
        licence=NOT_STATED,
        opener=_open_bay_area,
        note="1 changed 39 270 px, 2 unchanged 34 211 px, 0 (226 519 px) not known and so unlabelled.",
        place="Patterson, California, USA, 2013 and 2015",
    ),
    DatasetEntry(
        name="hyperion-benton",
        title="Hyperion Benton County",
        task="change",
        sensor="Hyperion / EO-1 (satellite)",
        where="https://github.com/SicongLiuRS/Hyperspectral-Change-Detection-Dataset-Irrigated-Agricultural-Area",
        files=(
            FileFact(
                "Reference_Map_Binary.mat", 1633,
                "ad15e98cada5d628628668b3f1c1bd024e6525253dccdcf1306dab69081972c3", "225 x 180, 0 / 1",
            ),
            FileFact(
                "Reference_Map_Multiclass.mat", 1910,
                "20109c5892abcff26a3e241dbe11ccccdb91db0779eab4d7b648d6e0b075ee6f", "225 x 180, 1-7", "", True,
            ),
            FileFact("PreImg*.mat", shape="225 x 180 x 159", optional=True),
            FileFact("PostImg*.mat", shape="225 x 180 x 159", optional=True),
        ),
        size=(225, 180),
        bands=159,
        wavelengths=None,
        classes=_BINARY,
        citation=_LIU,
        licence=NOT_STATED + "; citation asked",
        opener=_hyperion(("2004-05-01", "2007-05-08"), "Benton County"),
        note=(
            "30 579 px unchanged, 9921 changed. The map of kinds has 7 for unchanged and six changes without names. "
            "Bands 8-57, 82-119, 131-164, 182-184 and 187-220 of 242. Names of the image files: check on download."
        ),
        place="Benton County, Oregon, USA, 1 May 2004 and 8 May 2007",
        gsd=30,
    ),
    DatasetEntry(
        name="hyperion-yancheng",
        title="Hyperion Yancheng (wetland)",
        task="change",
        sensor="Hyperion / EO-1 (satellite)",
        where="https://github.com/SicongLiuRS/Hyperspectral-Change-Detection-Dataset-Wetland-Area",
        files=(
            FileFact(
                "Reference_Map_Binary.mat", 3742,
                "4b1159a0d20becd43a2af6e859a2e170d51225dd09da9588ce0988f632235165", "430 x 220, 0 / 1",
            ),
            FileFact(
                "Reference_Map_Multiclass.mat", 3942,
                "d479a2adc21dc68bcd4fa4bb2346c07205a5ca28bc23c9249e9b53b527148c34", "430 x 220, 0-5", "", True,
            ),
            FileFact("PreImg*.mat", shape="430 x 220 x 128", optional=True),
            FileFact("PostImg*.mat", shape="430 x 220 x 128", optional=True),
        ),
        size=(430, 220),
        bands=128,
        wavelengths=None,
        classes=_BINARY,
        citation=_LIU,
        licence=NOT_STATED + "; citation asked",
        opener=_hyperion(("2006-05-03", "2007-04-23"), "Yancheng"),
        note=(
            "70 442 px unchanged, 24 158 changed. The map of kinds has 0 for unchanged and five changes without names. "
            "Names of the image files: check on download."
        ),
        place="Yancheng, Jiangsu, China, 3 May 2006 and 23 April 2007",
        gsd=30,
    ),
)
