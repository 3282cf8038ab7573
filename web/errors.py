"""Every refusal as a page that says what happened, what is safe, what is not done and what to do, with an id.

A door with a language of its own (`/fhir`) registers how it says the same: `speak(app, "/fhir", handler)`.
"""

import logging
import secrets
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from flask import Flask, current_app, make_response, redirect, render_template, request, url_for
from flask_wtf.csrf import CSRFError  # type: ignore[import-untyped]
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable
from werkzeug.wrappers import Response

from web.access import BACKGROUND, BearerNeeded, MissingPermission, SignInNeeded, signed_in, whom_to_ask
from web.fhir.bearer import BearerRefused, IssuerAway
from web.present import Act
from web.settings import parts

log = logging.getLogger("careloop.web")
DOORS = "careloop_doors"
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
KEPT_FIELDS, KEPT_CHARACTERS = 200, 200_000
SAVED = "Everything you saved before. What you were typing is still in the other page: go back one step."
NOTHING_SENT = "Nothing was sent to a partner or a patient by this step."

Speaker = Callable[[HTTPException], Any]


@dataclass(frozen=True)
class ErrorPage:
    """One refusal in words. `rows` are label and sentence."""

    title: str
    happened: str
    rows: tuple[tuple[str, str], ...] = ()
    acts: tuple[Act, ...] = ()
    icon: str = "alert-circle"


HOME = Act("Go to your start page", "/", "arrow-left")
PAGES: dict[int, ErrorPage] = {
    400: ErrorPage(
        "This request could not be read",
        "Something in the address or the form is missing or has another form than Careloop expects.",
        (("What is safe", SAVED), ("What is not done", NOTHING_SENT), ("What to do", "Open the page again and retry.")),
        (HOME,),
    ),
    403: ErrorPage(
        "You cannot do this with your role",
        "Your account does not have the right that this page or step asks for.",
        (("What is safe", "Everything: nothing was changed."), ("What is not done", NOTHING_SENT)),
        (HOME,),
        "lock",
    ),
    404: ErrorPage(
        "There is nothing here",
        "This address leads to nothing that you can see. It may be mistyped, or belong to another clinic.",
        (("What is safe", "Everything: nothing was changed."), ("What to do", "Search for the patient or case.")),
        (HOME,),
        "file-search",
    ),
    405: ErrorPage(
        "This address takes another kind of request",
        "The page was asked for in a way it does not answer.",
        (("What is safe", "Everything: nothing was changed."), ("What to do", "Open the page from the menu.")),
        (HOME,),
    ),
    409: ErrorPage(
        "Somebody was faster",
        "What you worked on has changed since your page was loaded.",
        (
            ("What is safe", "The newer version is kept, and so is what you saved before."),
            ("What is not done", "Your last step was not applied. " + NOTHING_SENT),
            ("What to do", "Open the case again, look at the change, and decide anew."),
        ),
        (HOME,),
        "replace",
    ),
    413: ErrorPage(
        "This is larger than Careloop takes",
        "The form or file is over the size limit.",
        (("What is safe", SAVED), ("What to do", "Send a smaller file, or several.")),
        (HOME,),
        "upload",
    ),
    422: ErrorPage(
        "The form is not complete yet",
        "One or more fields need an answer before this step can be taken.",
        (("What is safe", SAVED), ("What is not done", NOTHING_SENT), ("What to do", "Go back and fill them in.")),
        (HOME,),
        "pencil",
    ),
    429: ErrorPage(
        "Too many requests from here",
        "This address asked more often than Careloop answers, so it waits a moment.",
        (("What is safe", SAVED), ("What to do", "Wait a minute, then try again.")),
        (HOME,),
        "hourglass",
    ),
    500: ErrorPage(
        "Careloop made a mistake",
        "The page could not be made. The cause is in our log under the id below.",
        (
            (
                "What is safe",
                "Everything you saved before. A step you had confirmed is stored and is finished by itself.",
            ),
            ("Timers", "Deadlines keep running; none is lost."),
            ("What to do", "Try again. If it happens twice, tell IT the id."),
        ),
        (HOME,),
        "plug-connected-x",
    ),
    503: ErrorPage(
        "A part of Careloop does not answer",
        "A service this page needs did not answer in time. It is being tried again.",
        (
            ("What is safe", "Everything you saved. A step you had confirmed is stored and is finished by itself."),
            ("Timers", "Deadlines keep running; none is lost."),
            ("What to do", "Wait a moment and try again."),
        ),
        (HOME,),
        "plug-connected-x",
    ),
}


class Told(HTTPException):
    """An HTTP refusal with a page of its own words."""

    def __init__(self, code: int, page: ErrorPage) -> None:
        super().__init__(page.happened)
        self.code = code
        self.page = page


