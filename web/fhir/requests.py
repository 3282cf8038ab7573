"""What every request at the FHIR door must bring: a media type we read, a body of bearable size, a version."""

import re

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from web.fhir.answers import refuse

_MEDIA = ("application/fhir+json", "application/json")
_FORMATS = ("json", *_MEDIA)


def require_acceptable() -> None:
    """Refused 406 when the caller takes no JSON."""
    asked = request.args.get("_format")
    # A plus sign arrives as a space where the caller did not encode it.
    if asked is not None and asked.replace(" ", "+") not in _FORMATS:
        raise refuse(406, "_format must be json: this server speaks application/fhir+json only.")
    if request.accept_mimetypes and request.accept_mimetypes.best_match(_MEDIA) is None:
        raise refuse(406, "Accept must allow application/fhir+json: this server speaks nothing else.")


def body(limit: int) -> bytes:
    """The body as it came. Refused 415 for another media type or charset, 413 above `limit` bytes."""
    if request.mimetype not in _MEDIA:
        raise refuse(415, "Content-Type must be application/fhir+json.")
    if request.mimetype_params.get("charset", "utf-8").lower() != "utf-8":
        raise refuse(415, "The charset must be UTF-8.")
    if request.content_encoding:
        raise refuse(415, "The body must come without Content-Encoding.")
    request.max_content_length = limit
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise refuse(413, f"The body is larger than the {limit} bytes that are taken.") from None


def seen_version() -> str:
    """The version in If-Match. Refused 428 without one, 400 for anything but one ETag."""
    given = request.headers.get("If-Match")
    if given is None:
        raise refuse(428, 'If-Match is required: read the Task and send its ETag, such as W/"3".')
    named = re.fullmatch(r'\s*(?:W/)?"([A-Za-z0-9\-.]{1,64})"\s*', given)
    if named is None:
        raise refuse(400, 'If-Match must hold one ETag, such as W/"3".')
    return named.group(1)


def not_changed(version: str) -> bool:
    """Whether the caller's If-None-Match says it has this version already."""
    return request.if_none_match.contains_weak(version)
