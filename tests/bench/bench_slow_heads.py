"""How a machine that opens connections and never finishes a request affects families: `python -m
tests.bench.bench_slow_heads [--connections 2600]`.

Prints a table and never fails. The connections come from one address on loopback, families from another.
"""

import argparse
import resource
import socket
import tempfile
import time
from pathlib import Path

from tests.bench.families import serving

ATTACKER = "127.9.8.7"
HALF = b"GET /en/ HTTP/1.1\r\nHost: x\r\nX-Never-Ends: "
WHOLE = b"GET /en/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
PATIENCE = 5.0  # seconds a family waits
PAGES = 60
FAILED = 4  # consecutive pages without an answer before giving up


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=2600)
    given = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as name, serving(Path(name)) as (server, _):
        print(f"{'':44}{'answered':>10}{'p50 ms':>9}{'p95 ms':>9}{'most':>9}")
        _look(server.port, "nobody else is there")
        crowd = _crowd(server.port, given.connections)
        _look(server.port, f"{len(crowd)} half-sent heads from one address")
        _look(server.port, "the same, families behind that address", ATTACKER)
        drips = crowd[-10:]
        until = time.monotonic() + 25
        while time.monotonic() < until:
            time.sleep(5)
            for each in drips:
                _send(each, b"a")
        print(f"open after 25 s: {sum(map(_is_open, crowd))} of {len(crowd)}")
        log = (Path(name) / "server.log").read_text().splitlines()
        print(f"lines in the log: {len(log)}, with the address: {sum(ATTACKER in line for line in log)}")


def _crowd(port: int, number: int) -> list[socket.socket]:
    """Open connections that have sent half a request head, or wait to be accepted."""
    crowd = []
    for turn in range(number):
        one = socket.socket()
        one.bind((ATTACKER, 0))
        one.setblocking(False)
        one.connect_ex(("127.0.0.1", port))
        crowd.append(one)
        if turn % 100 == 0:
            time.sleep(0.05)
    time.sleep(1)
    for one in crowd:
        _send(one, HALF)
    return crowd


def _send(one: socket.socket, sent: bytes) -> None:
    try:
        one.send(sent)
    except OSError:
        return


def _is_open(one: socket.socket) -> bool:
    try:
        return one.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def _look(port: int, words: str, source: str = "127.0.0.1") -> None:
    """Request some pages one after the other, and print how long each takes."""
    waits: list[float] = []
    failed = 0
    while len(waits) < PAGES and failed < FAILED:
        took = _page(port, source)
        failed = failed + 1 if took is None else 0
        waits += [took] if took is not None else []
    waits.sort()
    figures = [waits[len(waits) // 2], waits[int(len(waits) * 0.95)], waits[-1]] if waits else []
    print(f"{words:44}{len(waits):>10}" + "".join(f"{each:>9.1f}" for each in figures))


def _page(port: int, source: str) -> float | None:
    """Return the milliseconds for a page; None if it never arrives."""
    began = time.perf_counter()
    try:
        with socket.create_connection(("127.0.0.1", port), PATIENCE, source_address=(source, 0)) as family:
            family.sendall(WHOLE)
            answer = family.recv(15)
            while family.recv(65536):
                pass
    except OSError:
        return None
    return (time.perf_counter() - began) * 1000 if b" 200 " in answer else None


if __name__ == "__main__":
    main()
