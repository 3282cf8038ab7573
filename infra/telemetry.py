"""What our processes log: one readable line an event, fields behind it, never patient data.

Only fields that are handed over by name are written; an exception's text never is, since it may quote a record.
"""

import logging
import sys
from typing import TextIO

import structlog

PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
QUIET = ("temporalio", "httpx", "httpcore", "werkzeug", "alembic")


class OneLine(logging.Formatter):
    """`words key=value …`; of an exception its type and where it was raised."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {name: value for name, value in vars(record).items() if name not in PLAIN}
        if record.exc_info and record.exc_info[0]:
            fields["cause"] = record.exc_info[0].__name__
            fields["raised_in"] = _place(record)
        return " ".join([record.getMessage(), *(f"{name}={value}" for name, value in fields.items())])


def _place(record: logging.LogRecord) -> str:
    """File and line of the innermost frame."""
    trace = record.exc_info[2] if record.exc_info else None
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""


def set_up_logging(level: str, stream: TextIO | None = None) -> None:
    """To standard output, for the supervisor or the container to collect, unless another stream is given."""
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(OneLine())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, structlog.stdlib.render_to_log_kwargs],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
