"""What a stranger can do to the HTTP server: nothing that people notice. Every test uses a real socket."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_network
from threading import Event, Thread
from typing import Any

import pytest
from werkzeug.wrappers import Request, Response

from bot.runtime.asgi_host import AsgiHost, Traffic
from bot.runtime.http_server import Limits, serving
from tests.processes.programs import eventually, fetch

HEAD = b"POST /echo HTTP/1.1\r\nHost: x\r\n"
FORM = HEAD + b"Content-Length: 5\r\n\r\n"
BIG = HEAD + b"Content-Length: 300000000\r\n\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


class App:
    """Echoes; `/stuck` waits until it is released. Counts what reached a thread."""

    def __init__(self) -> None:
        self.go_on = Event()
        self.reached: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        request = Request(environ)
        self.reached.append(request.path)
        if request.path == "/stuck":
            self.go_on.wait(30)
        if request.path == "/huge":
            return Response(b"x" * 50_000_000)(environ, start_response)
        if request.path == "/broken":
            raise ZeroDivisionError
        said = f"{request.method} {request.query_string.decode()} {request.get_data(as_text=True)}"
        return Response(said, headers={"X-Kept": "é"})(environ, start_response)


@contextmanager
def served(app: App, *, threads: int = 2, api: AsgiHost | None = None, **limits: Any) -> Iterator[int]:
    """The port of a server with these limits."""
    with serving(app, host="127.0.0.1", port=0, threads=threads, limits=Limits(**limits), api=api) as url:
        try:
            yield int(url.rpartition(":")[2])
        finally:
            app.go_on.set()


@pytest.fixture
def app() -> App:
    return App()


def connect(port: int, sent: bytes = b"") -> socket.socket:
    """A connection on which something was sent."""
    one = socket.create_connection(("127.0.0.1", port), timeout=20)
    one.sendall(sent)
    return one


def heard(connection: socket.socket) -> bytes:
    """Everything the server sends until it hangs up."""
    said = b""
    try:
        while piece := connection.recv(65_536):
            said += piece
    except ConnectionResetError:
        pass
    return said


def answer(connection: socket.socket) -> bytes:
    """One complete response, by its stated length."""
    said = b""
    while b"\r\n\r\n" not in said or len(said.partition(b"\r\n\r\n")[2]) < length(said):
        piece = connection.recv(65_536)
        assert piece, said
        said += piece
    return said


def taken(connection: socket.socket, piece: bytes, *, times: int, apart: float = 0) -> int:
    """How often the server let a piece be sent before it hung up."""
    for count in range(times):
        try:
            connection.sendall(piece)
        except OSError:
            return count
        time.sleep(apart)
    return times


def length(said: bytes) -> int:
    """The body length in the headers."""
    return int(said.partition(b"content-length: ")[2].partition(b"\r\n")[0])


def test_a_request_is_passed_on_as_it_came(app: App) -> None:
    with served(app) as port:
        sent = (
            b"POST /a%20b/%C3%BC?q=%20x HTTP/1.1\r\nHost: x\r\nX_Spoofed: 1\r\nContent-Length: 5\r\n\r\nhello"
        )
        with connect(port, sent) as one:
            said = answer(one)
        assert said.startswith(b"HTTP/1.1 200")
        assert said.endswith(b"POST q=%20x hello")
        assert b"\r\nx-kept: \xe9\r\n" in said
        assert app.reached == ["/a b/ü"]
        assert fetch(f"http://127.0.0.1:{port}/broken")[0] == 500


def test_a_connection_is_used_again_also_for_chunks(app: App) -> None:
    with served(app) as port, connect(port) as one:
        for _ in range(3):
            one.sendall(CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
            assert answer(one).endswith(b"POST  abcde")


@pytest.mark.parametrize(
    "sent",
    [b"", b"POST", HEAD, b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HT"],
    ids=["nothing", "a word", "no end", "a second request"],
)
def test_who_does_not_finish_the_headers_is_hung_up_on(app: App, sent: bytes) -> None:
    with served(app, header_seconds=0.2) as port, connect(port, sent) as one:
        began = time.monotonic()
        assert heard(one).count(b"HTTP/1.1 200") == sent.count(b"\r\n\r\n")
        assert time.monotonic() - began < 5


def test_a_drop_now_and_then_does_not_buy_time(app: App) -> None:
    with served(app, header_seconds=0.5) as port, connect(port, b"GET / HTTP/1.1\r\n") as one:
        assert taken(one, b"X-A: b\r\n", times=200, apart=0.05) < 100


def test_an_idle_connection_is_closed(app: App) -> None:
    with served(app, idle_seconds=0.2) as port, connect(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") as one:
        assert heard(one).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("sent", [FORM + b"ab", CHUNKED + b"3\r\nab"], ids=["length", "chunks"])
def test_who_does_not_finish_the_body_gets_a_408(app: App, sent: bytes) -> None:
    with served(app, body_seconds=0.2) as port, connect(port, sent) as one:
        assert heard(one).startswith(b"HTTP/1.1 408")
    assert app.reached == []


def test_a_body_that_says_it_is_too_large_is_refused_unread(app: App) -> None:
    with served(app) as port, connect(port, BIG) as one:
        assert heard(one).startswith(b"HTTP/1.1 413")
    assert app.reached == []


def test_a_body_that_turns_out_too_large_is_refused_where_it_does(app: App) -> None:
    with served(app, body_bytes=100_000) as port, connect(port, CHUNKED) as one:
        piece = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
        assert taken(one, piece, times=1_000) < 300  # what the system's buffers hold, at most
    assert app.reached == []


def test_one_who_waits_to_be_asked_for_a_body_is_not_asked_for_one_too_large(app: App) -> None:
    with served(app) as port, connect(port, BIG[:-2] + b"Expect: 100-continue\r\n\r\n") as one:
        assert heard(one).startswith(b"HTTP/1.1 413")


def test_headers_without_an_end_are_refused(app: App) -> None:
    with served(app) as port, connect(port, HEAD) as one:
        assert taken(one, b"X-A: " + b"b" * 1_000 + b"\r\n", times=50_000) < 20_000
    assert app.reached == []


def test_bodies_of_many_at_once_are_bounded(app: App) -> None:
    with served(app, held_bytes=50_000) as port, ExitStack() as open_:
        half = HEAD + b"Content-Length: 30000\r\n\r\n" + b"x" * 29_000
        open_.enter_context(connect(port, half))
        eventually(lambda: fetch(f"http://127.0.0.1:{port}/", b"x" * 29_000)[0] == 503, "there's no room")
        open_.close()
        eventually(lambda: fetch(f"http://127.0.0.1:{port}/", b"x" * 29_000)[0] == 200, "there is again")


def test_what_tools_send_leaves_room_for_slack(app: App) -> None:
    with served(app, held_bytes=50_000, api=AsgiHost(lambda: nothing)) as port, ExitStack() as open_:
        head = b"POST /api/v1/runs HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n"
        pushing = [open_.enter_context(connect(port, head + b"x" * 29_000)) for _ in range(2)]
        assert answer(pushing[-1]).startswith(b"HTTP/1.1 503")
        assert fetch(f"http://127.0.0.1:{port}/", b"x" * 29_000)[0] == 200


def test_a_push_gives_way_to_slack_but_not_for_ever(app: App) -> None:
    traffic = Traffic()
    with served(app, api=AsgiHost(lambda: nothing, traffic=traffic)) as port:
        with connect(port, b"GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n"):
            eventually(lambda: bool(app.reached), "Slack's request is being answered")
            traffic.give_way(seconds=0.01)
            push = Thread(target=traffic.give_way, args=(60,))
            push.start()
            push.join(0.1)
            assert push.is_alive(), "it waits for the request"
            app.go_on.set()
            push.join(20)
        assert not push.is_alive(), "it goes on once the request is answered"


async def nothing(_scope: Any, _receive: Any, _send: Any) -> None:
    """An API that is never asked."""


def test_who_does_not_read_the_answer_is_hung_up_on(app: App) -> None:
    with served(app, write_seconds=0.3, per_address=1) as port:
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        one.connect(("127.0.0.1", port))
        with one:
            one.sendall(b"GET /huge HTTP/1.1\r\nHost: x\r\n\r\n")
            eventually(lambda: bool(app.reached), "it is answered")
            eventually(lambda: fetch(f"http://127.0.0.1:{port}/")[0] == 200, "another one may come")


def test_health_is_answered_while_every_thread_is_stuck_and_monitoring_too(app: App) -> None:
    with served(app, threads=2, wait_seconds=1) as port, ExitStack() as open_:
        for _ in range(2):
            open_.enter_context(connect(port, b"GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n"))
        eventually(lambda: len(app.reached) == 2, "both threads are stuck")
        waiting = open_.enter_context(connect(port, b"GET /late HTTP/1.1\r\nHost: x\r\n\r\n"))
        assert fetch(f"http://127.0.0.1:{port}/healthz") == (200, "ok\n")
        assert fetch(f"http://127.0.0.1:{port}/readyz")[0] == 200
        time.sleep(1.2)  # Slack has given up on the one that waits
        app.go_on.set()
        assert answer(waiting).startswith(b"HTTP/1.1 503")
        assert "/late" not in app.reached


def test_one_address_holds_so_many_connections_and_no_more(app: App) -> None:
    with served(app, per_address=3) as port, ExitStack() as open_:
        held = [open_.enter_context(connect(port)) for _ in range(3)]
        with connect(port) as fourth:
            assert heard(fourth) == b""
        held[0].close()
        eventually(lambda: fetch(f"http://127.0.0.1:{port}/")[0] == 200, "another one may come")


def test_a_proxy_holds_any_number(app: App) -> None:
    with served(app, per_address=3, proxies=(ip_network("127.0.0.0/8"),)) as port, ExitStack() as open_:
        for _ in range(20):
            open_.enter_context(connect(port))
        assert fetch(f"http://127.0.0.1:{port}/")[0] == 200


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"], ids=["silent", "half a request"])
def test_when_there_are_too_many_the_oldest_without_a_request_has_to_leave(app: App, sent: bytes) -> None:
    with served(app, connections=10, per_address=0) as port, ExitStack() as open_:
        answering = open_.enter_context(connect(port, b"GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n"))
        eventually(lambda: app.reached == ["/stuck"], "one is being answered")
        held = [open_.enter_context(connect(port, sent)) for _ in range(9)]
        assert fetch(f"http://127.0.0.1:{port}/")[0] == 200
        assert heard(held[0]) == b""
        assert fetch(f"http://127.0.0.1:{port}/healthz")[0] == 200
        app.go_on.set()
        assert answer(answering).startswith(b"HTTP/1.1 200")


def test_stopping_does_not_wait_for_those_who_say_nothing(app: App) -> None:
    with served(app) as port, ExitStack() as open_:
        for sent in (b"", HEAD, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"):
            open_.enter_context(connect(port, sent))
        eventually(lambda: bool(app.reached), "one was answered")
        began = time.monotonic()
    assert time.monotonic() - began < 5


GARBAGE: list[bytes] = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET / HTTP/9.9\r\n\r\n",
    b"\r\n" * 100,
    b"GET http:// HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\nabc",
    CHUNKED + b"zz\r\n",
    b"GET /%ff%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
]


@pytest.mark.parametrize("sent", GARBAGE, ids=repr)
def test_no_garbage_stops_the_server(app: App, sent: bytes) -> None:
    with served(app, header_seconds=0.3, body_seconds=0.3, idle_seconds=0.3) as port:
        with connect(port, sent) as one:
            assert b"HTTP/1.1 5" not in heard(one)
        assert fetch(f"http://127.0.0.1:{port}/")[0] == 200
