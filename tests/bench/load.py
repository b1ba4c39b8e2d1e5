"""The load of the web benchmark, a process of its own: ready-made HTTP requests over connections kept alive.

`python -m tests.bench.load PORT FILE closed CONNECTIONS SECONDS` asks again as soon as it is answered;
`… open RATE SECONDS` asks at fixed instants whether or not answers have come, and counts from those instants, so
that a server that stalls doesn't slow the questions down. One line of JSON tells what came of it. Standard library
only: it must cost little beside what it measures.
"""

import json
import socket
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector

MARK = b"\0\0next\0\0"
"""Stands between two requests of a file."""
WAIT_SECONDS = 10.0
"""How long an answer may take."""
MOST_CONNECTIONS = 64
"""Fewer than a WSGI server takes at once: a request that finds none free waits here, and its time runs."""
_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass(eq=False, slots=True)
class Line:
    """A connection that carries one request at a time."""

    socket: socket.socket
    begun: float = 0.0
    heard: bytes = b""

    def ask(self, request: bytes, begun: float) -> None:
        """Send a request; `begun` is the instant from which its answer counts."""
        self.begun, self.heard = begun, b""
        self.socket.sendall(request)

    def hear(self) -> bytes | None:
        """The whole answer, or None while some of it is missing.

        Raises:
            ConnectionError: the server has hung up.
        """
        piece = self.socket.recv(65_536)
        if not piece:
            raise ConnectionError("the server has hung up")
        self.heard += piece
        head, found, body = self.heard.partition(_END)
        return self.heard if found and len(body) >= _length(head) else None


def _length(head: bytes) -> int:
    lines = head.lower().split(b"\r\n")
    return next((int(line[len(_LENGTH) :]) for line in lines if line.startswith(_LENGTH)), 0)


@dataclass(slots=True)
class Load:
    """Sends requests, and records how long each answer took in seconds; `wrong` counts unexpected answers."""

    port: int
    requests: deque[bytes]
    wanted: bytes
    seconds: list[float] = field(default_factory=list)
    wrong: int = 0
    _lines: DefaultSelector = field(default_factory=DefaultSelector)

    def connect(self) -> Line:
        """One more connection."""
        found = socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_SECONDS)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line = Line(found)
        self._lines.register(found, EVENT_READ, line)
        return line

    def answered(self, wait: float) -> list[Line]:
        """The connections whose answer has come."""
        free = []
        for key, _ in self._lines.select(max(wait, 0.0)):
            line: Line = key.data
            try:
                answer = line.hear()
            except OSError:
                self.wrong += 1
                self._lines.unregister(line.socket)
                line.socket.close()
                free.append(self.connect())
                continue
            if answer is not None:
                self.seconds.append(time.perf_counter() - line.begun)
                self.wrong += not (answer.startswith(b"HTTP/1.1 200") and self.wanted in answer)
                free.append(line)
        return free

    def closed(self, connections: int, lasting: float) -> float:
        """Ask on each connection as soon as it is free; returns the seconds it took."""
        begun = time.perf_counter()
        waiting = 0
        free = [self.connect() for _ in range(connections)]
        while free or waiting:
            going_on = time.perf_counter() - begun < lasting
            for line in free:
                if going_on and self.requests:
                    line.ask(self.requests.popleft(), time.perf_counter())
                    waiting += 1
            free = self.answered(WAIT_SECONDS) if waiting else []
            waiting -= len(free)
            if not going_on and not waiting:
                break
        return time.perf_counter() - begun

    def open(self, rate: float, lasting: float) -> float:
        """Ask `rate` times a second, on a new connection when none is free; returns the seconds it took."""
        free = [self.connect() for _ in range(4)]
        begun, asked, waiting = time.perf_counter(), 0, 0
        total = min(len(self.requests), int(rate * lasting))
        while asked < total or waiting:
            due = begun + asked / rate
            can = asked < total and (free or waiting < MOST_CONNECTIONS)
            if can and time.perf_counter() >= due:
                (free.pop() if free else self.connect()).ask(self.requests.popleft(), due)
                asked, waiting = asked + 1, waiting + 1
                continue
            came = self.answered(due - time.perf_counter() if can else WAIT_SECONDS)
            free += came
            waiting -= len(came)
        return time.perf_counter() - begun


def main(arguments: Sequence[str]) -> None:
    """Send the requests and print the results."""
    port, file, wanted, how, number, lasting = arguments
    load = Load(int(port), deque(Path(file).read_bytes().split(MARK)), wanted.encode())
    took = (
        load.closed(int(number), float(lasting))
        if how == "closed"
        else load.open(float(number), float(lasting))
    )
    ordered = sorted(load.seconds)
    found = {
        "answered": len(ordered),
        "wrong": load.wrong,
        "seconds": took,
        "median": ordered[len(ordered) // 2],
        "p99": ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))],
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
