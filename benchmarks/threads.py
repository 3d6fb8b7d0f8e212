"""What the wait policy of OpenMP's threads costs: a forward of the demo model alone, and in two processes side by side.

`python -m benchmarks.threads` measures it; decision 0008 gives the figures. All processes of all settings live for the
whole time and take turns, so that the machine's moods fall on all alike.
"""

import os
import statistics
import subprocess
import sys
from collections.abc import Mapping

from benchmarks.measure import Result
from lm_debugger.source import demo

SETTINGS: Mapping[str, Mapping[str, str]] = {
    "as it is": {},
    "PASSIVE": {"OMP_WAIT_POLICY": "PASSIVE"},
    "SPINCOUNT=1000": {"GOMP_SPINCOUNT": "1000"},
    "SPINCOUNT=20000": {"GOMP_SPINCOUNT": "20000"},
}
ROUNDS = 7
FORWARDS = 12  # of which the median counts

# Computes when told to, and says how long a forward took.
CODE = """
import statistics, sys, time
import torch
from transformers import AutoModelForCausalLM
torch.set_grad_enabled(False)
network = AutoModelForCausalLM.from_pretrained(sys.argv[1])
ids = torch.arange(3, 15)[None]
network(ids)
print("ready", flush=True)
for line in sys.stdin:
    times = []
    for _ in range(int(line)):
        start = time.perf_counter()
        network(ids)
        times.append(time.perf_counter() - start)
    print(statistics.median(times), flush=True)
"""


class Worker:
    """A process of its own, with a setting."""

    def __init__(self, setting: Mapping[str, str]) -> None:
        plain = {key: value for key, value in os.environ.items() if not key.startswith(("OMP_", "GOMP_"))}
        self._process = subprocess.Popen(
            [sys.executable, "-c", CODE, str(demo.folder())],
            env=plain | setting, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def go(self, forwards: int) -> None:
        """Begin."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{forwards}\n")
        self._process.stdin.flush()

    def answer(self) -> str:
        """What it says next."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


def measure(rounds: int = ROUNDS) -> dict[str, tuple[list[float], list[float]]]:
    """For each setting seconds of a forward alone, and of one of two side by side, round by round."""
    workers = {name: (Worker(setting), Worker(setting)) for name, setting in SETTINGS.items()}
    found: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in SETTINGS}
    try:
        for pair in workers.values():
            for worker in pair:
                assert worker.answer() == "ready"
        names = list(SETTINGS)
        for number in range(rounds):
            for name in names[number % len(names) :] + names[: number % len(names)]:
                pair = workers[name]
                pair[0].go(FORWARDS)
                found[name][0].append(float(pair[0].answer()))
                for worker in pair:
                    worker.go(FORWARDS)
                found[name][1].append(statistics.mean(float(worker.answer()) for worker in pair))
    finally:
        for pair in workers.values():
            for worker in pair:
                worker.close()
    return found


def results(rounds: int = ROUNDS) -> list[Result]:
    """The settings compared."""
    found = measure(rounds)
    plain = found["as it is"][0]
    lines = []
    for name, (alone, together) in found.items():
        ratio = statistics.median(b / a for a, b in zip(alone, together, strict=True))
        lost = statistics.median(a / b for a, b in zip(alone, plain, strict=True)) - 1
        lines.append(
            Result(
                f"a forward of two side by side / alone: {name}", f"{ratio:.2f} ×", "≤ 2.5 ×", ratio <= 2.5,
                f"{statistics.median(alone) * 1000:.0f} ms alone ({min(alone) * 1000:.0f} to {max(alone) * 1000:.0f}; "
                f"{lost:+.1%} to the machine's own), {statistics.median(together) * 1000:.0f} ms side by side",
            )
        )  # fmt: skip
    return lines


if __name__ == "__main__":
    for line in results():
        print(f"{line.what:<60} {line.figure:>8}  {line.detail}")
