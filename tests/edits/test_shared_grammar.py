"""The page reads edits as Python does: one table of cases, which the page's own tests read too."""

import json
from pathlib import Path

import pytest

from lm_debugger.edits.grammar import parse
from lm_debugger.errors import EditError

CASES = json.loads(
    (Path(__file__).parents[2] / "web" / "src" / "domain" / "grammar-cases.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(("text", "means"), CASES["accepted"])
def test_accepted_by_both(text: str, means: str) -> None:
    assert parse(text) == parse(means)


@pytest.mark.parametrize("text", CASES["refused"])
def test_refused_by_both(text: str) -> None:
    with pytest.raises(EditError):
        parse(text)
