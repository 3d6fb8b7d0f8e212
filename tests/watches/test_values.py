"""What watches give is what a direct computation gives: through layers, along steps, in conditions."""

import math

import pytest
import torch

from lm_debugger.debugger.session import Debugger
from lm_debugger.errors import WatchError
from lm_debugger.watches.bind import bind
from tests.tiny import debugger as fresh
from tests.tiny import prompt, shared

IDS = prompt(7)
EDITS = ["L1D5=4", "L2D3*=-2"]
CLOSE = {"rel": 1e-4, "abs": 1e-5}


@pytest.fixture(scope="module")
def tiny() -> Debugger:
    return fresh("llama")


def same(found: object, expected: float) -> None:
    assert found == pytest.approx(expected, **CLOSE)


@pytest.mark.parametrize("model_type", ["llama", "gpt2", "gemma2", "mixtral", "olmo2", "bert"])
def test_through_layers(model_type: str) -> None:
    debugger = shared(model_type)
    run = debugger.trace(IDS, ["L1H0*=2"])
    base = run.baseline
    assert base is not None
    texts = [
        'p("w5")', 'rank("w5")', 'logit("w5") - logit("w9")', "entropy()", "kl(base)", "norm(after)", "norm(before)",
        "norm(attention)", "norm(ffn)", "top()", "top() != top(base)", 'p("w5", base)', "L1H0", "2 * 3 - 4 / 8",
    ]  # fmt: skip
    found = dict(zip(texts, run.watch(texts, 4), strict=True))
    for layer in range(debugger.model.layers):
        streams = run.layer(layer, 4)
        logits = debugger.model.readout.logits(streams.after)[0].double()
        without = debugger.model.readout.logits(base.layer(layer, 4).after)[0].double()
        logs, base_logs = logits.log_softmax(-1), without.log_softmax(-1)
        value = {text: found[text].values[layer] for text in texts}
        same(value['p("w5")'], float(logs[5].exp()))
        assert value['rank("w5")'] == 1 + int((logits > logits[5]).sum())
        same(value['logit("w5") - logit("w9")'], float(logits[5] - logits[9]))
        same(value["entropy()"], float(-(logs.exp() * logs).nan_to_num(0).sum()))
        assert value["kl(base)"] == pytest.approx(
            float((base_logs.exp() * (base_logs - logs)).nan_to_num(0).sum()), rel=1e-3, abs=1e-5
        )
        same(value["norm(after)"], float(streams.after.norm()))
        same(value["norm(before)"], float(streams.before.norm()))
        same(value["norm(attention)"], float((streams.before - streams.pre).norm()))
        same(value["norm(ffn)"], float(streams.contribution.norm()))
        assert value["top()"] == debugger.model.vocabulary.text(int(logits.argmax()))
        assert value["top() != top(base)"] == (int(logits.argmax()) != int(without.argmax()))
        same(value['p("w5", base)'], float(base_logs[5].exp()))
        assert value["2 * 3 - 4 / 8"] == 5.5
    head = next(each for each in run.view(4).layers[1].heads if each.head == "L1H0")
    assert found["L1H0"].before[:2] == (None, pytest.approx(head.norm, **CLOSE))
    same(found["L1H0"].values[1], head.norm)
    same(found['p("w5")'].baseline, float(base.logits(4).softmax(-1)[5]))


def test_a_unit_has_no_value_before_its_layer(tiny: Debugger) -> None:
    run = tiny.trace(IDS)
    group, index = tiny.model.values(bind("L1D5", tiny.model).expression.name)  # type: ignore[union-attr]
    own = float(group.course(run.layer(1), index)[-1])
    (path,) = run.watch(["L1D5"])
    assert path.values == (None, pytest.approx(own), pytest.approx(own))
    assert path.before == (None, None, pytest.approx(own))


@pytest.mark.parametrize("model_type", ["llama", "gpt2", "mixtral", "qwen3_next", "bert", "bloom"])
def test_along_steps(model_type: str) -> None:
    """Of every token the prediction that it was chosen from, with and without edits; computed again as whole texts."""
    debugger = shared(model_type)
    texts = ['p("w5")', "kl(base)", "entropy(base)", "norm(after)", "L1H0", "token()", "text()"]
    edits = ["L1H0*=3"]
    found = debugger.generate(IDS, edits, max_new_tokens=4, watches=texts)
    series = {watch.expression: watch.values for watch in found.watches}
    ids = list(IDS)
    for place, token in enumerate(found.tokens):
        run = debugger.trace(ids, edits)
        assert run.baseline is not None
        direct = {path.expression: path.value for path in run.watch(texts[:5])}
        direct["kl(base)"] = run.view().comparison.kl  # type: ignore[union-attr]
        for text in texts[:5]:
            assert series[text][place] == pytest.approx(direct[text], rel=2e-3, abs=2e-5), (text, place)
        assert series["token()"][place] == token.text
        ids.append(token.id)
    assert series["text()"][-1] == debugger.model.vocabulary.decode(ids[len(IDS) :])


def test_without_edits_the_run_is_its_own_base(tiny: Debugger) -> None:
    found = tiny.generate(IDS, max_new_tokens=3, watches=["kl(base)", "top() != top(base)"])
    assert [watch.values for watch in found.watches] == [(0.0,) * 3, (False,) * 3]


def test_what_has_no_value_decides_nothing(tiny: Debugger) -> None:
    run = tiny.trace(IDS)
    texts = [
        "1 / 0",
        "1 / 0 > 2",
        "1 / 0 > 2 or 1 < 2",
        "1 / 0 > 2 and 1 < 2",
        "1 / 0 > 2 and 2 < 1",
        "log(0)",
        "exp(999)",
    ]
    assert [path.value for path in run.watch(texts)] == [None, None, True, None, False, None, None]
    assert not math.isnan(1)


def test_patterns_are_found_in_the_text(tiny: Debugger) -> None:
    found = tiny.generate(
        IDS, max_new_tokens=3, watches=["text() ~ /./", "token() ~ /^w[0-9]+$|s/i", "text() ~ /nothing/"]
    )
    assert [watch.values[-1] for watch in found.watches] == [True, True, False]


def test_what_the_model_does_not_have_is_refused_at_its_place(tiny: Debugger) -> None:
    refused = {
        'entropy() + p("nonsense words here")': 14,
        "1 + L9D1": 4,
        "1 + L1D99999": 4,
        'top() == "w5 w6"': 9,
        "p(#99999)": 2,
        "text() ~ /(/": 0,
        "#5": 0,
    }
    for text, at in refused.items():
        with pytest.raises(WatchError) as caught:
            bind(text, tiny.model)
        assert caught.value.at == at, text
        assert caught.value.what


def test_a_word_of_several_tokens_is_told(demo: Debugger) -> None:
    (path,) = demo.trace("My wife is working as a").watch(['p(" anaesthetist")'])
    assert "several tokens" in path.warnings[0]
    with pytest.raises(WatchError, match="no single token"):
        bind('top() == " anaesthetist"', demo.model)


def test_a_watch_changes_no_number(tiny: Debugger) -> None:
    plain = tiny.generate(IDS, EDITS, max_new_tokens=5)
    watched = tiny.generate(IDS, EDITS, max_new_tokens=5, watches=["L1H0", "norm(after)", "kl(base)"])
    assert watched.tokens == plain.tokens
    assert torch.equal(tiny.trace(IDS).logits(), tiny.trace(IDS).logits())
