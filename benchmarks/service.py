"""The server on the demo model: requests against the engine's own time, a read-out, and what the page asks."""

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import lm_debugger
from benchmarks import page
from benchmarks.measure import Result, seconds

# More prompts than runs are kept, so that each request is a forward.
PROMPTS = [f"In the year {1900 + i} the people of the small town were very" for i in range(12)]
ROUNDS = 10
PAUSE = 0.1  # seconds in which the other process's compute threads, which wait busily for more work, fall asleep


def results() -> Iterator[Result]:
    """Every measurement, as it is made."""
    with _served() as url:
        yield from _trace_requests(url)
        yield _read_out(url)
        yield from page.results(url)


@contextmanager
def _served() -> Iterator[str]:
    """A server of its own process on the demo model, ready to answer."""
    with tempfile.TemporaryDirectory() as folder:
        kept = f"{folder}/bench.sqlite"
        arguments = ["serve", "demo", "--no-browser", "--no-token", "--port", "0", "--database", kept]
        process = subprocess.Popen([sys.executable, "-m", "lm_debugger", *arguments], stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found is not None
            url = found[0].rstrip("/")
            while json.load(urllib.request.urlopen(f"{url}/api/health"))["status"] != "ready":
                time.sleep(0.2)
            yield url
        finally:
            process.terminate()
            process.wait(10)


def _post(url: str, body: dict[str, object]) -> None:
    data = json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/api/trace", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        answer.read()


def _trace_requests(url: str) -> Iterator[Result]:
    debugger = lm_debugger.load("demo")
    work = (
        lambda prompt: debugger.trace(prompt).view(),
        lambda prompt: _post(url, {"prompt": prompt}),
    )
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(ROUNDS + 1):
        for prompt in PROMPTS:
            # Side by side, so that whatever slows the machine for a second makes the tail of both.
            for index in (0, 1) if number % 2 else (1, 0):
                time.sleep(PAUSE)
                taken = seconds(partial(work[index], prompt))
                if number:  # the first round fills the memory of promoted tokens
                    times[index].append(taken)
    for name, cut in (("p50", 50), ("p95", 95)):
        engine, request = (statistics.quantiles(column, n=100)[cut - 1] for column in times)
        found = request / engine
        yield Result(
            f"trace request / engine, {name}",
            f"{found:.2f} ×",
            "≤ 1.15 ×",
            found <= 1.15,
            f"{request * 1000:.0f} ms against {engine * 1000:.0f} ms, {len(times[0])} requests",
        )


def _read_out(url: str) -> Result:
    _post(url, {"prompt": PROMPTS[0]})
    times = [seconds(lambda at=at: _post(url, {"prompt": PROMPTS[0], "position": at})) for at in range(10)]
    again = [seconds(lambda at=at: _post(url, {"prompt": PROMPTS[0], "position": at})) for at in range(10)]
    middle, slow = statistics.median(times), statistics.quantiles(times, n=20)[18]
    return Result(
        "read-out request at another position, first time",
        f"{middle * 1000:.0f} ms",
        "≤ 150 ms",
        middle <= 0.15,
        f"p95 {slow * 1000:.0f} ms; once its vectors' tokens are known {statistics.median(again) * 1000:.0f} ms",
    )
