"""Every command through the real command line, on the real demo model where it does not change its cache."""

import json
import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from lm_debugger import Debugger
from lm_debugger.records.calibration import CalibrationSummary
from lm_debugger.records.examination import Examination
from lm_debugger.records.generation import Generation
from lm_debugger.records.trace import TraceView
from lm_debugger.records.value import ValueView
from tests import zoo
from tests.cli.runner import PROMPT, Run, program
from tests.tiny import tokenizer

TOKEN = {"id", "text", "logit", "probability"}
ANSI = re.compile("\x1b\\[")


def test_trace_json_is_the_contract(run_demo: Run) -> None:
    ran = run_demo("trace", PROMPT, "--top-k", "7", "--json")
    assert ran.status == 0, ran.err
    assert ran.err == ""
    answer = ran.json
    assert TraceView.model_validate_json(ran.out).model_dump_json() == ran.out.rstrip("\n")
    assert {"model", "tokens", "position", "layers", "output", "interventions", "baseline"} <= set(answer)
    assert {"name", "fingerprint", "layers", "value_vectors"} <= set(answer["model"])
    assert answer["model"]["name"] == "demo"
    assert "".join(token["text"] for token in answer["tokens"]).endswith(PROMPT)
    assert set(answer["tokens"][0]) == {"position", "id", "text"}
    assert answer["position"] == len(answer["tokens"]) - 1
    assert len(answer["layers"]) == answer["model"]["layers"] == 30
    for layer in answer["layers"]:
        assert {"layer", "heads", "before", "values", "after"} == set(layer)
        assert len(layer["before"]) == len(layer["values"]) == len(layer["after"]) == len(layer["heads"]) == 7
        assert all(set(head) == {"head", "norm", "share", "name", "promotes"} for head in layer["heads"])
        assert all(len(head["promotes"]) == 10 for head in layer["heads"])
        assert {"value", "coefficient", "norm", "score", "name", "promotes"} <= set(layer["values"][0])
    assert set(answer["output"][0]) == TOKEN
    assert answer["layers"][-1]["after"] == answer["output"]
    assert answer["interventions"] == []
    assert answer["baseline"] is None


def test_trace_with_edits_carries_the_baseline(run_demo: Run) -> None:
    ran = run_demo("trace", PROMPT, "--set", "l28d1328 = 40", "--set", "L12D345*=2@prompt", "--json")
    assert ran.status == 0, ran.err
    assert ran.json["interventions"] == ["L28D1328=40.0", "L12D345*=2.0@prompt"]
    assert set(ran.json["baseline"]) == {"layers", "output"}
    assert ran.json["baseline"]["output"] != ran.json["output"]
    assert ran.json["comparison"]["changed"]


def test_recipes_are_applied_beside_edits_and_made_weaker_together(
    run_demo: Run, demo: Debugger, tmp_path: Path
) -> None:
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    demo.save_recipe(one, "one", ["L28D1328=40", "L12D345=off"])
    demo.save_recipe(two, "two", ["L29D168+=2@last"])
    edits = ("--set", "L3D4=off", "--recipe", one, "--recipe", two)
    ran = run_demo("trace", PROMPT, *edits, "--recipe-strength", "0.5", "--json")
    assert ran.status == 0, ran.err
    assert ran.json["interventions"] == ["L3D4=off", "L28D1328=20.0", "L12D345*=0.5", "L29D168+=1.0@last"]
    ran = run_demo("generate", PROMPT, "-n", "2", "--recipe", one, "--json")
    assert ran.json["interventions"] == ["L28D1328=40.0", "L12D345=off"]


