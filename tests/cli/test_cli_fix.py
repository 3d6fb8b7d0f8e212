"""`lm-debugger fix` and `bisect` through the real command line, on the demo model."""

import json
from pathlib import Path

from lm_debugger import Debugger
from lm_debugger.records.bisect import Bisection
from lm_debugger.records.fix import Fix, Fixes
from tests.cli.runner import Run

TEXT = "The keys to the cabinet are on the"


def test_json_is_the_contract(run_demo: Run, demo: Debugger) -> None:
    ran = run_demo("fix", TEXT, "--target", " table", "--json")
    assert ran.status == 0, ran.err
    assert set(ran.json) >= {
        "prompt", "from", "to", "success", "edits", "before", "after", "kl", "side_effects", "forwards", "seconds",
    }  # fmt: skip
    assert set(ran.json["side_effects"]) == {"prompts", "kl", "changed", "random_kl"}
    found = Fix.model_validate_json(ran.out)
    assert found.success
    top = demo.trace(TEXT, found.edits).view().output[0]
    assert top.text == " table"
    assert found.after[0].id == top.id


def test_the_report_names_the_edits_and_what_they_cost(run_demo: Run, demo: Debugger) -> None:
    (table,) = demo.model.vocabulary.encode(" table")
    ran = run_demo("fix", TEXT, "-t", f"#{table}", "--max-edits", "3")
    assert ran.status == 0, ran.err
    assert "fixed after position 7: ·top" in ran.out
    assert "KL here" in ran.out
    assert "random edits of equal size" in ran.out


def test_several_from_a_file(run_demo: Run, tmp_path: Path) -> None:
    file = tmp_path / "cases"
    file.write_text(f"{json.dumps({'prompt': TEXT, 'target': ' table'})}\nMy wife is working as a\t manager\n")
    ran = run_demo("fix", "--over", str(file), "--no-side-effects", "--json")
    assert ran.status == 0, ran.err
    found = Fixes.model_validate_json(ran.out)
    assert len(found.fixes) == 2
    assert found.side_effects is None


def test_what_cannot_be_fixed_is_an_error_in_one_line(run_demo: Run, tmp_path: Path) -> None:
    assert run_demo("fix", TEXT).status == 2
    assert run_demo("fix").err.startswith("error: Give either PROMPT or --over FILE.")
    file = tmp_path / "cases"
    file.write_text("nothing to see here\n")
    ran = run_demo("fix", "--over", str(file))
    assert ran.status == 2
    assert "case 1" in ran.err
    assert "no file" in run_demo("fix", "--over", str(tmp_path / "none")).err


def test_bisect_as_json_and_as_a_grid(run_demo: Run, demo: Debugger) -> None:
    texts = ("The capital of France is", "--with", "The capital of Italy is")
    ran = run_demo("bisect", *texts, "--json")
    assert ran.status == 0, ran.err
    assert set(ran.json) >= {"answer", "other", "layer", "position", "part", "units", "flips"}
    expected = demo.bisect(texts[0], texts[2])
    found = Bisection.model_validate_json(ran.out)
    assert (found.layer, found.position, found.part, found.units) == (
        expected.layer, expected.position, expected.part, expected.units,
    )  # fmt: skip
    ran = run_demo("bisect", *texts)
    assert ran.status == 0, ran.err
    assert f"it tips in layer {expected.layer}, attention" in ran.out
    assert "layer 29" in ran.out
    assert "proved by" in ran.out


def test_bisect_needs_another_run(run_demo: Run) -> None:
    ran = run_demo("bisect", "The capital of France is")
    assert ran.status == 2
    assert "no other run" in ran.err
