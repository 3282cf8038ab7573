"""A member of staff at her browser: signs in by the identity provider, reads pages, fills in forms."""

import time
from collections.abc import Callable
from types import TracebackType

import httpx

from infra.scenario.page import Page, read_page

LOOK_AGAIN = 0.3


class Refused(Exception):
    """The platform did not do what was asked; the text says what it answered."""


class Staff:
    """One person in one browser; use it as a context manager."""

    def __init__(self, address: str, subject: str) -> None:
        self._http = httpx.Client(base_url=address, follow_redirects=True, timeout=30, trust_env=False)
        self._subject = subject

    def __enter__(self) -> "Staff":
        self.read("/login", hint=self._subject)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def read(self, path: str, **query: str) -> Page:
        """The page at an address, after all redirects."""
        return _page(self._http.get(path, params=query))

    def fill_in(self, path: str, action: str = "", **answers: str) -> httpx.Response:
        """Fills in the form of a page and sends it; `answers` that are no value are looked for among the labels."""
        form = self.read(path).form(action or path)
        filled = form.completed()
        for name, wanted in answers.items():
            known = [value for value, _ in form.choices.get(name, [])]
            filled[name] = wanted if name not in form.choices or wanted in known else form.answer(name, wanted)
        sent = self._http.post(form.action, data=filled)
        _page(sent)
        return sent

    def wait_for(self, path: str, holds: Callable[[Page], bool], seconds: float) -> Page:
        """Looks at a page again and again; raises Refused when it does not come to hold in time."""
        until = time.monotonic() + seconds
        while not holds(page := self.read(path)):
            if time.monotonic() > until:
                raise Refused(f"{path} did not come to what was waited for in {seconds:.0f} s")
            time.sleep(LOOK_AGAIN)
        return page


def _page(answer: httpx.Response) -> Page:
    page = read_page(answer.text)
    if answer.status_code >= 400:
        raise Refused(f"{answer.request.method} {answer.request.url.path} answered {answer.status_code}")
    return page
