"""Tiny stand-ins for our own programs, light to start: `small_programs.py work`, `… web`."""

import http.server
import os
import signal
import sys
import time

from infra.readiness import announce_ready


def work() -> None:
    print("stands in for", os.environ["CARELOOP_HOME"])
    announce_ready()
    while True:
        time.sleep(60)


class Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def web() -> None:
    host, _, port = os.environ["CARELOOP_WEB_BIND"].rpartition(":")
    http.server.HTTPServer((host, int(port)), Pages).serve_forever()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    {"work": work, "web": web}[sys.argv[1]]()