def test_a_recipe_of_another_model_is_refused(run_demo: Run, tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_text("# LM-Debugger recipe\n# name: a\n# model: gpt2\n# fingerprint: abcd\nL1D2=on\n")
    ran = run_demo("trace", PROMPT, "--recipe", str(path), "--json")
    assert ran.status == 2
    assert ran.json["error"]["code"] == "wrong_model"
    assert "gpt2 (abcd), not for demo" in ran.json["error"]["what"]


def test_the_prompt_can_come_from_standard_input(run_demo: Run) -> None:
    given = run_demo("trace", PROMPT, "--json")
    piped = run_demo("trace", "-", "--json", stdin=f"{PROMPT}\n".encode())
    assert piped.json["tokens"] == given.json["tokens"]


def test_negative_positions_count_from_the_end(run_demo: Run) -> None:
    ran = run_demo("trace", PROMPT, "--position", "-2", "--json")
    assert ran.json["position"] == len(ran.json["tokens"]) - 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["trace", PROMPT, "--position", "99"], "bad_option"),
        (["trace", PROMPT, "--position", "-99"], "bad_option"),
        (["trace", PROMPT, "--top-k", "0"], "bad_option"),
        (["trace", ""], "bad_prompt"),
        (["trace", PROMPT, "--set", "L99D1=off"], "bad_edit"),
        (["trace", PROMPT, "--set", "L1D99999=off"], "bad_edit"),
        (["trace", PROMPT, "--set", "L1E1D1=off"], "bad_edit"),
        (["trace", PROMPT, "--set", "L1D1=off@99"], "bad_edit"),
        (["trace", PROMPT, "--set", "L1D1=off", "--set", "L1D1=3@last"], "bad_edit"),
        (["generate", PROMPT, "--set", "L30D1=off"], "bad_edit"),
        (["generate", PROMPT, "--top-p", "0", "--temperature", "1"], "bad_option"),
        (["value", "L99D1"], "bad_value"),
    ],
)
def test_what_the_model_does_not_have_is_refused(run_demo: Run, arguments: list[str], code: str) -> None:
    ran = run_demo(*arguments, "--json")
    assert ran.status == 2
    assert ran.json["error"]["code"] == code
    assert ran.json["error"]["cure"]
    assert "Traceback" not in ran.err


def test_layers_beyond_the_model_are_refused(run_demo: Run) -> None:
    ran = run_demo("trace", PROMPT, "--layers", "28-30")
    assert ran.status == 2
    assert "Use layers 0-29" in ran.err


def test_trace_shows_one_line_for_each_layer(run_demo: Run) -> None:
    for columns in (80, 120, 160, 200):
        ran = run_demo("trace", PROMPT, columns=columns)
        lines = ran.out.splitlines()
        assert all(len(line) <= columns for line in lines)
        assert sum(bool(re.match(r"L\d+ +\S", line)) for line in lines) == 30
        assert len(lines) < 50
        assert "▸·a◂" in ran.out


def test_chosen_layers_are_shown_in_full(run_demo: Run) -> None:
    ran = run_demo("trace", PROMPT, "--layers", "12-13")
    assert "layer 12" in ran.out
    assert "layer 13" in ran.out
    assert "layer 14" not in ran.out
    names = re.findall(r"^ +(?:updates +)?(L12D\d+)", ran.out, re.MULTILINE)
    whole = run_demo("trace", PROMPT, "--json").json
    assert names == [update["value"] for update in whole["layers"][12]["values"]]


def test_trace_with_edits_shows_both_outputs(run_demo: Run) -> None:
    ran = run_demo("trace", PROMPT, "--set", "L28D1328=40")
    assert "edits L28D1328=40.0" in ran.out
    assert "KL(no edits ‖ edited)" in ran.out
    assert "→" in ran.out


def test_an_edit_without_effect_says_so(run_demo: Run) -> None:
    ran = run_demo("trace", PROMPT, "--set", "L28D1328=40@generated")
    assert "! The edits apply to generated tokens only" in ran.out


@pytest.mark.parametrize("columns", [80, 120])
def test_token_text_cannot_break_the_display(run_demo: Run, columns: int) -> None:
    ran = run_demo("trace", "[red]x[/red] \x1b[31m \r\n\t שלום 中文 e\u0301 \u202eab :smile:", columns=columns)
    assert ran.status == 0, ran.err
    strip = ran.out.splitlines()[1]
    assert strip.startswith("[ red ] x [ / red ]")
    assert "␛ [" in strip
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", ran.out)
    assert all(cell_len(line) <= columns for line in ran.out.splitlines())


def test_piped_output_is_plain_and_nothing_else_is_printed() -> None:
    ran = program("trace", PROMPT, "--set", "L28D1328=40", COLUMNS="100")
    assert ran.returncode == 0
    assert ran.stderr == ""
    assert not ANSI.search(ran.stdout)


