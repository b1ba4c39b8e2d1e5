"""HTTP with threads: what is being answered when the process stops is answered to its end."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Thread
from typing import Any

import structlog
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer, create_server
from waitress.trigger import trigger

from bot.settings import SettingsRefused

log = structlog.get_logger(__name__)

LISTEN_BACKLOG = 1024
LAST_ANSWERS_SECONDS = 10.0
"""How long requests that are being answered may take when the process stops."""
SETTLE_SECONDS = 0.1
"""A connection just accepted brings its request within this."""


def require_port(host: str, port: int, *, setting: str = "PORT") -> None:
    """Whether a server may listen there, asked first: werkzeug would print a page of its own and exit.

    Raises:
        SettingsRefused: it may not.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as refused:
        number = refused.errno or 0
        why = os.strerror(number) if number > 0 else refused.strerror  # below 0: the host's name isn't known
        raise SettingsRefused(
            [
                f"Nothing can listen at {host}, port {port} ({why}). "
                f"Set {setting} (or HOST) to another one, such as {setting}={3001 if port != 3001 else 3002}."
            ]
        ) from None


@contextmanager
def serving(app: Any, *, host: str, port: int, threads: int, setting: str = "PORT") -> Iterator[str]:
    """Serve a WSGI app; yields its address. Afterwards nobody is let in, and who is in is answered.

    Raises:
        SettingsRefused: nothing can listen there.
    """
    require_port(host, port, setting=setting)
    sockets: dict[int, Any] = {}
    server = create_server(
        app,
        map=sockets,
        host=host,
        port=port,
        threads=threads,
        backlog=LISTEN_BACKLOG,
        ident="rollout-cadence",
    )
    thread = Thread(target=server.run, name="web", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{port}"
    finally:
        _in_its_thread(sockets, wasyncore.dispatcher.close)
        time.sleep(SETTLE_SECONDS)
        if not _wait(lambda: not _answering(sockets)):
            log.warning("stopped before every request was answered")
        _end(sockets)
        thread.join(timeout=5)
        server.task_dispatcher.shutdown()


def _in_its_thread(sockets: dict[int, Any], do: Callable[[BaseWSGIServer], object]) -> None:
    """Have the server's own thread do something to each listener: only that thread may touch its sockets."""
    for one in list(sockets.values()):
        if isinstance(one, BaseWSGIServer):
            one.trigger.pull_trigger(partial(do, one))  # type: ignore[attr-defined]


def _end(sockets: dict[int, Any]) -> None:
    triggers = [one for one in list(sockets.values()) if isinstance(one, trigger)]
    if triggers:
        triggers[0].pull_trigger(partial(wasyncore.close_all, sockets))


def _answering(sockets: dict[int, Any]) -> bool:
    return any(
        one.requests or one.total_outbufs_len
        for one in list(sockets.values())
        if isinstance(one, HTTPChannel)
    )


def _wait(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + LAST_ANSWERS_SECONDS
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
