"""A search scores every vector exactly: it equals projecting all of them and comparing by hand, at every rank."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from lm_debugger import Debugger
from lm_debugger.errors import CancelledError, OptionError, ValueNameError
from lm_debugger.records.names import ValueName
from lm_debugger.records.search import SearchAnswer
from tests.tiny import prompt, shared

EVERYTHING = 1000
TYPES = ["llama", "gpt2", "gemma2", "mixtral", "opt", "cohere", "deepseek_v3"]


def all_names(debugger: Debugger) -> list[ValueName]:
    return [block.name(row) for block in debugger.model.value_blocks() for row in range(len(block))]


def all_projections(debugger: Debugger) -> tuple[list[ValueName], Tensor]:
    """Every vector's logits, one at a time, through the model's own read-out: (vectors, vocabulary)."""
    names = all_names(debugger)
    return names, debugger.model.readout.project(torch.stack([debugger.model.vector(n) for n in names])).double()


def z_scores(projections: Tensor) -> Tensor:
    return (projections - projections.mean(-1, keepdim=True)) / projections.std(-1, correction=0, keepdim=True)


def found(answer: SearchAnswer) -> dict[str, float]:
    return {result.value: result.score for result in answer.results}


@pytest.mark.parametrize("model_type", TYPES)
def test_search_equals_projecting_every_vector(model_type: str) -> None:
    tiny = shared(model_type)
    names, projections = all_projections(tiny)
    z = z_scores(projections)
    answer = tiny.search("w7", limit=EVERYTHING)
    assert answer.searched == len(names)
    assert len(answer.results) == min(len(names), EVERYTHING)
    expected = z[:, 7]
    order = expected.abs().argsort(descending=True)[:EVERYTHING].tolist()
    strengths = [abs(result.score) for result in answer.results]
    assert strengths == sorted(strengths, reverse=True)
    assert strengths == pytest.approx(expected.abs()[order].tolist(), rel=1e-3, abs=1e-3)
    by_name = dict(zip(map(str, names), range(len(names)), strict=True))
    for result in answer.results:
        row = by_name[result.value]
        assert result.z == pytest.approx(float(expected[row]), rel=1e-3, abs=1e-3)
        assert result.sign == ("-" if result.score < 0 else "+")
        side = projections[row] * (-1 if result.sign == "-" else 1)
        (match,) = result.tokens
        assert abs(match.rank - 1 - int((side > side[7]).sum())) <= 1  # equal logits may differ in the last bit
        assert result.promotes[0] == tiny.model.vocabulary.text(int(side.argmax()))


def test_the_strongest_form_counts_and_keywords_are_averaged() -> None:
    tiny = shared("llama")
    names, projections = all_projections(tiny)
    z = z_scores(projections)
    three = z[:, [50, 51, 52]]
    answer = tiny.search("/^w5[012]$/, w7", unwanted="w9", sign="+", limit=EVERYTHING)
    expected = (three.amax(1) + z[:, 7]) / 2 - z[:, 9]
    assert found(answer) == pytest.approx(dict(zip(map(str, names), expected.tolist(), strict=True)), abs=1e-4)
    turned = tiny.search("/^w5[012]$/, w7", unwanted="w9", sign="-", limit=EVERYTHING)
    expected = (three.amin(1) + z[:, 7]) / 2 - z[:, 9]
    assert found(turned) == pytest.approx(dict(zip(map(str, names), expected.tolist(), strict=True)), abs=1e-4)
    any_of = tiny.search("w7, w8", match="any", sign="+", limit=EVERYTHING)
    expected = torch.maximum(z[:, 7], z[:, 8])
    assert found(any_of) == pytest.approx(dict(zip(map(str, names), expected.tolist(), strict=True)), abs=1e-4)


def test_a_phrase_is_the_mean_of_its_tokens() -> None:
    tiny = shared("llama")
    names, projections = all_projections(tiny)
    expected = z_scores(projections)[:, [7, 8]].mean(1)
    answer = tiny.search('"w7 w8"', sign="+", limit=EVERYTHING)
    assert [form.key for form in answer.keywords[0].forms] == ["7.8"]
    assert found(answer) == pytest.approx(dict(zip(map(str, names), expected.tolist(), strict=True)), abs=1e-4)


def test_forms_that_are_skipped_do_not_count() -> None:
    tiny = shared("llama")
    both = tiny.search("/^w1[01]$/", limit=EVERYTHING, sign="+")
    one = tiny.search("/^w1[01]$/", limit=EVERYTHING, sign="+", skip=["10"])
    assert [(form.key, form.used) for form in one.keywords[0].forms] == [("10", False), ("11", True)]
    assert found(one) == pytest.approx(found(tiny.search("w11", limit=EVERYTHING, sign="+")), abs=1e-5)
    assert found(one) != found(both)
    with pytest.raises(OptionError, match="No form"):
        tiny.search("w10", skip=["10"])


@pytest.mark.parametrize("model_type", ["llama", "gemma2", "mixtral"])
def test_the_likes_of_a_vector_are_those_with_the_largest_cosine(model_type: str) -> None:
    tiny = shared(model_type)
    names = all_names(tiny)
    vectors = torch.nn.functional.normalize(torch.stack([tiny.model.vector(n) for n in names]), dim=-1)
    itself = 40
    cosines = dict(zip(map(str, names), (vectors @ vectors[itself]).tolist(), strict=True))
    del cosines[str(names[itself])]
    answer = tiny.search(like=names[itself], limit=EVERYTHING)
    listed = found(answer)
    listed.pop(str(names[itself]), None)  # it stands last, as like nothing
    assert all(listed[name] == pytest.approx(cosines[name], abs=1e-5) for name in listed)
    view = tiny.value(names[itself], similar=3)
    best = sorted(cosines, key=lambda name: -cosines[name])
    assert [near.value for near in view.similar] == best[:3]
    assert [far.value for far in view.opposite] == best[::-1][:3]
    assert [near.cosine for near in view.similar] == pytest.approx([cosines[name] for name in best[:3]], abs=1e-5)


@pytest.mark.parametrize("model_type", ["llama", "gpt2", "mixtral", "granite"])
def test_shares_are_those_of_the_sub_updates_projections(model_type: str) -> None:
    tiny = shared(model_type)
    here = tiny.place(prompt(6), 4)
    layer = tiny.summary.layers - 1
    answer = tiny.writers(here, layer=layer, limit=EVERYTHING)
    residual = here.run.layer(layer, 4).after[0]
    said = tiny.model.readout.project(residual[None])[0].double()
    said = said - said.mean()
    names = [ValueName.parse(result.value) for result in answer.results]
    view = here.run.view(4, top_k=EVERYTHING)
    for name, result in list(zip(names, answer.results, strict=True))[:200]:
        updates = {update.value: update for update in view.layers[name.layer].values}
        if result.value not in updates:
            assert result.score == pytest.approx(0, abs=1e-6)
            continue
        update = updates[result.value]
        projected = tiny.model.readout.project(tiny.model.vector(name)[None])[0].double()
        share = update.coefficient * float((projected - projected.mean()) @ said / (said @ said))
        assert result.score == pytest.approx(share, rel=1e-2, abs=1e-5)
        assert result.sign == ("-" if update.coefficient < 0 else "+")


def test_what_tells_two_places_apart_is_the_difference_of_what_writes_them() -> None:
    tiny = shared("llama")
    one, other = tiny.place(prompt(6), 4), tiny.place(prompt(7, seed=3), 5)
    answer = tiny.writers(one, against=other, limit=EVERYTHING)
    layers = tiny.summary.layers - 1
    difference = one.run.layer(layers, 4).after[0] - other.run.layer(layers, 5).after[0]
    said = tiny.model.readout.project(difference[None])[0].double()
    said = said - said.mean()
    for result in answer.results[:50]:
        name = ValueName.parse(result.value)
        (bound,) = tiny.model.blocks[name.layer].groups
        change = [
            float(bound.coefficients(place.run.layer(name.layer, place.position))[0, name.dimension])
            for place in (one, other)
        ]
        projected = tiny.model.readout.project(tiny.model.vector(name)[None])[0].double()
        share = (change[0] - change[1]) * float((projected - projected.mean()) @ said / (said @ said))
        assert result.score == pytest.approx(share, rel=1e-2, abs=1e-5)
    with pytest.raises(OptionError, match="same"):
        tiny.writers(one, against=one)
    early = tiny.writers(one, layer=0, limit=5)
    assert {result.layer for result in early.results if result.score} == {0}


def test_filters() -> None:
    tiny = shared("mixtral")
    assert {r.layer for r in tiny.search("w7", layers="1", limit=50).results} == {1}
    assert {r.expert for r in tiny.search("w7", expert=2, limit=50).results} == {2}
    assert {r.sign for r in tiny.search("w7", sign="-", limit=50).results} == {"-"}
    among = ["L0E1D3", "L1E0D2"]
    only = tiny.search("w7", among=among)
    assert (only.searched, {r.value for r in only.results}) == (2, set(among))
    assert tiny.search("w7", among=[]).results == ()
    answer = tiny.search("w7")
    assert sum(layer.hits for layer in answer.layers) == answer.strongest
    assert max(layer.strongest for layer in answer.layers) == pytest.approx(abs(answer.results[0].score))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"query": "/(/"}, "regular expression"),
        ({"query": "/w1/z"}, "flag"),
        ({"query": "/./"}, None),
        ({"query": "/^nothing/"}, "No token"),
        ({"query": " , "}, "no keyword"),
        ({"query": "", "unwanted": "w7"}, "no keyword"),
        ({"query": "w7", "limit": 0}, "limit"),
        ({"query": "w7", "limit": 5000}, "limit"),
        ({"query": "w7", "layers": "99"}, "layers"),
        ({"query": "w7", "layers": "3-1"}, "backwards"),
        ({"query": "w7", "layers": "x"}, "range of layers"),
        ({"query": "w7", "expert": 0}, "expert"),
        ({"query": "w7", "match": "some"}, "match"),
        ({"query": "w7", "sign": "*"}, "sign"),
        ({"query": "w7", "like": "L0D1"}, "Both"),
    ],
)
def test_what_cannot_be_searched_is_refused(arguments: dict[str, object], says: str | None) -> None:
    if says is None:  # the whole tiny vocabulary is not too much
        assert shared("llama").search(**arguments).results  # type: ignore[arg-type]
        return
    with pytest.raises(OptionError, match=says):
        shared("llama").search(**arguments)  # type: ignore[arg-type]


def test_a_vector_that_does_not_exist() -> None:
    with pytest.raises(ValueNameError, match="L99D1"):
        shared("llama").search(like="L99D1")
    with pytest.raises(OptionError, match="Layer 99"):
        shared("llama").writers(shared("llama").place(prompt()), layer=99)
    with pytest.raises(OptionError, match="Position"):
        shared("llama").writers(shared("llama").place(prompt(), 50))


def test_models_that_end_a_layer_with_a_norm_refuse_shares() -> None:
    tiny = shared("openai-gpt")
    assert tiny.search("w7").results
    with pytest.raises(OptionError, match="norm"):
        tiny.writers(tiny.place(prompt()))


def test_a_search_can_be_cancelled() -> None:
    import threading

    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError):
        shared("llama").search("w7", cancel=cancel)


def test_the_demo_model_by_hand(demo: Debugger) -> None:
    answer = demo.search("teacher, school", limit=200)
    assert answer.searched == 46080
    assert [form.text for form in answer.keywords[0].forms] == [" teacher", " Teacher", "teacher", "Teacher"]
    forms = [[int(form.key) for form in keyword.forms] for keyword in answer.keywords]
    for result in answer.results[::20]:
        z = z_scores(demo.model.readout.project(demo.model.vector(ValueName.parse(result.value))[None]).double())[0]
        sign = -1 if result.sign == "-" else 1
        expected = sum(float((z[ids] * sign).max()) for ids in forms) / 2
        assert sign * result.score == pytest.approx(expected, rel=1e-3)
        assert [match.text in {form.text for form in answer.keywords[i].forms} for i, match in enumerate(result.tokens)]
    assert "school" in "".join(answer.results[0].promotes) or "teach" in "".join(answer.results[0].promotes)
    water = demo.search("water", limit=5)
    assert any(" swim" in result.promotes for result in water.results)  # far from its top tokens, and still found


def test_a_long_regular_expression_does_not_hang(demo: Debugger, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"is no regular expression"):
        demo.search(r"/(\w+\s?)+$$x(a|a)*(b|b)*\1{30}/")
    with pytest.raises(OptionError, match=r"too long|matches|No token"):
        demo.search(r"/(\w+\s?)+$$x(a|a)*(b|b)*(c|c){30}/")


def test_a_read_out_with_an_activation_of_its_own_is_searched() -> None:
    """RemBERT's has a module without weights between two maps."""
    assert shared("rembert").search("w7", limit=3).results
