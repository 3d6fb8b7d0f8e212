"""A kind of unit that the product does not know is added in a line; it is then named, edited, ranked, searched."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from lm_debugger.debugger.session import Debugger
from lm_debugger.edits.grammar import parse
from lm_debugger.errors import EditError
from lm_debugger.records.names import naming
from lm_debugger.units.unit import register, unregister
from tests.tiny import debugger, prompt
from tests.units.channels import ChannelName, Channels


@pytest.fixture
def tiny(empty_cache: Path) -> Iterator[Debugger]:
    kind = Channels()
    naming("C", ChannelName, "L12C3")
    register(kind)
    try:
        yield debugger("llama")
    finally:
        unregister(kind)


def test_its_names_are_read_and_written(tiny: Debugger) -> None:
    edit = parse("l1c5 *= 0.5 @ last")
    assert edit.value == ChannelName(1, 5)
    assert str(edit) == "L1C5*=0.5@last"
    with pytest.raises(EditError, match="L1C99 does not exist"):
        tiny.trace(prompt(), ["L1C99=off"])


def test_its_units_are_edited_in_traces_and_generation(tiny: Debugger) -> None:
    trace = tiny.trace(prompt(), ["L1C5=7@2"])
    assert trace.baseline is not None
    moved = trace.layer(1).after - trace.baseline.layer(1).after
    assert float(trace.layer(1).after[2, 5]) == 7.0
    moved[2, 5] = 0
    assert not bool(moved.any())
    edited = tiny.generate(prompt(), ["L1C5=90"], max_new_tokens=3)
    assert edited.baseline is not None
    assert edited.tokens != edited.baseline.tokens


def test_its_units_are_ranked_beside_the_others(tiny: Debugger) -> None:
    listed = [value.value for value in tiny.trace(prompt()).view(top_k=200).layers[1].values]
    assert any("C" in name for name in listed)
    assert any("D" in name for name in listed)


def test_its_units_are_searched_and_looked_at(tiny: Debugger) -> None:
    channels = [r.value for r in tiny.search("w7", limit=1000).results if "C" in r.value]
    assert channels
    assert tiny.value("L2C3").norm == pytest.approx(1.0)
    row = tiny.model.readout.project(torch.eye(32)[3:4])[0]
    assert tiny.value("L2C3", top_k=1).promotes[0].id == int(row.argmax())


def test_its_units_have_a_range(tiny: Debugger) -> None:
    edited = tiny.trace(prompt(), ["L1C5=on"])
    level = tiny.coefficient_range(ChannelName(1, 5)).high  # type: ignore[arg-type]
    assert float(edited.layer(1).after[0, 5]) == pytest.approx(level, rel=1e-6)
