"""`lm-debugger why` through the real command line, on the demo model."""

from pathlib import Path

from lm_debugger import Debugger
from lm_debugger.records.attention import HeadTable
from lm_debugger.records.flow import Flow
from lm_debugger.records.patch import PatchMap
from lm_debugger.records.path import PathMap
from lm_debugger.records.why import Why
from tests.cli.runner import PROMPT, Run


def test_json_is_the_contract(run_demo: Run, demo: Debugger) -> None:
    ran = run_demo(
        "why", PROMPT, "--target", " doctor", "--against", " nurse", "-k", "5", "--set", "L20D3=off", "--json"
    )
    assert ran.status == 0, ran.err
    assert set(ran.json) >= {"prompt", "position", "target", "against", "difference", "parts", "rest", "unexplained"}
    assert set(ran.json["parts"][0]) >= {"part", "kind", "effect", "estimate", "measured"}
    assert Why.model_validate_json(ran.out) == demo.why(PROMPT, " doctor", " nurse", -1, ["L20D3=off"], top_k=5)


def test_a_token_can_be_asked_for_by_its_number(run_demo: Run, demo: Debugger) -> None:
    doctor, nurse = (demo.model.vocabulary.encode(word, special=False)[0] for word in (" doctor", " nurse"))
    ran = run_demo("why", PROMPT, "--target", f"#{doctor}", "--against", f"#{nurse}", "-k", "1", "--json")
    assert ran.status == 0, ran.err
    assert (ran.json["target"]["text"], ran.json["against"]["text"]) == (" doctor", " nurse")
    assert "Token id 9999999" in run_demo("why", PROMPT, "--target", "#9999999").err


def test_the_report_names_the_question_the_parts_and_the_sum(run_demo: Run) -> None:
    ran = run_demo("why", PROMPT, "--layers", "20-29", "-k", "4")
    assert ran.status == 0, ran.err
    assert "why ·nurse" in ran.out
    assert "and not ·marketing" in ran.out
    assert "L29D778" in ran.out
    assert "unexplained" in ran.out


def test_a_word_that_is_no_token_is_an_error_in_one_line(run_demo: Run) -> None:
    ran = run_demo("why", PROMPT, "--target", "")
    assert ran.status == 2
    assert ran.err.startswith("error: The token to explain is an empty text.")


def test_heads_as_json_and_as_a_report(run_demo: Run, demo: Debugger) -> None:
    text = "The quick brown cat sat on a mat. The quick brown cat sat on"
    ran = run_demo("heads", text, "--json")
    assert HeadTable.model_validate_json(ran.out) == demo.heads(text)
    ran = run_demo("heads", text)
    assert ran.status == 0, ran.err
    assert "attend to what followed the same token before" in ran.out
    assert "L17H4" in ran.out


def test_flow_as_json_and_as_a_report(run_demo: Run, demo: Debugger) -> None:
    ran = run_demo("flow", PROMPT, "--threshold", "0.08", "--json")
    assert Flow.model_validate_json(ran.out) == demo.flow(PROMPT, threshold=0.08)
    ran = run_demo("flow", PROMPT)
    assert ran.status == 0, ran.err
    assert "layer 29" in ran.out
    assert "feed-forward" in ran.out


def test_patch_as_json_and_as_a_report(run_demo: Run, demo: Debugger) -> None:
    texts = ("The capital of France is", "--from", "The capital of Italy is")
    ran = run_demo("patch", *texts, "--part", "attention", "--json")
    assert PatchMap.model_validate_json(ran.out) == demo.patch(texts[0], texts[2], "attention")
    ran = run_demo("patch", *texts)
    assert ran.status == 0, ran.err
    assert "·Paris minus ·Rome in logits" in ran.out
    assert "layer 29" in ran.out


def test_ablations_estimates_and_sources_are_the_debuggers(run_demo: Run, demo: Debugger) -> None:
    texts = ("The capital of France is", "--resample", "The capital of Italy is")
    ran = run_demo("why", *texts, "--estimate", "relevance", "--verify", "2", "-k", "3", "--sources", "--json")
    assert ran.status == 0, ran.err
    expected = demo.why(texts[0], estimate="relevance", verify=2, top_k=3, resample=texts[2], sources=True)
    assert Why.model_validate_json(ran.out) == expected
    ran = run_demo("why", *texts, "-k", "3", "--sources")
    assert "ablated parts are as for" in ran.out
    assert "of that from" in ran.out


def test_a_prompt_to_resample_from_is_missed(run_demo: Run) -> None:
    ran = run_demo("why", PROMPT, "--ablate", "resample")
    assert ran.status == 2
    assert "cure: Give one with resample." in ran.err


def test_paths_as_json_as_a_report_and_as_a_table(run_demo: Run, demo: Debugger, tmp_path: Path) -> None:
    texts = ("The capital of France is", "--from", "The capital of Italy is", "--receiver", "L2H4", "--sender", "ffn")
    path = tmp_path / "paths.csv"
    ran = run_demo("patch", *texts, "--json", "--save", str(path))
    assert ran.status == 0, ran.err
    assert PathMap.model_validate_json(ran.out) == demo.path_patch(texts[0], texts[2], "L2H4", "ffn")
    assert path.read_text().splitlines()[0] == "sender,receiver,difference,change"
    ran = run_demo("patch", *texts)
    assert "change of that where L2H4 reads the other run's" in ran.out
    ran = run_demo("patch", *texts[:3], "--sender", "L1H0")
    assert ran.status == 2
    assert "cure: Name the part that reads it with --receiver." in ran.err
