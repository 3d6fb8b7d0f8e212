"""`lm-debugger sweep` and `side-effects` through the real command line, on the demo model."""

from pathlib import Path

from lm_debugger import Debugger
from lm_debugger.records.effects import SideEffects, Sweep
from tests.cli.runner import PROMPT, Run


def test_a_sweep_as_json_and_as_a_report(run_demo: Run, demo: Debugger) -> None:
    arguments = ("sweep", PROMPT, "L22D75", "--target", " nurse", "--points", "3")
    ran = run_demo(*arguments, "--json")
    assert ran.status == 0, ran.err
    assert Sweep.model_validate_json(ran.out) == demo.sweep(PROMPT, "L22D75", " nurse", points=3)
    ran = run_demo(*arguments)
    assert "L22D75=" in ran.out
    assert "rank" in ran.out


def test_side_effects_as_json_and_as_a_report(run_demo: Run, tmp_path: Path) -> None:
    path = tmp_path / "texts.txt"
    path.write_text("The cat sat on the mat.\nParis is the capital of France.\n")
    ran = run_demo("side-effects", "--set", "L20D3=50", "--held", str(path), "--json")
    assert ran.status == 0, ran.err
    found = SideEffects.model_validate_json(ran.out)
    assert found.prompts == 2
    assert found.texts[0].continuation is not None
    ran = run_demo("side-effects", "--set", "L20D3=50", "--held", str(path))
    assert "perplexity" in ran.out
    assert "without" in ran.out


def test_no_edits_is_an_error(run_demo: Run) -> None:
    ran = run_demo("side-effects")
    assert ran.status == 2
    assert "There are no edits to measure" in ran.err
