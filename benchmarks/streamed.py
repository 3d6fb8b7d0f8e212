"""Searching weights that are not loaded: 460,000 value vectors of 4,096 numbers on disk, 3.8 GB in bfloat16."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Result
from tests.ondisk import sparse

SHAPE = {"layers": 32, "width": 14_375, "hidden": 4_096, "vocabulary": 32_000}
BYTES = 5 << 30  # on disk

# Runs by itself, so that the peak of memory is its own. Figures: seconds and bytes over what the imports take.
CODE = """
import json, os, re, sys, time
from pathlib import Path
from lm_debugger.ondisk.streamed import open_streamed
from lm_debugger.records.search import Filter, Query
from lm_debugger.search.clusters.book import ClusterBook
from lm_debugger.lenses.projection import Projections
from lm_debugger.lenses.reading import Reading
from lm_debugger.search.index import Index
from lm_debugger.work import UNWATCHED

folder = Path(sys.argv[1])
def read(name):
    return int(re.search(name + r":\\s+(\\d+)", open("/proc/self/status").read()).group(1)) * 1024
def forget():  # what the system remembers of the files
    for file in folder.glob("*.safetensors"):
        with file.open("rb") as opened:
            os.fsync(opened)
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
def measured(work):
    forget()
    open("/proc/self/clear_refs", "w").write("5")  # resets the peak
    start = time.perf_counter()
    result = work()
    figures[work.__name__] = time.perf_counter() - start, read("VmHWM") - before
    return result

figures = {}
before = read("VmRSS")
def opening():
    return open_streamed(folder)
model = measured(opening)
index = Index(model, Reading(model))
def statistics():
    index.statistics()
def search():
    index.search(Query(keywords="w500, w600"), Filter())
def clusters():
    ClusterBook(model, Projections(model)).make(1000, None, force=True, work=UNWATCHED)
measured(statistics)
measured(search)
measured(clusters)
print(json.dumps(figures))
"""


def results() -> Iterator[Result]:
    """Every measurement, as it is made."""
    what = "460,000 × 4,096 value vectors on disk (3.8 GB)"
    with tempfile.TemporaryDirectory(prefix="lm-debugger-bench-") as place:
        if sys.platform != "linux" or shutil.disk_usage(place).free < 2 * BYTES:
            yield Result(what, "–", detail=f"needs Linux and {2 * BYTES >> 30} GB free in {place}")
            return
        folder = Path(place) / "model"
        sparse.make(folder, **SHAPE)
        environment = os.environ | {"LM_DEBUGGER_CACHE": f"{place}/cache"}
        done = subprocess.run(
            [sys.executable, "-c", CODE, str(folder)], env=environment, capture_output=True, text=True, check=True
        )
    for step, (seconds, memory) in json.loads(done.stdout).items():
        fits = memory <= 3 << 30
        yield Result(
            f"{what}: {step}", f"{seconds:.1f} s", detail=f"peak {memory >> 20} MiB, files not in memory before"
        )
        yield Result(f"{step}: peak memory", f"{memory / 2**30:.1f} GiB", "≤ 3 GiB", fits)
