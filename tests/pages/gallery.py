"""The pages with invented people and no store, to be looked at and checked.

`python -m tests.pages.gallery` serves them on a free port of this machine and prints the addresses.
"""

import mimetypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from flask import Flask, Response, render_template
from jinja2 import ChoiceLoader, FileSystemLoader
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.pages.case_shown import call_form, case, new_referral, new_referral_search
from tests.pages.documents_shown import attachment, document, inbox, letters, paper, received_file
from tests.pages.people_shown import frame
from tests.pages.queue_shown import empty_queue, queue

ROOT = Path(__file__).resolve().parents[2]
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
TEMPLATES = (
    ROOT / "web" / "templates",
    ROOT / "web" / "tasks" / "templates",
    ROOT / "web" / "referrals" / "templates",
    ROOT / "web" / "documents" / "templates",
    Path(__file__).parent / "templates",
)

PAGES: dict[str, Callable[[], str]] = {
    "queue": lambda: render_template("tasks/queue.html", frame=frame(), page=queue(selected=(1, 3, 7))),
    "queue-plain": lambda: render_template("tasks/queue.html", frame=frame(), page=queue(live=False)),
    "queue-short": lambda: render_template("tasks/queue.html", frame=frame(), page=queue(selected=(1,), rows=4)),
    "empty": lambda: render_template("tasks/queue.html", frame=frame(), page=empty_queue()),
    "case": lambda: render_template("referrals/case.html", frame=frame(), page=case()),
    "case-form": lambda: render_template("referrals/case.html", frame=frame(), page=case(form=call_form())),
    "new": lambda: render_template("referrals/new.html", frame=frame(), page=new_referral()),
    "new-search": lambda: render_template("referrals/new.html", frame=frame(), page=new_referral_search()),
    "documents": lambda: render_template("documents/inbox.html", frame=frame("documents"), page=inbox()),
    "documents-empty": lambda: render_template("documents/inbox.html", frame=frame("documents"), page=inbox(())),
    "document-file": lambda: render_template("documents/file.html", frame=frame("documents"), page=received_file()),
    "document-refused": lambda: render_template(
        "documents/file.html", frame=frame("documents"), page=received_file(refused=True)
    ),
    "document": lambda: render_template("documents/document.html", frame=frame("documents"), page=document()),
    "document-upload": lambda: render_template("documents/upload.html", frame=frame("documents"), page=attachment()),
    "letters": lambda: render_template("documents/letters.html", frame=frame(), page=letters()),
    "letter": lambda: render_template("documents/letters.html", frame=frame(), page=letters(writing=True)),
    "sign-in": lambda: render_template("sign_in_shown.html", development=True),
    "error": lambda: render_template("error_shown.html"),
}


def live_stream() -> Iterator[str]:
    yield "event: tick\ndata: 1\n\n"


def static_file(filename: str) -> Response:
    """Whole in memory: a page that closes early leaves no open file behind."""
    kind = mimetypes.guess_type(filename)[0] or "application/octet-stream"
    return Response((ROOT / "web" / "static" / filename).read_bytes(), mimetype=kind)


def drawn(name: str, width: int) -> Response:
    """A page of paper, for the pages that show scans."""
    return Response(paper(name, width), mimetype="image/png")


def gallery() -> Flask:
    """An app that serves each page of PAGES under its name, with the real security policy."""
    app = Flask("gallery", static_folder=None)
    app.jinja_env.loader = ChoiceLoader([FileSystemLoader(folder) for folder in TEMPLATES])
    app.jinja_env.globals["csrf_token"] = lambda: "gallery"
    for name, page in PAGES.items():
        app.add_url_rule(f"/{name}", name, page)
    app.add_url_rule("/static/<path:filename>", "static", static_file)
    app.add_url_rule("/sheets/<name>/<int:width>.png", "sheet", drawn)
    app.add_url_rule("/live", "live", lambda: Response(live_stream(), mimetype="text/event-stream"))

    @app.after_request
    def protect(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        return response

    return app


class Quiet(WSGIRequestHandler):
    """Serves without a line per request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@contextmanager
def served() -> Iterator[str]:
    """The gallery on a free port while the block runs; gives its address."""
    server = make_server("127.0.0.1", 0, gallery(), threaded=True, request_handler=Quiet)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


if __name__ == "__main__":
    with served() as address:
        print(*(f"{address}/{name}" for name in PAGES), sep="\n")
        input("Enter stops it. ")
