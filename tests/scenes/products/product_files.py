"""Tiny replicas of sensor products, in the layout and with the names of their specifications."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import rasterio
from rasterio.transform import from_origin

PLACE = from_origin(600_000, 5_600_040, 30, 30)
CRS = "EPSG:32633"

ENMAP = "ENMAP01-____L2A-DT0000001867_20220724T104526Z_008_V010302_20230628T165614Z"
DESIS = "DESIS-HSI-L2A-DT0428864108_003-20191111T084107-V0210"
LANDSAT = "LC08_L2SP_193024_20220722_20220802_02_T1"
SENTINEL2 = "S2A_MSIL2A_20220724T101559_N0400_R065_T33UUU_20220724T161234.SAFE"
EMIT = "20220810T034103_2222203_001"
PRISMA = "PRS_L2D_STD_20220724101404_20220724101408_0001.he5"

ENMAP_CENTRES = (418.2, 650.5, 1380.4, 2200.1)
DESIS_CENTRES = (401.3, 550.2, 999.0)


def tif(path: Path, values: np.ndarray, *, nodata: float | None = None, transform: Any = PLACE) -> Path:
    """`(band, y, x)` or `(y, x)` in UTM."""
    values = values if values.ndim == 3 else values[None]
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", driver="GTiff", count=len(values), height=values.shape[1], width=values.shape[2],
        dtype=values.dtype, nodata=nodata, crs=CRS, transform=transform,
    ) as file:  # fmt: skip
        file.write(values)
    return path


def jp2(path: Path, values: np.ndarray, *, metres: float) -> Path:
    """`(y, x)` or `(band, y, x)`, lossless, whose upper left corner is that of `PLACE`."""
    values = values if values.ndim == 3 else values[None]
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", driver="JP2OpenJPEG", count=len(values), height=values.shape[1], width=values.shape[2],
        dtype=values.dtype, crs=CRS, transform=from_origin(PLACE.c, PLACE.f, metres, metres),
        QUALITY="100", REVERSIBLE="YES",
    ) as file:  # fmt: skip
        file.write(values)
    return path


def enmap(
    folder: Path,
    image: np.ndarray,
    *,
    layers: Mapping[str, np.ndarray] | None = None,
    gains: Sequence[float] = (1e-4, 1e-4, 1e-4, 2e-4),
    offsets: Sequence[float] = (0.0, 0.0, 0.0, 0.1),
    name: str = ENMAP,
    centres: Sequence[float] = ENMAP_CENTRES,
) -> Path:
    """A folder of EnMAP L2A; `image` is int16 `(4, y, x)`, `layers` as "QL_QUALITY_CLOUD" -> values."""
    place = folder / name
    tif(place / f"{name}-SPECTRAL_IMAGE.TIF", image)
    for key, values in (layers or {}).items():
        tif(place / f"{name}-{key}.TIF", values)
    bands = "".join(
        f'<bandID number="{i + 1}"><wavelengthCenterOfBand>{centre}</wavelengthCenterOfBand>'
        f"<FWHMOfBand>{6.5 + i}</FWHMOfBand><GainOfBand>{gains[i]}</GainOfBand>"
        f"<OffsetOfBand>{offsets[i]}</OffsetOfBand></bandID>"
        for i, centre in enumerate(centres)
    )
    (place / f"{name}-METADATA.XML").write_text(
        '<?xml version="1.0" encoding="UTF-8"?><level_X><base><level>L2A</level><temporalCoverage>'
        "<startTime>2022-07-24T10:45:26.123Z</startTime></temporalCoverage></base><specific>"
        f"<bandCharacterisation>{bands}</bandCharacterisation></specific></level_X>"
    )
    return place


def desis(folder: Path, image: np.ndarray, *, quality: np.ndarray | None = None) -> Path:
    """A folder of DESIS L2A; `image` is int16 `(3, y, x)`, `quality` uint8 `(10, y, x)`."""
    place = folder / "desis"
    tif(place / f"{DESIS}-SPECTRAL_IMAGE.tif", image, nodata=-32768)
    if quality is not None:
        tif(place / f"{DESIS}-QL_QUALITY-2.tif", quality)
    bands = "".join(
        f"<band><bandNumber>{i + 1}</bandNumber><wavelengthCenterOfBand>{centre}</wavelengthCenterOfBand>"
        f"<wavelengthWidthOfBand>{3.2 + i}</wavelengthWidthOfBand><gainOfBand>0.0001</gainOfBand>"
        "<offsetOfBand>0</offsetOfBand></band>"
        for i, centre in enumerate(DESIS_CENTRES)
    )
    (place / f"{DESIS}-METADATA.xml").write_text(
        '<?xml version="1.0"?><hsi_doc xmlns="http://www.dlr.de/hsi"><base><temporalCoverage>'
        "<startTime>2019-11-11T08:41:07.1Z</startTime></temporalCoverage></base><specific>"
        f"<bandCharacterisation>{bands}</bandCharacterisation>"
        "<interiorOrientation><band><bandNumber>1</bandNumber></band></interiorOrientation></specific></hsi_doc>"
    )
    return place


def landsat(
    folder: Path,
    bands: Mapping[int, np.ndarray],
    *,
    pixel: np.ndarray | None = None,
    saturation: np.ndarray | None = None,
    form: str = "json",
    spacecraft: str = "LANDSAT_8",
    level: str = "L2SP",
    name: str = LANDSAT,
) -> Path:
    """A folder of Landsat Collection 2 Level 2; bands and QA are uint16 `(y, x)`."""
    place = folder / name
    for number, values in bands.items():
        tif(place / f"{name}_SR_B{number}.TIF", values, nodata=0)
    tif(place / f"{name}_ST_B10.TIF", np.full_like(next(iter(bands.values())), 44_000), nodata=0)
    for key, qa in (("QA_PIXEL", pixel), ("QA_RADSAT", saturation)):
        if qa is not None:
            tif(place / f"{name}_{key}.TIF", qa)
    groups: dict[str, dict[str, str]] = {
        "PRODUCT_CONTENTS": {"LANDSAT_PRODUCT_ID": name, "PROCESSING_LEVEL": level, "COLLECTION_NUMBER": "02"},
        "IMAGE_ATTRIBUTES": {"SPACECRAFT_ID": spacecraft, "DATE_ACQUIRED": "2022-07-22"},
        # the same keys with other numbers, as real files have them
        "LEVEL1_RADIOMETRIC_RESCALING": {f"REFLECTANCE_MULT_BAND_{n}": "2.0000E-05" for n in bands},
        "LEVEL2_SURFACE_REFLECTANCE_PARAMETERS": {
            key: value
            for n in bands
            for key, value in ((f"REFLECTANCE_MULT_BAND_{n}", "2.75e-05"), (f"REFLECTANCE_ADD_BAND_{n}", "-0.2"))
        },
    }
    if form == "json":
        text = json.dumps({"LANDSAT_METADATA_FILE": groups})
    elif form == "xml":
        inside = [f"<{group}>{_tags(own)}</{group}>" for group, own in groups.items()]
        text = f'<?xml version="1.0"?><LANDSAT_METADATA_FILE>{"".join(inside)}</LANDSAT_METADATA_FILE>'
    else:
        lines = ["GROUP = LANDSAT_METADATA_FILE"]
        for group, own in groups.items():
            lines += [f"  GROUP = {group}", *(f'    {key} = "{value}"' for key, value in own.items())]
            lines += [f"  END_GROUP = {group}"]
        text = "\n".join([*lines, "END_GROUP = LANDSAT_METADATA_FILE", "END", ""])
    (place / f"{name}_MTL.{form}").write_text(text)
    return place


def _tags(entries: Mapping[str, str]) -> str:
    return "".join(f"<{key}>{value}</{key}>" for key, value in entries.items())


S2_BANDS = {
    "B1": 60, "B2": 10, "B3": 10, "B4": 10, "B5": 20, "B6": 20, "B7": 20, "B8": 10, "B8A": 20, "B9": 60, "B10": 60,
    "B11": 20, "B12": 20,
}  # fmt: skip
"""Band in the metadata -> metres of its pixels."""
S2_CENTRES = (442.7, 492.7, 559.8, 664.6, 704.1, 740.5, 782.8, 832.8, 864.7, 945.1, 1373.5, 1613.7, 2202.4)
S2_SIZE = 36
"""Pixels of 10 m along the side of a replica: 18 of 20 m and 6 of 60 m."""


def s2_planes(seed: int = 0) -> dict[str, np.ndarray]:
    """Stored values of each band at its own pixel size, keyed by file name part such as "B02"."""
    random = np.random.default_rng(seed)
    return {
        s2_name(band): random.integers(1200, 9000, (S2_SIZE * 10 // metres,) * 2).astype(np.uint16)
        for band, metres in S2_BANDS.items()
    }


def s2_name(band: str) -> str:
    """ "B1" as file names have it: "B01"."""
    return band if band == "B8A" else f"B{int(band[1:]):02d}"


def sentinel2(
    folder: Path,
    planes: Mapping[str, np.ndarray],
    *,
    level: str = "L2A",
    offset: int | None = -1000,
    scl: np.ndarray | None = None,
    classes: np.ndarray | None = None,
    name: str | None = None,
) -> Path:
    """A SAFE folder. Level-2A has bands of 10 m at 10 m and, B08 not, averaged at 20 m too, as Sen2Cor makes them."""
    place = folder / (name or SENTINEL2.replace("L2A", level))
    granule = place / "GRANULE" / f"{level}_T33UUU_A037008_20220724T102248"
    stem = "T33UUU_20220724T101559"
    for band, metres in S2_BANDS.items():
        key = s2_name(band)
        if level == "L1C":
            jp2(granule / "IMG_DATA" / f"{stem}_{key}.jp2", planes[key], metres=metres)
        elif key != "B10":
            jp2(granule / "IMG_DATA" / f"R{metres}m" / f"{stem}_{key}_{metres}m.jp2", planes[key], metres=metres)
            if metres == 10 and key != "B08":
                coarse = planes[key].reshape(S2_SIZE // 2, 2, S2_SIZE // 2, 2).mean(axis=(1, 3)).astype(np.uint16)
                jp2(granule / "IMG_DATA" / "R20m" / f"{stem}_{key}_20m.jp2", coarse, metres=20)
    if scl is not None:
        jp2(granule / "IMG_DATA" / "R20m" / f"{stem}_SCL_20m.jp2", scl, metres=20)
    if classes is not None:
        jp2(granule / "QI_DATA" / "MSK_CLASSI_B00.jp2", classes, metres=60)
    (place / f"MTD_MSI{level}.xml").write_text(_s2_metadata(level, offset))
    return place


def _s2_metadata(level: str, offset: int | None) -> str:
    response = " ".join(str(n) for n in (0, 0.2, 0.5, 0.9, 1, 1, 0.9, 0.5, 0.2, 0))
    spectral = "".join(
        f'<Spectral_Information bandId="{i}" physicalBand="{band}"><RESOLUTION>{metres}</RESOLUTION><Wavelength>'
        f'<MIN unit="nm">{S2_CENTRES[i] - 50}</MIN><MAX unit="nm">{S2_CENTRES[i] + 50}</MAX>'
        f'<CENTRAL unit="nm">{S2_CENTRES[i]}</CENTRAL></Wavelength><Spectral_Response><STEP unit="nm">2</STEP>'
        f"<VALUES>{response}</VALUES></Spectral_Response></Spectral_Information>"
        for i, (band, metres) in enumerate(S2_BANDS.items())
    )
    tag, group = {
        "L2A": ("BOA_ADD_OFFSET", "BOA_ADD_OFFSET_VALUES_LIST"), "L1C": ("RADIO_ADD_OFFSET", "Radiometric_Offset_List"),
    }[level]  # fmt: skip
    offsets = "" if offset is None else (
        f"<{group}>" + "".join(f'<{tag} band_id="{i}">{offset}</{tag}>' for i in range(13)) + f"</{group}>"
    )
    quantification = {
        "L2A": "<QUANTIFICATION_VALUES_LIST><BOA_QUANTIFICATION_VALUE unit=\"none\">10000</BOA_QUANTIFICATION_VALUE>"
               "<AOT_QUANTIFICATION_VALUE>1000.0</AOT_QUANTIFICATION_VALUE></QUANTIFICATION_VALUES_LIST>",
        "L1C": "<QUANTIFICATION_VALUE unit=\"none\">10000</QUANTIFICATION_VALUE>",
    }[level]  # fmt: skip
    space = f"https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-{level[1:]}.xsd"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><n1:Level-{level[1:]}_User_Product xmlns:n1="{space}"><n1:General_Info>'
        f"<Product_Info><PRODUCT_START_TIME>2022-07-24T10:15:59.024Z</PRODUCT_START_TIME><PROCESSING_LEVEL>Level-"
        f"{level[1:]}</PROCESSING_LEVEL><PROCESSING_BASELINE>{'02.14' if offset is None else '04.00'}"
        "</PROCESSING_BASELINE></Product_Info><Product_Image_Characteristics><Special_Values><SPECIAL_VALUE_TEXT>NODATA"
        "</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX></Special_Values><Special_Values>"
        "<SPECIAL_VALUE_TEXT>SATURATED</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>65535</SPECIAL_VALUE_INDEX>"
        f"</Special_Values>{quantification}{offsets}<Spectral_Information_List>{spectral}</Spectral_Information_List>"
        f"</Product_Image_Characteristics></n1:General_Info></n1:Level-{level[1:]}_User_Product>"
    )


PRISMA_VNIR = (977.0, 951.0, 700.0, 0.0, 407.0)
"""Falling, with one band that was not acquired."""
PRISMA_SWIR = (2497.0, 1800.0, 1400.0, 959.0, 943.0, 0.0)


def prisma(
    folder: Path,
    vnir: np.ndarray,
    swir: np.ndarray,
    *,
    errors: tuple[np.ndarray, np.ndarray] | None = None,
    level: str = "L2D",
) -> Path:
    """One HE5 file; cubes are uint16 in the file's own order, (row, band, column)."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / PRISMA.replace("L2D", level)
    with h5py.File(path, "w") as file:
        fields = file.create_group(f"HDFEOS/SWATHS/PRS_{level}_HCO/Data Fields")
        for name, cube, own in zip(("VNIR", "SWIR"), (vnir, swir), errors or (None, None), strict=True):
            fields[f"{name}_Cube"] = cube
            if own is not None:
                fields[f"{name}_PIXEL_L2_ERR_MATRIX"] = own
        for name, centres in (("Vnir", PRISMA_VNIR), ("Swir", PRISMA_SWIR)):
            file.attrs[f"List_Cw_{name}"] = np.array(centres, np.float32)
            widths = [0.0 if centre == 0 else 10 + centre / 1000 for centre in centres]
            file.attrs[f"List_Fwhm_{name}"] = np.array(widths, np.float32)
            file.attrs[f"List_Cw_{name}_Flags"] = np.array([int(c > 0) for c in centres], np.int32)
        for key, value in {"VnirMin": 0.0, "VnirMax": 0.8, "SwirMin": 0.1, "SwirMax": 1.1}.items():
            file.attrs[f"L2Scale{key}"] = np.float32(value)
        file.attrs["Epsg_Code"] = np.uint32(32633)
        file.attrs["Product_ULcorner_easting"] = np.float32(600_015)
        file.attrs["Product_ULcorner_northing"] = np.float32(5_600_025)
        file.attrs["Product_StartTime"] = np.bytes_("2022-07-24T10:14:04.521000")
        file.attrs["Processing_Level"] = np.bytes_(level[1:])
    return path


