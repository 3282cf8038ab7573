"""Bytes to a browser: a page as a picture, a file as a download. Nothing of a document is ever run by the browser."""

from pathlib import PurePath

from flask import Response, abort, request

from activities.formats import scan

SAFE_NAME = 60


def picture(data: bytes, page: int, rotation: int = 0) -> Response:
    """One page as PNG, as wide as the address asks; 404 where the page cannot be drawn."""
    width = request.args.get("width", default=scan.WIDEST // 2, type=int)
    try:
        return Response(scan.page_picture(data, page, width, rotation), mimetype="image/png")
    except scan.ScanRefused:
        abort(404)


def download(data: bytes, content_type: str, stem: str, called: str = "") -> Response:
    """A file to be saved, under a name of ours; its type is ours too, whatever the sender said."""
    known = {str(kind): suffix for kind, suffix in scan.SUFFIXES.items()}
    suffix = known.get(content_type) or _plain_suffix(called)
    answer = Response(data, mimetype=content_type if content_type in known else "application/octet-stream")
    answer.headers.set("Content-Disposition", "attachment", filename=f"{_plain(stem)}{suffix}")
    return answer


def _plain(stem: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in stem)[:SAFE_NAME]


def _plain_suffix(called: str) -> str:
    suffix = PurePath(called).suffix
    return suffix if suffix[1:].isalnum() and len(suffix) < 8 else ""
