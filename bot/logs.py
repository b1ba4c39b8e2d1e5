"""Log lines: readable by people or, with `CADENCE_LOG_FORMAT=json`, by machines. Never a token, never a reason."""

import logging
import sys
from contextlib import suppress
from threading import Lock

import structlog


class _Lines:
    """Writes lines to standard error as it is just then. One that can't be written is lost, as in `logging`."""

    def __init__(self) -> None:
        self._turn = Lock()

    def msg(self, line: str) -> None:
        """Write one line."""
        with self._turn, suppress(OSError, ValueError):  # nobody reads any more, or it is closed
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    debug = info = warning = error = critical = msg


_LINES = _Lines()


def set_up_logs(*, level: str, form: str) -> None:
    """Send every line to standard error in one form: ours straight away, the libraries' by way of `logging`."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if form == "json"
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                exception_formatter=structlog.dev.plain_traceback,  # the other one prints what people wrote
            )
        ]
    )
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=lambda *_: _LINES,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # What the SDK logs of a failed call can quote the call's headers; the gateway says what failed.
    logging.getLogger("slack_sdk.web").setLevel(logging.CRITICAL)
    # What Procrastinate says of a job holds its arguments; bot/fleet.py says what went wrong.
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
    # A turn of the worker that takes longer than a quarter of a second leaves out the next one: that is no news.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    for noisy in ("slack_sdk", "slack_bolt", "uvicorn", "websockets", "werkzeug", "alembic"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