EMIT_CENTRES = (381.0, 650.0, 1390.0, 2200.0)
EMIT_GOOD = (1, 1, 0, 1)
EMIT_PLACE = (73.5, 0.000542, 0.0, 21.5, 0.0, -0.000542)


def emit(
    folder: Path, image: np.ndarray, glt_x: np.ndarray, glt_y: np.ndarray, *, mask: np.ndarray | None = None
) -> Path:
    """The reflectance file (downtrack, crosstrack, band), and the mask file (..., 8 layers) beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"EMIT_L2A_RFL_001_{EMIT}.nc"
    with h5py.File(path, "w") as file:
        file.create_dataset("reflectance", data=image.astype(np.float32), chunks=True)
        file["location/glt_x"], file["location/glt_y"] = glt_x.astype(np.int32), glt_y.astype(np.int32)
        file["sensor_band_parameters/wavelengths"] = np.array(EMIT_CENTRES, np.float32)
        file["sensor_band_parameters/wavelengths"].attrs["units"] = "nm"
        file["sensor_band_parameters/fwhm"] = np.full(4, 8.5, np.float32)
        file["sensor_band_parameters/good_wavelengths"] = np.array(EMIT_GOOD, np.uint8)
        file.attrs["geotransform"] = np.array(EMIT_PLACE)
        file.attrs["spatial_ref"] = rasterio.crs.CRS.from_epsg(4326).to_wkt()
        file.attrs["time_coverage_start"] = "2022-08-10T03:41:03+0000"
        file.attrs["_NCProperties"] = "version=2,netcdf=4.9"
    if mask is not None:
        with h5py.File(folder / f"EMIT_L2A_MASK_001_{EMIT}.nc", "w") as file:
            file["mask"] = mask.astype(np.float32)
            file["sensor_band_parameters/mask_bands"] = np.array(
                ["Cloud flag", "Cirrus flag", "Water flag", "Spacecraft Flag", "Dilated Cloud Flag", "AOD550",
                 "H2O (g cm-2)", "Aggregate Flag"], dtype="S"
            )  # fmt: skip
    return path
