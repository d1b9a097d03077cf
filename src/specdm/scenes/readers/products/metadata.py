"""XML metadata of products: the few numbers and texts that are needed, or one clear line."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from specdm.errors import FileFormatError
from specdm.scenes.readers.lazy import one_line
from specdm.scenes.readers.products.files import ProductFiles


class Metadata:
    """A metadata file. Paths are ElementTree's; elements are found in any namespace."""

    def __init__(self, files: ProductFiles, name: str) -> None:
        """Parse `name`, one of the product's files.

        Raises:
            FileFormatError: no XML, or cut off.
        """
        self.where = files.place / name
        try:
            self.root = ElementTree.fromstring(files.read(name))
        except ElementTree.ParseError as error:
            raise FileFormatError(
                f"{self.where}: is no XML, or damaged or truncated ({one_line(error)}); copy or download it again"
            ) from error
        for element in self.root.iter():
            element.tag = element.tag.rsplit("}", 1)[-1]

    def text(self, path: str) -> str | None:
        """Text of the first element at a path, or None."""
        found = self.root.find(path)
        return None if found is None or found.text is None or not found.text.strip() else found.text.strip()

    def elements(self, path: str) -> list[ElementTree.Element]:
        """All elements at a path."""
        return self.root.findall(path)

    def number(self, element: ElementTree.Element, path: str, default: float | None = None) -> float:
        """A number within an element.

        Raises:
            FileFormatError: it is not there and there is no default, or it is no number.
        """
        text = element.findtext(path)
        if (text is None or not text.strip()) and default is not None:
            return default
        try:
            return float(text or "")
        except ValueError:
            have = "is missing" if not text else f"is {text.strip()[:40]!r}"
            raise FileFormatError(
                f"{self.where}: {element.tag}/{path} {have}; expected a number, download the product again"
            ) from None

    def lacks(self, what: str) -> FileFormatError:
        """The error that something that every product has is not there."""
        return FileFormatError(f"{self.where}: has no {what}; it is not whole, download the product again")


def day(text: str | None, *, where: Path) -> str:
    """The day of a time such as "2022-07-24T10:45:26.123Z".

    Raises:
        FileFormatError: there is none.
    """
    found = (text or "")[:10]
    if len(found) != 10 or found[4] != "-" or found[7] != "-":
        raise FileFormatError(f"{where}: has no time of acquisition (found {text!r}); download the product again")
    return found
