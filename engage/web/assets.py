"""Addresses of style sheets and scripts; each contains the digest of its file, so it can be cached forever."""

import gzip
import hashlib
from functools import cache
from pathlib import Path

from flask import Flask

from engage.base.files import replace_file

STATIC = Path(__file__).parent / "static"


@cache
def asset(name: str) -> str:
    """The address of a file in static/. Raises FileNotFoundError."""
    return f"/static/{name}?{hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:8]}"


def compressed_folder(data_dir: Path) -> Path:
    """Create a copy of static/ with the gzip form of each file beside it, where WhiteNoise looks for it. All processes
    of a data directory share it; it is written once for each version of the files. The families' style sheet is 9 kB
    plain and 2.4 kB compressed. Raises OSError."""
    files = _compressed_files()
    digest = hashlib.sha256(b"".join(name.encode() + content for name, content in files.items())).hexdigest()[:16]
    folder = data_dir / "static" / digest
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, content in files.items():
        if not (folder / name).is_file():
            replace_file(folder / name, content, durable=False)
    return folder


@cache
def _compressed_files() -> dict[str, bytes]:
    """The files of static/ and their gzip forms, by name."""
    plain = {file.name: file.read_bytes() for file in sorted(STATIC.iterdir())}
    return plain | {f"{name}.gz": gzip.compress(content, 9, mtime=0) for name, content in plain.items()}


def install(app: Flask) -> None:
    """Register `asset` for templates."""
    app.jinja_env.globals["asset"] = asset
