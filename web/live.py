"""Live rows: a stream of server-sent events says which rows changed; the page reads them again with its own rights."""

import json
import threading
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue

from flask import Blueprint, Flask, Response, abort, g
from sqlalchemy import URL

from activities.records import web_session
from activities.records.notices import MISSED, Notice, listen
from rules.access import Permission
from web.access import current, requires
from web.settings import WebParts, parts

LIVE = "careloop_live"
MOST, TICK = 40, 10.0


class Stream:
    """One open page: what it has still to be told. None ends it."""

    def __init__(self, tenant: str) -> None:
        self.tenant = tenant
        self._waiting: SimpleQueue[Notice | None] = SimpleQueue()

    def tell(self, notice: Notice | None) -> None:
        self._waiting.put(notice)

    def next(self, seconds: float) -> Notice | None:
        """The next notice, or None at the end; raises `Empty` when nothing was said for `seconds`."""
        return self._waiting.get(timeout=seconds)


class Live:
    """The streams of this process, `most` at once, all fed by one listening connection that the first one opens.

    Make it after a fork: a connection does not survive one. A quiet stream hears a `tick` every `tick` seconds.
    """

    def __init__(self, url: URL, most: int = MOST, tick: float = TICK) -> None:
        self._url, self.most, self.tick = url, most, tick
        self._streams: set[Stream] = set()
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._ear: threading.Thread | None = None

    def __len__(self) -> int:
        return len(self._streams)

    def join(self, tenant: str) -> Stream | None:
        """A stream of this clinic's notices; None when the process has no place for another or is stopping."""
        stream = Stream(tenant)
        with self._lock:
            if self._stop.is_set() or len(self._streams) >= self.most:
                return None
            self._streams.add(stream)
            if self._ear is None:
                self._ear = threading.Thread(target=self._listen, name="live", daemon=True)
                self._ear.start()
        stream.tell(MISSED)  # what happened between the page and its stream
        return stream

    def leave(self, stream: Stream) -> None:
        with self._lock:
            self._streams.discard(stream)

    def close(self) -> None:
        """Ends every stream and takes no more; the process is stopping."""
        self._stop.set()
        for stream in list(self._streams):
            stream.tell(None)

    def _listen(self) -> None:
        listen(self._url, self._tell, self._stop)

    def _tell(self, notice: Notice) -> None:
        with self._lock:
            meant = [one for one in self._streams if notice.tenant in ("", one.tenant)]
        for stream in meant:
            stream.tell(notice)


class LivePages:
    """The stream's own address."""

    def __init__(self, live: Live) -> None:
        self._live = live

    @requires(Permission.SESSION, background=True)
    def stream(self) -> Response:
        """Events `changed` (kind and ids) and `tick`; 503 when this process holds as many streams as it may."""
        work, token = parts(), g.session_token
        stream = self._live.join(current().tenant) or abort(503, "Too many pages are live; this one asks by itself.")
        words = said(stream, self._live.tick, lambda: still_signed_in(work, token))
        answer = Response(words, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})
        answer.call_on_close(lambda: self._live.leave(stream))
        return answer


def said(stream: Stream, tick: float, alive: Callable[[], bool]) -> Iterator[str]:
    """The stream's text until it is closed or `alive` says no, which is asked at every tick."""
    yield event("tick", {})
    while True:
        try:
            notice = stream.next(tick)
        except Empty:
            if not alive():
                return
            yield event("tick", {})
            continue
        if notice is None:
            return
        yield event("changed", {"kind": notice.kind, "ids": notice.ids})


def event(name: str, data: dict[str, object]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


def still_signed_in(work: WebParts, token: str) -> bool:
    """Whether the session goes on; asking does not count as activity."""
    with work.sessions.platform() as store:
        found = web_session.find(store, token)
    return found is not None and found[1].active and web_session.live(found[0], work.clock(), work.settings.idle)


def create_live(live: Live) -> Blueprint:
    """The stream, to be registered by the application."""
    blueprint = Blueprint("live", __name__)
    blueprint.add_url_rule("/live", "stream", LivePages(live).stream)
    blueprint.record_once(lambda state: state.app.extensions.setdefault(LIVE, live))
    return blueprint


def close_streams(app: Flask) -> None:
    """Ends the open streams of an application, so that its process can stop."""
    live: Live | None = app.extensions.get(LIVE)
    if live is not None:
        live.close()