def test_generate_prints_the_continuation_alone(run_demo: Run) -> None:
    text = run_demo("generate", PROMPT, "--max-new-tokens", "5")
    answer = run_demo("generate", PROMPT, "--max-new-tokens", "5", "--json")
    assert text.status == answer.status == 0
    assert Generation.model_validate_json(answer.out).model_dump_json() == answer.out.rstrip("\n")
    assert {"prompt", "text", "tokens", "interventions", "baseline"} <= set(answer.json)
    assert set(answer.json["tokens"][0]) == {"id", "text", "logprob"}
    assert len(answer.json["tokens"]) == 5
    assert answer.json["baseline"] is None
    assert text.out == answer.json["text"] + "\n"
    assert answer.err == ""


def test_generate_with_edits_shows_both(run_demo: Run) -> None:
    arguments = ("generate", PROMPT, "--max-new-tokens", "4", "--set", "L28D1328=60")
    answer = run_demo(*arguments, "--json").json
    assert set(answer["baseline"]) >= {"text", "tokens"}
    assert answer["baseline"]["text"] != answer["text"]
    shown = run_demo(*arguments)
    assert "no edits" in shown.out
    assert "edited" in shown.out
    assert "first difference ▸" in shown.out
    assert run_demo(*arguments, "--no-baseline", "--json").json["baseline"] is None
    assert run_demo(*arguments, "--no-baseline").out == answer["text"] + "\n"


def test_generate_samples_by_seed_and_stops(run_demo: Run) -> None:
    arguments = ("generate", PROMPT, "-n", "6", "--temperature", "1.5", "--top-k", "50", "--top-p", "0.95", "--json")
    texts = [run_demo(*arguments, "--seed", seed).json["text"] for seed in ("1", "1", "2")]
    assert texts[0] == texts[1] != texts[2]
    greedy = run_demo("generate", PROMPT, "--json").json["text"]
    word = greedy.split()[3]
    stopped = run_demo("generate", PROMPT, "--stop", word, "--json").json
    assert stopped["finish"] == "stop"
    assert stopped["text"] == greedy[: greedy.index(word)]


def test_generate_uses_the_chat_template(run_demo: Run) -> None:
    answer = run_demo("generate", "Say hello.", "--chat", "-n", "4", "--json").json
    assert "Say hello." in answer["prompt"]
    assert answer["prompt"] != "Say hello."


def test_value(run_demo: Run) -> None:
    ran = run_demo("value", "l12d345", "--top-k", "20", "--json")
    assert ran.status == 0, ran.err
    view = ValueView.model_validate_json(ran.out)
    assert (view.value, view.layer, view.dimension, len(view.promotes)) == ("L12D345", 12, 345, 20)
    shown = run_demo("value", "L12D345", columns=80)
    assert "promotes" in shown.out
    assert "suppresses" in shown.out
    assert all(len(line) <= 80 for line in shown.out.splitlines())


def test_examine(run_demo: Run) -> None:
    ran = run_demo("examine", "demo", "--json")
    assert ran.status == 0, ran.err
    report = Examination.model_validate_json(ran.out)
    assert report.supported
    assert {check.invariant for check in report.checks} == {"I1", "I2", "I3", "I4", "I5"}
    shown = run_demo("examine", "demo")
    assert shown.status == 0
    assert "✓ supported" in shown.out
    assert "I5" in shown.out


def test_calibrate(run: Run, tmp_path: Path, empty_cache: Path) -> None:
    folder, text = tmp_path / "model", tmp_path / "text.txt"
    zoo.make("llama", seed=0).save_pretrained(folder)
    tokenizer(96).save_pretrained(folder)
    text.write_text(" ".join(f"w{3 + i % 90}" for i in range(1200)))
    ran = run("calibrate", "--model", str(folder), "--text", str(text), "--tokens", "1100", "--json")
    assert ran.status == 0, ran.err
    summary = CalibrationSummary.model_validate_json(ran.out)
    assert summary.source == "text.txt"
    assert summary.tokens >= 1000
    shown = run("calibrate", "--model", str(folder))
    assert f"{summary.value_vectors:,} coefficient ranges" in shown.out
    assert "already in the cache" in shown.out
    assert json.loads(run("value", "L0D1", "--model", str(folder), "--json").out)["range"] is not None
    assert "on-" in run("value", "L0D1", "--model", str(folder)).out


def test_the_model_can_come_from_the_environment(run_demo: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LM_DEBUGGER_MODEL", "/no/such/model")
    assert run_demo("trace", "x", "--json").json["error"]["code"] == "model_not_found"
    answer = run_demo("trace", "x", "--model", "demo", "--json")
    assert json.loads(answer.out)["model"]["name"] == "demo"
