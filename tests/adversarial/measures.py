"""Measures that attacks are held to: how long others wait meanwhile, and how much memory a process has had."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx2

from tests.server.live import Process

SAMPLE = 0.1  # seconds of the processor that tell how crowded it is


def worst_health(server: Process, attack: Callable[[httpx2.Client], object]) -> float:
    """The longest that `/api/health` took to answer while the attack was handled, in seconds of a quiet machine."""
    waits: list[float] = []
    over = threading.Event()
    begun = threading.Event()

    def look() -> None:
        with httpx2.Client(base_url=server.client.base_url, headers=server.client.headers, timeout=120) as client:
            while not over.is_set() or not waits:
                start = time.perf_counter()
                assert client.get("/api/health").status_code == 200
                waits.append(time.perf_counter() - start)
                begun.set()

    looker = threading.Thread(target=look)
    looker.start()
    begun.wait()
    try:
        attack(server.client)
    finally:
        over.set()
        looker.join()
    return max(waits) / _crowding()


def _crowding() -> float:
    """How many times longer than alone work takes at the moment: 1 on a quiet machine."""
    begun, used = time.perf_counter(), time.thread_time()
    while time.thread_time() - used < SAMPLE:
        pass
    return (time.perf_counter() - begun) / (time.thread_time() - used)


def peak_memory(process: int) -> int:
    """The most memory that a process has had so far, in bytes."""
    return _status(process, "VmHWM")


def memory(process: int) -> int:
    """The memory that a process has now, in bytes."""
    return _status(process, "VmRSS")


def _status(process: int, field: str) -> int:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no {field}")
