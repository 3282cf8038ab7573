"""gunicorn's settings for the web process: threads, nothing loaded before the fork."""

import signal
from types import FrameType
from typing import Any

from infra.settings import load
from web.live import close_streams

_settings = load()

bind = _settings.web_bind
workers = _settings.web_workers
worker_class = "gthread"
threads = _settings.web_threads + _settings.web_streams
preload_app = False  # the engine's client and the LISTEN connection do not survive a fork
timeout = 30
graceful_timeout = 8
keepalive = 5
control_socket_disable = True
loglevel = _settings.log_level
accesslog = None
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(M)sms'  # paths only: a query string may name a patient


def post_worker_init(worker: Any) -> None:
    """An open event stream would keep its thread, and the process, until the graceful time-out."""
    stop = signal.getsignal(signal.SIGTERM)

    def close_and_stop(number: int, frame: FrameType | None) -> None:
        close_streams(worker.wsgi)
        if callable(stop):
            stop(number, frame)

    signal.signal(signal.SIGTERM, close_and_stop)
