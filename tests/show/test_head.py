"""A head on the terminal: what it copies and suppresses, or why that cannot be told."""

import io

from rich.console import Console

from lm_debugger.records.head import HeadView
from lm_debugger.show.head import head
from lm_debugger.show.terminal import draw
from tests.tiny import shared


def shown(view: HeadView) -> str:
    written = io.StringIO()
    Console(file=written, width=120).print(draw(head(view)))
    return written.getvalue()


def test_a_head_with_a_circuit() -> None:
    view = shared("llama").head("L1H2", top_k=3)
    text = shown(view)
    assert text.startswith("L1H2  layer 1, head 2, 8 channels")
    for title in ("promotes", "suppresses", "copies", "copying"):
        assert title in text
    for pair in view.promotes:
        assert any(pair.read.text in row and pair.written.text in row for row in text.splitlines())
    assert f"rank {view.copies[0].rank}" in text


def test_a_head_without_one_says_why() -> None:
    text = shown(shared("qwen3_next").head("L1H2"))
    assert "cannot be told from its weights" in text
    assert "gate" in " ".join(text.split())
