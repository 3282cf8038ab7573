"""Files of `web/static` under an address that carries their content's hash: kept for ever, never stale."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from flask import Flask
from werkzeug.exceptions import NotFound
from whitenoise import WhiteNoise  # type: ignore[import-untyped]

from web.access import public

STATIC = Path(__file__).with_name("static")


def serve_static(app: Flask, folder: Path = STATIC) -> None:
    """`url_for('static', filename=…)` gives `/static/<hash>/…`; WhiteNoise answers it before Flask is asked.

    One hash of the whole folder, so that style sheets find their fonts beside them.
    """
    version = tree_hash(folder)

    @public
    def missing(filename: str) -> str:
        raise NotFound(f"There is no file {filename}.")

    app.add_url_rule(f"/static/{version}/<path:filename>", "static", missing)
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app,
        root=str(folder),
        prefix=f"static/{version}",
        allow_all_origins=False,
        immutable_file_test=lambda _path, _url: True,
        add_headers_function=lambda headers, _path, _url: headers.add_header("X-Content-Type-Options", "nosniff"),
    )


def tree_hash(folder: Path) -> str:
    """Twelve hexadecimal digits over names and contents."""
    whole = sha256()
    for path in _files(folder):
        content = sha256(path.read_bytes()).digest()
        whole.update(path.relative_to(folder).as_posix().encode() + b"\0" + content)
    return whole.hexdigest()[:12]


def _files(folder: Path) -> Iterator[Path]:
    return iter(sorted(path for path in folder.rglob("*") if path.is_file()))
