"""HTTP: who is being answered when the process stops is answered, and nobody new is let in."""

import socket
from collections.abc import Iterable
from contextlib import ExitStack
from threading import Event, Thread
from typing import Any

import pytest

from bot.runtime.http_server import require_port, serving
from bot.settings import SettingsRefused
from tests.contexts import assert_golden
from tests.processes.programs import eventually, fetch, free_port


def test_a_request_that_is_being_answered_is_answered_to_its_end() -> None:
    begun, go_on = Event(), Event()
    answers: list[tuple[int, str]] = []

    def slow(_environ: Any, start_response: Any) -> Iterable[bytes]:
        begun.set()
        assert go_on.wait(30)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"answered" * 10_000]

    server = ExitStack()
    port = free_port()
    url = server.enter_context(serving(slow, host="127.0.0.1", port=port, threads=2))

    def shut() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) != 0

    asking = Thread(target=lambda: answers.append(fetch(url)))
    asking.start()
    assert begun.wait(30)
    stopping = Thread(target=server.close)
    stopping.start()
    eventually(shut, "nobody new is let in")
    assert stopping.is_alive()
    assert answers == []
    go_on.set()
    asking.join(30)
    stopping.join(30)
    assert answers == [(200, "answered" * 10_000)]


def test_a_port_that_is_taken_is_said_by_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsRefused) as refused:
            require_port("127.0.0.1", port, setting="CADENCE_WORKER_PORT")
    assert_golden("\n".join(refused.value.sentences).replace(str(port), "PORT_TAKEN"), "port-taken")
