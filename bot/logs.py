"""Log lines: for people or, with `CADENCE_LOG_FORMAT=json`, for machines. Never a token, never user input.

An error's message can quote what people wrote: a database names the row it refuses, a parser the words it
can't read. So a traceback shows types and places, and of the message only what is known to come from the
program.
"""

import logging
import sqlite3
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import suppress
from threading import Lock
from types import TracebackType
from typing import TextIO

import structlog
from slack_sdk.errors import SlackApiError

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


class _Lines:
    """Writes lines to the current standard error. A line that can't be written is lost, as in `logging`."""

    def __init__(self) -> None:
        self._turn = Lock()

    def msg(self, line: str) -> None:
        """Write one line."""
        with self._turn, suppress(OSError, ValueError):  # nobody reads it any more, or it is closed
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    debug = info = warning = error = critical = msg


_LINES = _Lines()


def set_up_logs(*, level: str, form: str) -> None:
    """Send every line to standard error in one format: the bot's directly, the libraries' through
    `logging`."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: list[structlog.typing.Processor] = (
        [structlog.processors.ExceptionRenderer(_told), structlog.processors.JSONRenderer()]
        if form == "json"
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                exception_formatter=_print,
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
            foreign_pre_chain=[*shared, _without_words],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(
        max(logging.WARNING, logging.getLevelName(level.upper()))
    )  # libraries log exceptions that they handle
    sys.excepthook = _crashed
    threading.excepthook = lambda args: _crashed(args.exc_type, args.exc_value, args.exc_traceback)
    # The SDK's log of a failed call can quote the call's headers; the gateway reports the failure.
    logging.getLogger("slack_sdk.web").setLevel(logging.CRITICAL)
    # Procrastinate's log lines contain job arguments; queue_runner.py reports failures.
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
    # The scheduler skips a run while a slow one is still going, and logs it: not worth a line.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


def _told(exc_info: ExcInfo) -> str:
    """A traceback with its causes: types, places, and `_facts`."""
    return "\n".join(_lines_of(exc_info[1], set()))


def _print(lines: TextIO, exc_info: ExcInfo) -> None:
    lines.write(f"\n{_told(exc_info)}")


def _lines_of(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in seen:
        yield from _lines_of(before, seen)
        yield "\nThat led to:\n" if error.__cause__ else "\nWhile that was handled:\n"
    if error.__traceback__ is not None:
        yield "Traceback (most recent call last):"
        yield "".join(traceback.format_tb(error.__traceback__)).rstrip()
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    yield f"{name}: {facts}" if (facts := _facts(error)) else name
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _lines_of(one, seen)


def _facts(error: BaseException) -> str:
    """The safe parts of an error: codes, a driver's words about a connection, constants of the program."""
    import psycopg  # noqa: PLC0415 - slow to load, and a program on SQLite needs it for its first error only

    if isinstance(error, SlackApiError):
        return str(error.response.get("error", ""))
    if isinstance(error, psycopg.Error) and error.sqlstate is not None:
        return f"SQLSTATE {error.sqlstate}"
    if isinstance(error, psycopg.OperationalError | sqlite3.OperationalError):
        return str(error)
    if isinstance(error, sqlite3.Error):
        return str(getattr(error, "sqlite_errorname", ""))
    if isinstance(error, OSError):
        return error.strerror or ""
    return str(error) if _is_ours(error) else ""


def _is_ours(error: BaseException) -> bool:
    """Whether an error's message is a literal in the code that raised it."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return at is not None and str(error) in {
        one for one in at.tb_frame.f_code.co_consts if isinstance(one, str)
    }


def _without_words(
    _logger: object, _name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Replace a library's line that quotes an error by the error's type."""
    record: logging.LogRecord = event["_record"]
    given = record.args if isinstance(record.args, tuple) else ()
    known = [record.exc_info[1] if record.exc_info else None, sys.exc_info()[1], *given]
    for error in known:
        if isinstance(error, BaseException):
            for words in filter(None, (repr(error), str(error))):
                event["event"] = str(event["event"]).replace(words, type(error).__name__)
    return event


def _crashed(kind: type[BaseException], error: BaseException | None, at: TracebackType | None) -> None:
    """The last lines of a crashed process or thread, by the same rules."""
    if error is not None and not isinstance(error, KeyboardInterrupt | SystemExit):
        structlog.get_logger("bot").critical("crashed", exc_info=(kind, error, at))
