"""What takes minutes: a soak, many users, kills at random, two servers on one database. `make test-all`.

With `-s` each prints its figures, which docs/security.md quotes.
"""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.server.live import Process, behind_socket, program, tiny_app

from .measures import memory, worst_health
from .test_event_loop import HOSTILE

pytestmark = pytest.mark.slow

PROMPTS = ("My wife is working as a", "The capital of France is", "It was the first time that two")


def asked(i: int) -> dict[str, Any]:
    edits = [f"L{(7 * i) % 30}D{11 * i % 1536}={i % 31 - 15}"] if i % 2 else []
    return {"prompt": PROMPTS[i % 3], "interventions": edits, "position": -1 - i % 3, "top_k": 3}


def test_a_thousand_requests_leave_memory_as_it_was(served: Process) -> None:
    def one(i: int) -> None:
        client = served.client
        match i % 5:
            case 0 | 1:
                answer = client.post("/api/trace", json=asked(i))
            case 2:
                answer = client.get("/api/search", params={"q": ("teacher", "/^ un.*able$/", "New York")[i % 3]})
            case 3:
                answer = client.get(f"/api/values/L{i % 30}D{i % 1536}")
            case _:
                answer = client.post("/api/generate", json={"prompt": PROMPTS[i % 3], "max_new_tokens": 3, "seed": i})
        assert answer.status_code == 200, answer.text

    for i in range(300):  # until all that is kept has been filled once
        one(i)
    before = memory(served.process.pid)
    for i in range(300, 1300):
        one(i)
    after = memory(served.process.pid)
    print(f"\n1,000 requests: memory {before >> 20} MiB before, {after >> 20} MiB after")
    assert after < 1.05 * before


def test_thirty_two_users_get_exactly_what_each_gets_alone(served: Process) -> None:
    bodies = [asked(i) for i in range(96)]

    def ask(body: dict[str, Any]) -> bytes:
        answer = served.client.post("/api/trace", json=body, timeout=600)
        assert answer.status_code == 200, answer.text
        return answer.content

    with ThreadPoolExecutor(32) as pool:
        together = list(pool.map(ask, bodies))
    assert [ask(body) for body in bodies] == together


def test_killed_twenty_times_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    """The real program, killed at a random moment while four clients write; what was answered is there afterwards."""
    chance = random.Random(0)
    kept = tmp_path / "kept.db"
    acknowledged: dict[str, str] = {}
    runs: set[int] = set()
    lock = threading.Lock()
    for round_ in range(21):
        with program(kept, "--port", "0") as found:
            names = {entry["value"]: entry["name"] for entry in found.client.get("/api/names").json()["names"]}
            assert {value: names.get(value) for value in acknowledged} == acknowledged
            there = {run["id"] for run in found.client.get("/api/runs", params={"limit": 1000}).json()["runs"]}
            assert len(runs) > 1000 or runs <= there
            if round_ == 20:
                break

            def write(
                worker: int, address: str = str(found.client.base_url), headers: Any = found.client.headers,
                begun: int = round_,
            ) -> None:  # fmt: skip
                with httpx2.Client(base_url=address, headers=headers, timeout=60) as client:
                    for i in range(10_000):
                        value, name = f"L{worker}D{i % 200}", f"round {begun}, {i}"
                        try:
                            if client.put(f"/api/values/{value}/name", json={"name": name}).status_code == 200:
                                with lock:
                                    acknowledged[value] = name
                            answer = client.post("/api/runs", json={"prompt": name}) if i % 10 == 0 else None
                            if answer is not None and answer.status_code == 201:
                                with lock:
                                    runs.add(answer.json()["id"])
                        except httpx2.HTTPError:
                            # What was sent last may or may not have been kept: it was not acknowledged.
                            with lock:
                                acknowledged.pop(value, None)
                            return

            with ThreadPoolExecutor(4) as pool:
                writing = [pool.submit(write, worker) for worker in range(4)]
                time.sleep(chance.uniform(0.05, 2))
                found.kill()
                for each in writing:
                    each.result()
    print(f"\n20 kills: {len(acknowledged)} names and {len(runs)} runs acknowledged, none lost")
    assert len(acknowledged) > 20


def test_two_servers_on_one_database_lose_nothing(tmp_path: Path) -> None:
    kept = tmp_path / "test.db"
    with behind_socket(tiny_app(tmp_path)) as first, behind_socket(tiny_app(tmp_path)) as second:
        model = first.get("/api/model").json()["model"]
        assert second.get("/api/model").json()["model"]["fingerprint"] == model["fingerprint"]
        width = model["value_vectors"] // model["layers"]

        def write(worker: int) -> None:
            client = (first, second)[worker % 2]
            for i in range(worker, width, 8):
                answer = client.put(f"/api/values/L{worker % 2}D{i}/name", json={"name": f"{worker} {i}"})
                assert answer.status_code == 200, answer.text
            for i in range(25):
                assert client.post("/api/runs", json={"prompt": f"w{5 + worker} w{5 + i}"}).status_code == 201

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(write, range(8)))
        names = [{e["value"]: e["name"] for e in c.get("/api/names").json()["names"]} for c in (first, second)]
        assert names[0] == names[1]
        assert len(names[0]) == width
        runs = [[r["id"] for r in c.get("/api/runs", params={"limit": 1000}).json()["runs"]] for c in (first, second)]
        assert runs[0] == runs[1]
        assert len(set(runs[0])) == 200
    assert kept.exists()


def test_the_longest_wait_of_others_for_each_hostile_body(served: Process) -> None:
    waits = {what: min(worst_health(served, attack) for _ in range(3)) for what, attack in HOSTILE.items()}
    slowest = max(waits, key=lambda what: waits[what])
    print(f"\n{len(waits)} hostile bodies: the longest wait for /api/health is {waits[slowest]:.3f} s ({slowest})")
    assert waits[slowest] < 1
