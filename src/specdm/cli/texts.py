"""What users write in options, as values: lists, names of classes, settings."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from specdm.errors import ConfigError

_NUMBERS = re.compile(r"none|[-+]?\d+(\.\d+)?(\s*,\s*[-+]?\d+(\.\d+)?)*", re.IGNORECASE)
"""What was once said to --unlabelled: mask values, or that there are none."""


def numbers_or_file(text: str | None, *, option: str) -> list[float] | list[str] | str | None:
    """ "450,550.5" as numbers; "nominal" as it is; else the name of a file, or of several, which must be there.

    Raises:
        ConfigError: neither numbers nor a file.
    """
    if text is None or text == "nominal":
        return text
    try:
        return [float(part) for part in _parts(text)]
    except ValueError:
        if Path(text).is_file():
            return text
        if all(Path(part).is_file() for part in _parts(text)):
            return _parts(text)
    raise ConfigError(
        f"{option} {text}: expected numbers with commas between them, or a file; there is no such file"
    )


def numbers(text: str | None, *, option: str) -> list[float] | None:
    """ "-32768,0" as numbers.

    Raises:
        ConfigError: something else.
    """
    if text is None:
        return None
    try:
        return [float(part) for part in _parts(text)]
    except ValueError:
        raise ConfigError(f"{option} {text}: expected numbers with commas between them") from None


def number_or_numbers(text: str | None, *, option: str) -> float | list[float] | None:
    """ "0.0001" as a number, "1,0.0001" as numbers.

    Raises:
        ConfigError: something else.
    """
    found = numbers(text, option=option)
    return found[0] if found and len(found) == 1 else found


def choices(text: str | None) -> list[str | int] | None:
    """ "woods,3,450-900" as names and whole numbers."""
    if text is None:
        return None
    return [int(part) if re.fullmatch(r"-?\d+", part) else part for part in _parts(text)]


def whole_numbers(text: str | None, *, option: str) -> list[int] | None:
    """ "0,255" as numbers; "none" as no number at all.

    Raises:
        ConfigError: something else.
    """
    if text is None:
        return None
    if text.strip().lower() == "none":
        return []
    try:
        return [int(part) for part in _parts(text)]
    except ValueError:
        raise ConfigError(f"{option} {text}: expected whole numbers with commas between them") from None


def class_names(text: str | None) -> dict[int, str] | list[str] | None:
    """ "1=corn,2=woods", or "corn,woods" for the values in ascending order, or a YAML or CSV file of these.

    A CSV file has the value in the first column and the name in the second; a first line without a number is
    taken as its heading.

    Raises:
        ConfigError: none of these, or a value that is no whole number.
    """
    if text is None:
        return None
    path = Path(text)
    if path.suffix.lower() in (".yaml", ".yml", ".json", ".csv"):
        return _class_file(path)
    parts = _parts(text)
    if not any("=" in part for part in parts):
        return parts
    return _mapping(_pairs(parts, option="--class-names"), where="--class-names")


def composition(text: str | None) -> dict[str, float] | None:
    """ "woods=0.3,corn=0.1" as share of each class.

    Raises:
        ConfigError: no "name=share", or a share outside 0 to 1, or shares that sum to more than 1.
    """
    if text is None:
        return None
    shares: dict[str, float] = {}
    for name, value in _pairs(_parts(text), option="--composition"):
        if name in shares:
            raise ConfigError(f"--composition {text}: {name} is there twice; give each class one share")
        try:
            shares[name] = float(value)
        except ValueError:
            shares[name] = -1.0
        if not 0 <= shares[name] <= 1:
            raise ConfigError(f"--composition {name}={value}: expected a share between 0 and 1")
    if sum(shares.values()) > 1 + 1e-9:
        raise ConfigError(
            f"--composition {text}: the shares sum to {sum(shares.values()):g}; expected at most 1"
        )
    return shares


def settings(texts: Sequence[str]) -> dict[str, Any]:
    """Each "key=value" of --set, the value read as YAML.

    Raises:
        ConfigError: no "=", or a value that is no YAML.
    """
    import yaml

    found: dict[str, Any] = {}
    for key, value in _pairs(texts, option="--set"):
        try:
            found[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise ConfigError(f"--set {key}={value}: the value cannot be read; quote it") from None
    return found


def words(text: str | None) -> list[str] | None:
    """ "before,after" as words."""
    return None if text is None else _parts(text)


def word_or_words(text: str | None) -> str | list[str] | None:
    """ "T1,T2" as words, "T1" as one word."""
    found = words(text)
    return found[0] if found and len(found) == 1 else found


def network(text: str) -> str | None:
    """ "inception" as it is, "none" as None.

    Raises:
        ConfigError: no such image network.
    """
    from specdm.evaluation.networks import PACKAGES

    if text == "none":
        return None
    if text not in PACKAGES:
        raise ConfigError(f"--network {text}: there is no such image network; choose {', '.join(PACKAGES)} or none")
    return text


def masks(texts: Sequence[str]) -> Path | list[Path] | dict[str, Path] | None:
    """Each --mask: files or folders; or "class=file" throughout, as class name -> file.

    Raises:
        ConfigError: some with a class and some without, or a class twice.
    """
    # a name with an equals sign in it may be a file's own
    pairs = [text for text in texts if "=" in text and not Path(text).exists()]
    if not pairs:
        return one_or_many([Path(text) for text in texts])
    if len(pairs) < len(texts):
        plain = next(text for text in texts if text not in pairs)
        raise ConfigError(f"--mask {plain}: the other masks are CLASS=FILE ({pairs[0]}); give all of them so")
    found: dict[str, Path] = {}
    for name, file in _pairs(pairs, option="--mask"):
        if name in found:
            raise ConfigError(f"--mask {name}={file}: {name} has a mask already ({found[name]}); give one each")
        found[name] = Path(file)
    return found


def imagery(texts: Sequence[str]) -> list[str]:
    """Each --unlabelled as it is: a file, a folder or a pattern.

    Raises:
        ConfigError: a number, which is a value of the mask and no imagery.
    """
    for text in texts:
        if _NUMBERS.fullmatch(text.strip()) and not Path(text).exists():
            raise ConfigError(
                f"--unlabelled {text}: expected imagery without labels (a file, a folder or a pattern); mask values "
                f"that mean no class are given with --unlabelled-value {text}"
            )
    return list(texts)


def one_or_many(paths: Sequence[Path | str]) -> Path | list[Path] | None:
    """One path as it is, several as a list, none as None."""
    found = [Path(path) for path in paths]
    return (found if len(found) > 1 else found[0]) if found else None


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _pairs(parts: Sequence[str], *, option: str) -> list[tuple[str, str]]:
    pairs = []
    for part in parts:
        name, equals, value = part.partition("=")
        if not equals or not name.strip():
            raise ConfigError(f"{option} {part}: expected name=value")
        pairs.append((name.strip(), value.strip()))
    return pairs


def _class_file(path: Path) -> dict[int, str] | list[str]:
    import yaml

    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: class names cannot be read ({error})") from None
    if path.suffix.lower() == ".csv":
        rows = [row for row in csv.reader(text.splitlines()) if len(row) >= 2]
        if rows and not rows[0][0].strip().lstrip("-").isdigit():
            rows = rows[1:]
        if rows:
            return _mapping([(row[0].strip(), row[1].strip()) for row in rows], where=str(path))
    try:
        found = None if path.suffix.lower() == ".csv" else yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: is no YAML ({error})") from None
    if isinstance(found, list) and found:
        return [str(name) for name in found]
    if not isinstance(found, dict) or not found:
        raise ConfigError(f"{path}: holds no class names; expected lines such as '1: corn' or '1,corn'")
    return _mapping(found.items(), where=str(path))


def _mapping(pairs: Any, *, where: str) -> dict[int, str]:
    names: dict[int, str] = {}
    for value, name in pairs:
        try:
            number = int(value)
        except (TypeError, ValueError):
            raise ConfigError(f"{where}: {value}={name} has no whole number as mask value") from None
        if number in names:
            raise ConfigError(
                f"{where}: {number} is both {names[number]!r} and {str(name)!r}; give each value one name"
            )
        names[number] = str(name)
    return names