def speak(app: Flask, prefix: str, speaker: Speaker) -> None:
    """Addresses below `prefix` answer refusals in a language of their own, the unknown ones among them too."""
    app.extensions.setdefault(DOORS, {})[prefix] = speaker


def answer_errors(app: Flask) -> None:
    """Puts the pages in place of Flask's own."""
    app.register_error_handler(Exception, handle)


def handle(error: Exception) -> Any:
    """Any exception as an answer; what nobody foresaw is logged by its place in the code, never by its words."""
    refusal = as_refusal(error)
    error_id = new_id()
    if refusal.code is not None and refusal.code >= 500:
        log.error("refused %s", error_id, extra=_where(error, error_id))
    for prefix, speaker in current_app.extensions.get(DOORS, {}).items():
        if request.path == prefix or request.path.startswith(f"{prefix}/"):
            return speaker(refusal)
    if refusal.response is not None:
        return refusal.response  # a redirect that routing itself asks for
    if isinstance(refusal, SignInNeeded):
        return ask_to_sign_in()
    return show(page_for(refusal), refusal, error_id)


def as_refusal(error: Exception) -> HTTPException:
    """The HTTP meaning of an exception; unknown ones are ours to answer for."""
    if isinstance(error, HTTPException):
        return error
    if isinstance(error, BearerRefused):
        return BearerNeeded(str(error))
    if isinstance(error, IssuerAway):
        return ServiceUnavailable("The identity provider's keys cannot be fetched just now.")
    return InternalServerError(original_exception=error)


def page_for(refusal: HTTPException) -> ErrorPage:
    """The words for a refusal; a view's own description takes the place of what happened."""
    if isinstance(refusal, Told):
        return refusal.page
    if isinstance(refusal, MissingPermission):
        ask = ("Whom to ask", f"This needs one of these roles: {whom_to_ask(refusal.permission)}.")
        return replace(PAGES[403], rows=(*PAGES[403].rows, ask))
    if isinstance(refusal, CSRFError):
        return _stale_form()
    code = refusal.code or 500
    page = PAGES.get(code) or PAGES[400 if code < 500 else 500]
    own = refusal.description if refusal.description != type(refusal).description else None
    return replace(page, happened=own) if own and code < 500 else page


def _stale_form() -> ErrorPage:
    return ErrorPage(
        "This page was opened by somebody else, or too long ago",
        "The form does not belong to who is signed in here now, so it was not taken.",
        (
            ("What is safe", SAVED),
            ("What is not done", NOTHING_SENT),
            (
                "What to do",
                "Open the page again. If a colleague signed in on this computer, sign in as yourself first.",
            ),
        ),
        (HOME,),
        "user-x",
    )


def show(page: ErrorPage, refusal: HTTPException, error_id: str) -> Response:
    """The page, or only its card where htmx puts it into a part of a page."""
    template = "error_card.html" if "HX-Request" in request.headers else "error.html"
    body = render_template(
        template, page=page, error_id=error_id, person=signed_in(), development=parts().settings.development
    )
    response = make_response(body, refusal.code or 500)
    for name, value in refusal.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def ask_to_sign_in() -> Response:
    """A page is sent to sign-in; a form or a part of a page gets 401 and stays as it is, nothing typed is lost."""
    again = url_for("login.again")
    by_script = request.headers.get("Sec-Fetch-Dest") == "empty"
    if by_script or "HX-Request" in request.headers or BACKGROUND in request.headers:
        # `HX-Reswap: none`: htmx 4 would put the body of a 401 in place of the form.
        return make_response("", 401, {"HX-Reswap": "none", "X-Careloop-Sign-In": again})
    if request.method in ("GET", "HEAD"):
        return redirect(url_for("login.sign_in", next=request.full_path.rstrip("?")), 303)
    body = render_template(
        "sign_in_again.html",
        fields=kept_fields(),
        files=[name for name, file in request.files.items() if file.filename],
        action=request.full_path.rstrip("?"),
        again=again,
        development=parts().settings.development,
    )
    return make_response(body, 401, {"X-Careloop-Sign-In": again})


def kept_fields() -> list[tuple[str, str]] | None:
    """What was typed, to be sent again from the page itself; None when it is too much to carry."""
    fields = list(request.form.items(multi=True))
    if len(fields) > KEPT_FIELDS or sum(len(name) + len(value) for name, value in fields) > KEPT_CHARACTERS:
        return None
    return fields


def new_id() -> str:
    """An id to read out on the phone: no letter looks like a digit."""
    return "E-" + "".join(secrets.choice(ALPHABET) for _ in range(8))


def _where(error: Exception, error_id: str) -> dict[str, object]:
    # The words of an exception may name a patient (a row, a form): only its type and its place are logged.
    cause = getattr(error, "original_exception", None) or error
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(cause.__traceback__)]
    return {"error_id": error_id, "type": type(cause).__name__, "endpoint": request.endpoint, "frames": frames}
