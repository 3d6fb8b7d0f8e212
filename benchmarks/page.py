"""What the page needs: the map of a long prompt by columns, an edit's refresh, first paint, its size."""

import gzip
import json
import os
import shutil
import statistics
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import torch

import lm_debugger
from benchmarks.measure import Result, ratio, seconds
from lm_debugger.readouts.grid import grid

ROOT = Path(__file__).parent.parent
STATIC = ROOT / "src" / "lm_debugger" / "server" / "static"
LONG = "My wife is working as a nurse in the town where we live, and " * 20
ROUNDS = 20
FIRST, MOST, SEEN = 2, 10, 17  # columns: of the first request, of the others, in sight at 1440 pixels


def results(url: str) -> Iterator[Result]:
    """Every measurement against a running server, as it is made."""
    yield from _map(url)
    yield _refresh(url)
    yield _products()
    yield _first_paint(url)
    yield _bundle()


def _ask(url: str, path: str, body: dict[str, object]) -> None:
    data = json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/api/{path}", data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        answer.read()


def _batches(last: int) -> list[list[int]]:
    """Positions in sight as the page asks for them: the selection and its neighbour, then tens."""
    places = list(range(last, last - SEEN, -1))
    return [places[:FIRST], *(places[first : first + MOST] for first in range(FIRST, SEEN, MOST))]


def _map(url: str) -> Iterator[Result]:
    firsts, alls = [], []
    for turn in range(3):
        prompt = f"{turn} {LONG}"
        _ask(url, "trace", {"prompt": prompt})
        times = [_columns(url, {"prompt": prompt}, places) for places in _batches(290)]
        firsts.append(times[0])
        alls.append(sum(times))
    first, whole = statistics.median(firsts), statistics.median(alls)
    yield Result("map of a 300-token prompt: first column after the trace", f"{first:.2f} s", "≤ 0.5 s", first <= 0.5)
    yield Result("the same: all columns in sight", f"{whole:.2f} s", "≤ 2 s", whole <= 2)


def _columns(url: str, run: dict[str, object], places: list[int]) -> float:
    return seconds(lambda: _ask(url, "grid", {**run, "positions": places}))


def _refresh(url: str) -> Result:
    _ask(url, "trace", {"prompt": LONG})
    times = []
    for number in range(3):
        body: dict[str, object] = {"prompt": LONG, "interventions": [f"L28D{number}=off"]}

        def refresh(body: dict[str, object] = body) -> None:
            _ask(url, "trace", body)
            for places in _batches(290):
                _ask(url, "grid", {**body, "positions": places, "layers": [28, 29]})

        times.append(seconds(refresh))
    return Result("an edit of layer 28: run, read-out and map refreshed", f"{statistics.median(times):.2f} s")


def _products() -> Result:
    """Other columns of one map each round: what was read is kept."""
    debugger = lm_debugger.load("demo")
    trace = debugger.trace(LONG)
    columns = iter(range(0, MOST * (ROUNDS + 1), MOST))
    stacked = torch.cat([trace.layer(layer).after[:MOST] for layer in range(debugger.model.layers)])
    return ratio(
        "ten columns of the map / the matrix product they need",
        lambda: grid(trace, positions=list(range(first := next(columns), first + MOST))),
        lambda: debugger.model.readout.logits(stacked),
        most=1.2,
        rounds=ROUNDS,
    )


def _first_paint(url: str) -> Result:
    what = "first contentful paint of the page"
    if shutil.which("node") is None or not (ROOT / "web" / "node_modules").exists():
        return Result(what, "–", detail="needs Node.js and the page's packages: make page")
    browser = os.environ.get("LM_DEBUGGER_CHROMIUM") or shutil.which("chromium") or ""
    done = subprocess.run(
        ["node", "scripts/first-paint.mjs", url],
        cwd=ROOT / "web", env=os.environ | {"LM_DEBUGGER_CHROMIUM": browser},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        return Result(what, "–", detail=done.stderr.strip().splitlines()[-1] if done.stderr else "no browser")
    return Result(what, f"{float(done.stdout):.0f} ms")


def _bundle() -> Result:
    files = [path for path in STATIC.rglob("*") if path.suffix in {".js", ".css", ".html"}]
    size = sum(len(gzip.compress(path.read_bytes())) for path in files)
    return Result("page, script and style, gzip", f"{size / 1000:.0f} kB", "≤ 300 kB", 0 < size <= 300_000)
