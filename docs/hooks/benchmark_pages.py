"""benchmarks/...: the benchmarks' own pages and pictures, as they lie in the folder of that name."""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
PATTERNS = ("benchmarks/*.md", "benchmarks/results/**/*.md", "benchmarks/results/**/*.png")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for pattern in PATTERNS:
        for path in sorted(ROOT.glob(pattern)):
            files.append(File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path)))
    return files
