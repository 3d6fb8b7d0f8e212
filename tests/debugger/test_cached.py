"""An entry of the cache that is whole but of other fields, as other versions of this package write it, is not used."""

import json
from pathlib import Path

import pytest
import torch

import lm_debugger
from lm_debugger.calibration import measure
from lm_debugger.debugger.session import Debugger
from lm_debugger.proof import kept
from lm_debugger.search import statistics
from lm_debugger.search.clusters import book
from lm_debugger.store import cache
from tests import zoo
from tests.tiny import tokenizer


@pytest.fixture(autouse=True)
def _folder(empty_cache: Path) -> None:
    pass


def load() -> Debugger:
    return lm_debugger.load(zoo.make("llama"), tokenizer(96))


def test_a_proof_of_other_fields() -> None:
    fingerprint = load().fingerprint
    entry = cache.read(kept.KIND, f"{fingerprint}-cpu", kept.VERSION)
    assert entry is not None
    assert load().examine().cached
    proof = json.loads(entry.text)
    more = proof | {"more": 1}
    less = {key: value for key, value in proof.items() if key != "anatomy"}
    other = proof | {"anatomy": proof["anatomy"] | {"layers": "many"}}
    for text in (more, less, other, [], 3):
        cache.write(kept.KIND, f"{fingerprint}-cpu", kept.VERSION, {}, json.dumps(text))
        assert not load().examine().cached
        assert load().examine().cached


@pytest.mark.parametrize(
    ("arrays", "text"),
    [
        ({}, '{"source": "x", "tokens": 5000}'),
        ({"0.dense": torch.zeros(6, 3)}, '{"source": "x", "tokens": 5000}'),
        (None, "{}"),
        (None, "[]"),
        (None, "text"),
        (None, '{"source": "x", "tokens": "many"}'),
    ],
)
def test_a_calibration_of_other_fields(arrays: dict[str, torch.Tensor] | None, text: str) -> None:
    debugger = load()
    debugger.calibrate(tokens=1000)
    entry = cache.read(measure.KIND, debugger.fingerprint, measure.VERSION)
    assert entry is not None
    cache.write(measure.KIND, debugger.fingerprint, measure.VERSION, entry.arrays if arrays is None else arrays, text)
    again = load()
    assert again.value("L0D1").range is None
    assert again.calibrate(tokens=1000).cached is False


def test_statistics_of_other_fields() -> None:
    debugger = load()
    answer = debugger.search("w5")
    entry = cache.read(statistics.KIND, debugger.fingerprint, statistics.VERSION)
    assert entry is not None
    for name in entry.arrays:
        for other in ({}, {name: torch.zeros(2)}):
            arrays = {key: array for key, array in entry.arrays.items() if key != name} | other
            cache.write(statistics.KIND, debugger.fingerprint, statistics.VERSION, arrays)
            assert load().search("w5") == answer


def test_clusters_of_other_fields() -> None:
    debugger = load()
    debugger.clusters(4)
    entry = cache.read(book.KIND, debugger.fingerprint, book.VERSION)
    assert entry is not None
    assert load().known_clusters() is not None
    for text in ("{}", '{"k": 4}', "[]", '{"k": "4", "seed": 0}'):
        cache.write(book.KIND, debugger.fingerprint, book.VERSION, entry.arrays, text)
        assert load().known_clusters() is None
    for name in entry.arrays:
        for other in ({}, {name: torch.zeros(1)}):
            arrays = {key: array for key, array in entry.arrays.items() if key != name} | other
            cache.write(book.KIND, debugger.fingerprint, book.VERSION, arrays, entry.text)
            assert load().known_clusters() is None


def test_loading_gives_the_users_model_back_in_its_mode() -> None:
    network = zoo.make("gpt2").train()
    network.transformer.h[0].eval()  # as somebody who trains only a part of it
    before = [module.training for module in network.modules()]
    lm_debugger.load(network, tokenizer(96))
    assert [module.training for module in network.modules()] == before
    lm_debugger.examine(network)
    assert [module.training for module in network.modules()] == before
