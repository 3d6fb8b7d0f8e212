"""`lm-debugger lens` and `--lens` through the real command line, on a tiny model in a folder."""

from pathlib import Path

import pytest
import torch

from lm_debugger.records.lens import LensComparison
from tests import zoo
from tests.cli.runner import Run
from tests.tiny import tokenizer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = tmp_path_factory.mktemp("tiny")
    zoo.make("llama").save_pretrained(place)
    tokenizer(96).save_pretrained(place)
    return str(place)


def test_fit_list_compare_check_and_use(run: Run, folder: str, empty_cache: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text(" ".join(f"w{3 + (7 * i * i + i) % 90}" for i in range(400)))
    ran = run("lens", "list", "--json")
    assert ran.json == {"lenses": []}
    file = tmp_path / "lens.pt"
    ran = run("lens", "fit", "--kind", "jacobian", "-m", folder, "--text", str(text), "--prompts", "6",
              "--tokens", "24", "--estimator", "exact", "-o", str(file), "--json")  # fmt: skip
    assert ran.status == 0, ran.err
    assert ran.json["lens"]["text"] == "text.txt"
    assert len(ran.json["lens"]["agreement"]) == len(ran.json["lens"]["layers"]) == 2
    assert set(torch.load(file, weights_only=True)) >= {"J", "n_prompts", "source_layers", "d_model"}
    ran = run("lens", "fit", "--kind", "tuned", "-m", folder, "--prompts", "8", "--tokens", "20")
    assert ran.status == 0, ran.err
    assert "✓ lens tuned, tuned, ridge, 8 texts of 20 tokens" in ran.out
    names = [each["name"] for each in run("lens", "list", "--json").json["lenses"]]
    assert names == ["tuned", "jacobian"]
    assert "jacobian, exact, 6 texts of 24 tokens" in run("lens", "list").out
    other = tmp_path / "other"
    zoo.make("llama", seed=1).save_pretrained(other)
    tokenizer(96).save_pretrained(other)
    of = {model: run("lens", "list", "-m", model, "--json").json["lenses"] for model in (folder, str(other))}
    assert [len(lenses) for lenses in of.values()] == [2, 0]
    assert run("direction", "list", "-m", str(other), "--json").json == {"directions": []}

    ran = run("lens", "compare", "-m", folder, "--tokens", "30", "--json")
    assert ran.status == 0, ran.err
    assert set(ran.json) >= {"layers", "tokens", "text"}
    for layer in ran.json["layers"]:
        assert set(layer) >= {"layer", "logit", "tuned", "jacobian"}
        for name in ("logit", "tuned", "jacobian"):
            assert set(layer[name]) == {"kl", "rank", "causal"}
    LensComparison.model_validate_json(ran.out)
    shown = run("lens", "compare", "-m", folder, "--tokens", "30").out
    assert "logit" in shown
    assert "L1" in shown
    assert "█" in shown

    ran = run("lens", "check", str(file), "-m", folder, "--json")
    assert ran.json["lens"]["layers"] == [0, 1]
    assert ran.status == (0 if ran.json["belongs"] else 2)
    bad = tmp_path / "bad.pt"
    bad.write_text("no lens")
    ran = run("lens", "check", str(bad), "-m", folder)
    assert ran.status == 2
    assert "cure:" in ran.err

    ran = run("trace", "w5 w9 w17", "-m", folder, "--lens", "jacobian", "--json")
    assert ran.status == 0, ran.err
    assert ran.json["lens"] == "jacobian"
    assert run("trace", "w5 w9 w17", "-m", folder, "--json").json["lens"] == "logit"
    assert run("trace", "w5 w9 w17", "-m", folder, "--lens", str(file), "--json").json["lens"] == "lens.pt"
    assert run("search", "w7", "-m", folder, "--lens", "jacobian", "--json").json["lens"] == "jacobian"
    assert run("value", "L0D5", "-m", folder, "--lens", "tuned", "--json").json["lens"] == "tuned"
    assert run("why", "w5 w9 w17", "-m", folder, "--lens", "tuned", "--json").json["lens"] == "tuned"
    assert run("generate", "w5 w9 w17", "-m", folder, "--lens", "tuned", "-n", "2", "--json").json["lens"] == "tuned"
    assert run("search", "w7", "-m", folder, "--lens", str(file), "--from-disk", "--json").json["lens"] == "lens.pt"
    ran = run("trace", "w5 w9", "-m", folder, "--lens", "nothing")
    assert ran.status == 2
    assert "There is no lens 'nothing'" in ran.err

    listed = run("cache", "--json").json["entries"]
    assert {entry["kind"] for entry in listed} >= {"lenses", "statistics"}
    assert run("cache", "remove", "lenses").status == 0
    assert run("lens", "list", "--json").json == {"lenses": []}
