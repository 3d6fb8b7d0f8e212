"""`lm-debugger search` through the real command line, on the demo model."""

import pytest

from lm_debugger import Debugger
from lm_debugger.records.search import SearchAnswer
from tests.cli.runner import Run


def test_json_is_the_contract(run_demo: Run, demo: Debugger) -> None:
    ran = run_demo("search", "teacher, school", "--layers", "10-29", "--sign", "+", "--limit", "5", "--json")
    assert ran.status == 0, ran.err
    assert set(ran.json) >= {"query", "results"}
    assert len(ran.json["results"]) == 5
    for result in ran.json["results"]:
        assert set(result) >= {"value", "z", "sign", "tokens", "promotes"}
        assert result["sign"] == "+"
        assert 10 <= result["layer"] <= 29
        assert set(result["tokens"][0]) >= {"text", "z"}
    answer = SearchAnswer.model_validate_json(ran.out)
    assert answer == demo.search("teacher, school", layers="10-29", sign="+", limit=5)


def test_the_report(run_demo: Run) -> None:
    ran = run_demo("search", "teacher, school", "--without", "child", "-n", "3")
    assert ran.status == 0, ran.err
    assert "46,080 value vectors searched" in ran.out
    assert "teacher: ·teacher ·Teacher teacher Teacher" in ran.out
    assert "without child: " in ran.out
    assert "=on" in ran.out


def test_likeness_and_residual_streams(run_demo: Run, demo: Debugger) -> None:
    ran = run_demo("search", "--like", "L22D75", "-n", "3", "--json")
    assert SearchAnswer.model_validate_json(ran.out) == demo.search(like="L22D75", limit=3)
    ran = run_demo("search", "--prompt", "The capital of France is", "--against", "The capital of Italy is",
                   "--layer", "28", "-n", "4", "--json")  # fmt: skip
    expected = demo.writers(
        demo.place("The capital of France is"), layer=28, against=demo.place("The capital of Italy is"), limit=4
    )
    assert SearchAnswer.model_validate_json(ran.out) == expected
    assert "what tells" in run_demo("search", "--prompt", "a b", "--against", "a c").out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Nothing to search"),
        (["x", "--like", "L1D1"], "Several things"),
        (["--against", "x"], "Nothing to search"),
        (["x", "--against", "y"], "--against"),
        (["x", "--layers", "y"], "range of layers"),
        (["/(/"], "regular expression"),
        (["x", "--layers", "99"], "0 to 29"),
        (["--like", "L99D1"], "0 to 29"),
    ],
)
def test_what_cannot_be_searched(run_demo: Run, arguments: list[str], says: str) -> None:
    ran = run_demo("search", *arguments, "--json")
    assert ran.status == 2
    assert says in ran.json["error"]["what"] + ran.json["error"]["cure"]


def test_a_value_has_neighbours(run_demo: Run, demo: Debugger) -> None:
    ran = run_demo("value", "L22D75", "--json")
    assert ran.json["similar"][0]["value"] == demo.search(like="L22D75", sign="+").results[0].value
    shown = run_demo("value", "L22D75").out
    assert ran.json["similar"][0]["value"] in shown
    assert ran.json["opposite"][0]["value"] in shown
