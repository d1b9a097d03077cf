"""The site builds without a warning: every link, anchor and reference of every page leads somewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from docs_pages import ROOT

import specdm
import specdm.torch


class _Page(HTMLParser):
    """Links and anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.anchors |= {value for key in ("id", "name") if (value := given.get(key))}
        self.links += [value for key in ("href", "src") if (value := given.get(key))]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` builds it; a warning is an error."""
    pytest.importorskip("mkdocs")
    from mkdocs.commands.build import build
    from mkdocs.config import load_config

    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_MKDOCS_2_WARNING", "1")
        patch.chdir(ROOT)
        build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(folder), strict=True))
    return folder


def test_every_link_leads_somewhere(site: Path) -> None:
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html") if path.name != "404.html"}
    assert len(pages) > 40
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = path if not parts.path else (path.parent / unquote(parts.path)).resolve()
            target = target / "index.html" if target.is_dir() else target
            anchor = unquote(parts.fragment)
            if not target.exists() or (anchor and target in pages and anchor not in pages[target].anchors):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert not broken


def test_every_result_has_a_page_that_is_found() -> None:
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    results = {f"benchmarks/results/{path.name}" for path in (ROOT / "benchmarks" / "results").glob("*.md")}
    assert results and not {page for page in results if f": {page}\n" not in nav}


def test_every_benchmark_is_named() -> None:
    text = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    found = (ROOT / "benchmarks").glob("*.py")
    scripts = {path.name for path in found if "def main(" in path.read_text(encoding="utf-8")}
    assert scripts and not {name for name in scripts if f"`{name}`" not in text}


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    """Fonts, scripts and styles come with the site, so that it can be read without a network."""
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.findall(r'<(?:script|img)[^>]+src="https?:', text), path
        assert not re.findall(r'<link[^>]+rel="(?:stylesheet|preconnect)"[^>]+href="https?:', text), path


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("reference/commands", ["specdm-train", "specdm-sample", "specdm-annotate", "specdm-usefulness"]),
        ("reference/settings", ["codec", "reader", "denoiser", "sampling"]),
        ("reference/python", [f"specdm.{name}" for name in specdm.__all__ if not name.startswith("__")]),
        ("reference/torch", [f"specdm.torch.{name}" for name in specdm.torch.__all__]),
        ("benchmarks/index", ["fidelity-15-minutes-of-training-each"]),
    ],
)
def test_generated_pages_hold_what_they_should(site: Path, page: str, expected: list[str]) -> None:
    anchors = _Page((site / f"{page}.html").read_text(encoding="utf-8")).anchors
    assert set(expected) <= anchors


def test_generated_pages_have_the_facts(site: Path) -> None:
    from specdm.evaluation.metrics import METRICS
    from specdm.scenes.catalog import DATASETS

    metrics = (site / "reference/metrics.html").read_text(encoding="utf-8")
    assert all(f"<code>{key}</code>" in metrics for key in METRICS)
    datasets = _Page((site / "reference/datasets.html").read_text(encoding="utf-8")).anchors
    assert set(DATASETS) <= datasets
    commands = (site / "reference/commands.html").read_text(encoding="utf-8")
    assert "--composition-strength" in commands and "What is given" in commands


def test_benchmark_records_are_not_copies(site: Path) -> None:
    """The numbers on the site are those of the records in the folder."""
    text = (ROOT / "benchmarks/results/usefulness.md").read_text(encoding="utf-8")
    number = re.search(r"\d\.\d{3} ± \d\.\d{3}", text)
    assert number is not None
    assert number[0] in (site / "benchmarks/results/usefulness.html").read_text(encoding="utf-8")
