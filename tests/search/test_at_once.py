"""Two processes that need the same statistics and clusters at once: neither disturbs the other."""

import subprocess
import sys
from pathlib import Path

import pytest

from lm_debugger.search import statistics
from lm_debugger.search.clusters.book import KIND
from lm_debugger.store import cache
from tests.tiny import debugger

MAKER = """
from tests.tiny import debugger

tiny = debugger("llama")
print("ready", flush=True)
input()
print(tiny.search("w7").model_dump_json())
for _ in range(5):
    print(tiny.clusters(5, force=True).model_dump_json(exclude={"seconds", "cached"}))
"""


@pytest.mark.usefixtures("empty_cache")
def test_both_find_the_same_and_leave_one_file_of_each(empty_cache: Path) -> None:
    makers = [
        subprocess.Popen(
            [sys.executable, "-c", MAKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8",
            cwd=Path(__file__).parents[2],
        )
        for _ in range(2)
    ]  # fmt: skip
    for maker in makers:
        assert maker.stdout is not None
        assert maker.stdout.readline() == "ready\n"
    for maker in makers:
        assert maker.stdin is not None
        maker.stdin.write("\n")
        maker.stdin.flush()
    answers = [maker.communicate(timeout=300)[0].splitlines() for maker in makers]
    assert [maker.returncode for maker in makers] == [0, 0]
    tiny = debugger("llama")
    assert cache.read(statistics.KIND, tiny.summary.fingerprint, statistics.VERSION) is not None
    found = tiny.clusters(5)
    assert found.cached
    said = found.model_dump_json(exclude={"seconds", "cached"})
    assert answers == [[tiny.search("w7").model_dump_json(), *[said] * 5]] * 2
    for kind in (KIND, statistics.KIND):
        assert [file.suffix for file in (empty_cache / kind).iterdir()] == [".safetensors"]
