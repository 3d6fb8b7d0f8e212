"""The lens grid against an independent computation in float64; what it reads once it does not read again."""

import threading
from typing import Any

import pytest
import torch

from lm_debugger import Debugger, Trace
from lm_debugger.errors import CancelledError, OptionError
from lm_debugger.readouts import grid as module
from lm_debugger.readouts.grid import grid
from lm_debugger.records.grid import LensGrid
from tests import tiny

TOKEN = 28
ROUNDING = 5e-6  # of probabilities: a float32 product of one row rounds other than one of many


@pytest.fixture
def trace() -> Trace:
    return tiny.debugger("llama").trace(tiny.prompt(7), ["L1D5=4"])


@pytest.fixture
def products(trace: Trace, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many residual vectors go through the unembedding at a time."""
    readout, rows = trace.model.readout, []
    logits = readout.logits

    def counted(residuals: torch.Tensor) -> torch.Tensor:
        rows.append(len(residuals))
        return logits(residuals)

    monkeypatch.setattr(readout, "logits", counted)
    return rows


def check(found: LensGrid, trace: Trace) -> None:
    for row, layer in enumerate(found.layers):
        for column, position in enumerate(found.positions):
            logits = trace.model.readout.logits(trace.layer(layer, position).after)[0]
            logs = logits.double().log_softmax(-1)
            assert found.id[row][column] == int(logits.argmax())
            assert found.probability[row][column] == pytest.approx(float(logs.max().exp()), abs=ROUNDING)
            assert found.entropy[row][column] == pytest.approx(float(-(logs.exp() * logs).sum()), abs=5 * ROUNDING)
            if found.token is not None:
                assert found.token.rank[row][column] == int((logits > logits[found.token.id]).sum()) + 1
                chosen = float(logs[found.token.id].exp())
                assert found.token.probability[row][column] == pytest.approx(chosen, abs=ROUNDING)


@pytest.mark.parametrize("chunk", [1, 3 * 96, 10 * 96, 1 << 24])
def test_every_cell_is_the_lens_whatever_the_chunks_are(
    trace: Trace, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(module, "CHUNK", chunk)
    check(grid(trace, token=TOKEN), trace)
    check(grid(trace, layers=[2, 0], positions=[-1, 3], token=TOKEN), trace)


def test_an_entropy_over_a_large_vocabulary_keeps_its_decimals(demo: Debugger) -> None:
    trace = demo.trace("My wife is")
    check(grid(trace, layers=[0, 15, 29], positions=[-1]), trace)


def test_one_token_alone(trace: Trace) -> None:
    alone = tiny.shared("llama").trace([5])
    found = grid(alone)
    check(found, alone)
    assert found.surprise == (None,)


def test_a_short_prompts_layers_share_one_product(trace: Trace, products: list[int]) -> None:
    grid(trace)
    assert products == [3 * 7]  # the last layer's row tells how surprising the next token is, too


def test_what_was_read_is_held_cell_by_cell(trace: Trace, products: list[int]) -> None:
    first = grid(trace)
    products.clear()
    assert grid(trace) == first
    assert products == []
    followed = grid(trace, token=TOKEN)
    assert products == [3 * 7]
    check(followed, trace)
    assert followed.model_copy(update={"token": None}) == first
    products.clear()
    assert grid(trace, token=TOKEN) == followed
    grid(trace, positions=[0], layers=[1])
    assert products == []
    for token in range(10, 10 + module.TOKENS_HELD):
        grid(trace, token=token)
    products.clear()
    assert grid(trace, token=TOKEN) == followed
    assert products == [3 * 7]


def test_a_grid_read_by_columns_costs_what_it_costs_at_once(trace: Trace, products: list[int]) -> None:
    columns = [grid(trace, positions=[place]) for place in (3, 4, 5, 6, 2, 1, 0)]
    # Of a column whose neighbour to the left is not known yet, what it was predicted from comes on top; once.
    assert sum(products) <= 3 * 7 + 3
    whole = grid(trace)
    assert [column.surprise[0] for column in columns] == [whole.surprise[place] for place in (3, 4, 5, 6, 2, 1, 0)]
    assert columns[0].id == tuple((row[3],) for row in whole.id)
    check(whole, trace)


def test_only_the_layers_asked_for_are_read(trace: Trace, products: list[int]) -> None:
    found = grid(trace, layers=[2], positions=[4, 5])
    assert products == [3]
    check(found, trace)


def test_a_layer_that_is_not_there_is_refused(trace: Trace) -> None:
    with pytest.raises(OptionError, match="Layer 3 does not exist"):
        grid(trace, layers=[3])


def test_a_reading_that_was_given_up_spoils_nothing(trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 1)
    cancel = threading.Event()
    logits = trace.model.readout.logits
    read = 0

    def stopping(residuals: torch.Tensor) -> Any:
        nonlocal read
        read += 1
        if read == 3:
            cancel.set()
        return logits(residuals)

    monkeypatch.setattr(trace.model.readout, "logits", stopping)
    with pytest.raises(CancelledError):
        grid(trace, token=TOKEN, cancel=cancel)
    monkeypatch.undo()
    check(grid(trace, token=TOKEN), trace)
