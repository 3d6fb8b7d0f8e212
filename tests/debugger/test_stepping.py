"""What each verb of a session means, on every form of model: continue, step, enter, edit, force, go back."""

import threading
from typing import Any

import pytest
import torch

from lm_debugger.debugger.session import Debugger
from lm_debugger.debugger.stepping import reenter
from lm_debugger.debugger.stepping.course import Course
from lm_debugger.debugger.stepping.session import Session
from lm_debugger.engine.sites import LOGITS, Pass
from lm_debugger.errors import EditError, OptionError, SessionBusyError, StaleRunError, WatchError
from lm_debugger.records.session import SessionView
from tests.tiny import COMMON, prompt, shared
from tests.tiny import debugger as fresh

IDS = prompt(6)
TOKENS = 6
# A step under a cache against the whole text at once: the same arithmetic in another order.
TOLERANCE: dict[str, Any] = {"rtol": 2e-3, "atol": 2e-4}


def edit_of(debugger: Debugger, layer: int) -> str:
    """An edit that the layer can have, strong enough to be seen."""
    extents = [extent for extent in debugger.model.vectors(layer) if extent.units]
    if not extents:
        pytest.skip("the layer has no value vectors")
    return f"{extents[0].name(layer, 1)}=6"


def ids_of(view: SessionView) -> list[int]:
    return [node.token.id for node in view.path if node.token is not None]


def plain(debugger: Debugger, tokens: int = TOKENS, **more: Any) -> list[int]:
    return [token.id for token in debugger.generate(IDS, max_new_tokens=tokens, **more).tokens]


@pytest.fixture(scope="module")
def tiny() -> Debugger:
    return fresh("llama")


@pytest.fixture
def session(tiny: Debugger) -> Session:
    return tiny.debug(IDS, max_new_tokens=TOKENS)


@pytest.mark.parametrize("model_type", COMMON)
def test_continue_after_a_pause_gives_the_uninterrupted_tokens(model_type: str) -> None:
    debugger = shared(model_type)
    session = debugger.debug(IDS, max_new_tokens=TOKENS, watches=["entropy()"])
    session.over(2)
    debugger.trace(prompt(8, 3))
    session.into()
    found = session.continue_()
    assert ids_of(found) == plain(debugger)
    assert found.stop.kind in ("limit", "end")
    assert len(session.tree) == len(found.path)


@pytest.mark.parametrize("sampled", [{"temperature": 1.0, "seed": 5}, {"temperature": 0.7, "top_k": 20, "top_p": 0.9}])
def test_sampled_tokens_too(tiny: Debugger, sampled: dict[str, Any]) -> None:
    session = tiny.debug(IDS, max_new_tokens=TOKENS, **sampled)
    session.over(3)
    session.back(2)
    assert ids_of(session.continue_()) == plain(tiny, **sampled)
    session.sleep()
    session.back(4)
    assert ids_of(session.continue_()) == plain(tiny, **sampled)


@pytest.mark.parametrize("model_type", COMMON)
def test_back_then_forward_is_the_same(model_type: str) -> None:
    debugger = shared(model_type)
    session = debugger.debug(IDS, max_new_tokens=TOKENS)
    first = session.over(4)
    session.back(3)
    again = session.over(3)
    assert (again.at, again.nodes) == (first.at, first.nodes)
    session.back(4)
    session.sleep()  # everything is run again
    last = session.over(4)
    assert (last.at, last.nodes) == (first.at, first.nodes)


# In transformers' own `generate` their tokens have other positions than in a plain forward.
OWN_POSITIONS = {"roberta"}


@pytest.mark.parametrize("model_type", COMMON)
def test_edit_and_continue_is_a_fresh_run_with_those_edits_from_that_point(model_type: str) -> None:
    debugger = shared(model_type)
    model = debugger.model
    session = debugger.debug(IDS, max_new_tokens=TOKENS)
    before = session.over(2)
    edit = edit_of(debugger, 1)
    session.edit([edit])
    found = session.continue_()
    assert ids_of(found)[:2] == ids_of(before)
    # The same from the prompt on, all at once: the edits hold where they were in force, and nowhere else.
    place = len(IDS) + 1
    for depth in range(3, len(found.path) if model_type not in OWN_POSITIONS else 0):
        at = session.tree[found.path[depth].id]
        parent = session.tree.path(at)[:-1]
        course = Course(IDS, parent, at.edits)
        assert [stretch.start for stretch in course.stretches] == [0, place]
        writes = course.writes(model, len(IDS) + TOKENS)
        whole = model.engine.observe([Pass(course.ids, writes)], [LOGITS])[0][LOGITS][-1].float()
        logprob = float(whole[at.token] - whole.logsumexp(-1))  # type: ignore[index]
        assert at.logprob == pytest.approx(logprob, rel=2e-3, abs=2e-3)
        assert float(whole[at.token]) >= float(whole.max()) - 1e-3  # type: ignore[index]
    # And a session that has them from there on, with nothing kept.
    other = debugger.debug(IDS, max_new_tokens=TOKENS)
    other.over(2)
    other.edit([edit])
    other.sleep()
    assert ids_of(other.continue_()) == ids_of(found)


@pytest.mark.parametrize("model_type", COMMON)
def test_stepping_into_sums_to_the_forward(model_type: str) -> None:
    debugger = shared(model_type)
    session = debugger.debug(IDS, max_new_tokens=TOKENS)
    session.over()
    session.into()
    frame = session.frame
    assert frame is not None
    stream = frame.streams(0).pre.clone()
    for layer in range(debugger.model.layers):
        streams = frame.streams(layer)
        stream = stream + (streams.pre - stream)  # what lies between two layers
        stream = stream + streams.attention + streams.contribution + (streams.after - streams.total)
        torch.testing.assert_close(stream, streams.after, **TOLERANCE)
    logits = debugger.model.readout.logits(stream)[0]
    expected = frame.held.last.logits[0][: len(logits)]
    torch.testing.assert_close(logits, expected, **TOLERANCE)
    # Part by part to the end: the token is the one that a step over chooses.
    seen = []
    while session.frame is not None:
        seen.append(tuple(session.frame.place))
        view = session.into()
    assert seen == [tuple(place) for place in frame.places]
    other = debugger.debug(IDS, max_new_tokens=TOKENS)
    assert ids_of(view) == ids_of(other.over(2))


@pytest.mark.parametrize("model_type", COMMON)
def test_an_edit_inside_a_step_reuses_the_layers_below(model_type: str) -> None:
    """As exact as a step taken as a whole, and the layers below do not run."""
    debugger = shared(model_type)
    model = debugger.model
    edit = edit_of(debugger, model.layers - 1)
    session = debugger.debug(IDS, max_new_tokens=TOKENS)
    session.over(2)
    session.into()
    calls: list[int] = []
    session.edit([edit])  # proves that it can be done
    session.edit([])
    inner = [next(iter(model.network.get_submodule(block.anatomy.path).children())) for block in model.blocks]
    handles = [
        module.register_forward_pre_hook(lambda *_, place=place: calls.append(place))
        for place, module in enumerate(inner)
    ]
    try:
        session._walk._weights = model.engine.state()  # these hooks only count
        view = session.edit([edit])
    finally:
        for handle in handles:
            handle.remove()
    session._walk._weights = model.engine.state()
    assert view.frame is not None
    assert view.frame.reused in (0, model.layers - 1)
    if view.frame.reused:
        assert set(calls) <= {model.layers - 1}
    found = session.out()
    whole = debugger.debug(IDS, max_new_tokens=TOKENS)
    whole.over(2)
    whole.edit([edit])
    expected = whole.over()
    assert found.at == expected.at
    assert [n.logprob for n in found.path] == [n.logprob for n in expected.path]
    assert ids_of(session.continue_()) == ids_of(whole.continue_())


def test_most_types_can_reuse_layers() -> None:
    able = []
    for model_type in ("llama", "gpt2", "gemma2", "mixtral", "olmo2", "phi", "bloom"):
        session = shared(model_type).debug(IDS, max_new_tokens=TOKENS)
        session.over()
        session.into()
        assert session.frame is not None
        able.append(reenter._can_reuse(session._walk, session.frame))
    assert all(able)


@pytest.mark.parametrize("model_type", ["llama", "gpt2", "mixtral", "qwen3_next", "recurrent_gemma", "bert"])
def test_a_forced_token_goes_on_from_there(model_type: str) -> None:
    debugger = shared(model_type)
    session = debugger.debug(IDS, max_new_tokens=TOKENS)
    begun = session.over(2)
    other = (ids_of(begun)[-1] + 1) % 90 + 3
    forced = session.force(other)
    assert ids_of(forced) == [ids_of(begun)[0], other]
    assert forced.path[-1].forced
    found = session.continue_()
    text = [*IDS, ids_of(begun)[0], other]
    expected = [token.id for token in debugger.generate(text, max_new_tokens=TOKENS - 2).tokens]
    assert ids_of(found)[2:] == expected
    assert len(session.tree.leaves()) == 2


def test_a_breakpoint_says_which_and_why_and_goes_on(tiny: Debugger) -> None:
    tokens = plain(tiny)
    third = tiny.model.vocabulary.text(tokens[2])
    session = tiny.debug(IDS, max_new_tokens=TOKENS)
    session.stop_at("1 > 2")
    number = session.stop_at(f'"{third}"').number
    found = session.continue_()
    assert (found.stop.kind, found.stop.breakpoint) == ("breakpoint", number)
    assert found.stop.expression == f'token() == "{third}"'
    assert [(part.expression, part.value) for part in found.stop.because] == [("token()", third)]
    assert ids_of(found) == tokens[: tokens.index(tokens[2]) + 1]
    assert ids_of(session.continue_())[:TOKENS] == tokens
    assert session.breakpoints.views[0].hits == 0
    assert session.breakpoints.views[1].hits >= 1


def test_a_breakpoint_for_once_stops_the_first_time_only(tiny: Debugger, tmp_path: Any) -> None:
    tokens = plain(tiny)
    session = tiny.debug(IDS, max_new_tokens=TOKENS)
    assert session.stop_at("1 < 2", once=True).once
    place = str(tmp_path / "sessions.db")
    kept = tiny.saved_session(tiny.save_session(session, "", place), place)
    for each in (session, kept):
        assert [view.once for view in each.breakpoints.views] == [True]
        found = each.continue_()
        assert (found.stop.kind, found.stop.breakpoint, ids_of(found)) == ("breakpoint", 1, tokens[:1])
        assert found.breakpoints == ()
        assert ids_of(each.continue_()) == tokens
    session.goto("prompt")
    session.stop_at("1 < 2", once=True)
    assert not session.stop_at("1 < 2").once
    session.over()
    assert [view.number for view in session.breakpoints.views] == [2]


def test_a_breakpoint_at_numbers_and_patterns(tiny: Debugger) -> None:
    watches = ["entropy()", "L1D5"]
    values = {w.expression: w.values for w in tiny.generate(IDS, max_new_tokens=TOKENS, watches=watches).watches}
    for expression in watches:
        series = [float(value) for value in values[expression]]  # type: ignore[arg-type]
        bound = sorted(series)[-2]
        first = next(place for place, value in enumerate(series) if value >= bound * 0.9999)
        session = tiny.debug(IDS, max_new_tokens=TOKENS, breakpoints=[f"{expression} >= {bound * 0.9999}"])
        found = session.continue_()
        if bound > 0:
            assert len(ids_of(found)) == first + 1
    session = tiny.debug(IDS, max_new_tokens=TOKENS, breakpoints=["/w[0-9]+/"])
    assert session.continue_().stop.kind == "breakpoint"


def test_stopping_where_edits_change_the_token(tiny: Debugger) -> None:
    edits = ["L1D5=9", "L2D3=-9"]
    found = tiny.debug(IDS, edits, max_new_tokens=TOKENS, breakpoints=["differs"]).continue_()
    run = tiny.trace([*IDS, *ids_of(found)[:-1]], edits)
    assert run.baseline is not None
    assert found.stop.kind == "breakpoint"
    assert int(run.logits().argmax()) != int(run.baseline.logits().argmax())
    assert tiny.debug(IDS, max_new_tokens=TOKENS, breakpoints=["differs"]).continue_().stop.kind in ("limit", "end")


def test_running_to_a_layer_a_position_and_a_token(tiny: Debugger, session: Session) -> None:
    tokens = plain(tiny)
    view = session.run_to_layer(2)
    assert view.frame is not None
    assert (view.frame.part.layer, view.frame.part.part) == (2, "attention")
    with pytest.raises(OptionError, match="has run already"):
        session.run_to_layer(1)
    assert len(ids_of(session.run_to_token(len(IDS) + 2))) == 3
    session.back(3)
    text = tiny.model.vocabulary.text(tokens[1])
    assert ids_of(session.run_to_token(text)) == tokens[:2] or tokens[0] == tokens[1]
    with pytest.raises(OptionError, match="passed"):
        session.run_to_token(2)
    with pytest.raises(WatchError):
        session.run_to_token("no such token at all")


def test_a_frame_is_left_and_gone_back_in(session: Session) -> None:
    session.over()
    session.into(3)
    assert session.back().frame is not None
    assert session.back(1).frame is not None
    assert session.back(1).frame is None
    assert session.view().at == session.at.id
    session.into()
    assert session.over().frame is not None  # a layer
    assert session.out().frame is None


def test_the_whole_run_is_handed_on_for_any_other_question(tiny: Debugger) -> None:
    session = tiny.debug(IDS, max_new_tokens=TOKENS)
    session.over(2)
    session.set("L1D5=6")
    view = session.over(2)
    run = tiny.trace(view.run_ids, view.run_interventions)
    top = int(run.logits(-2).argmax())
    assert top == ids_of(view)[-1]
    assert view.run_interventions == (f"L1D5=6.0@{len(IDS) + 1}-{len(IDS) + 3}",)


def test_the_difference_of_two_positions(tiny: Debugger) -> None:
    session = tiny.debug(IDS, max_new_tokens=TOKENS)
    first = session.over(2)
    session.set("L1D5=9")
    one = session.over()
    session.goto(first.at)
    session.edit([])
    other = session.over()
    found = session.difference(other.at, one.at)
    assert found.common >= len(IDS) + 2
    changed = next(unit for unit in found.units if unit.value == "L1D5")
    assert changed.second == pytest.approx(9.0)
    assert changed.first == pytest.approx(float(_coefficient(tiny, session, other.at)))
    assert found.parts_at is None or 1 <= found.parts_at < tiny.model.layers
    assert found.layers[0].distance == pytest.approx(0, abs=1e-5) or found.first_tokens != found.second_tokens
    same = session.difference(one.at, one.at)
    assert (same.kl, same.units, same.first_tokens, same.parts_at) == (0.0, (), (), None)


def _coefficient(debugger: Debugger, session: Session, at: str) -> float:
    run = session.trace(at)
    (path,) = run.watch(["L1D5"])
    assert isinstance(path.value, float)
    return path.value


def test_positions_are_named_and_deleted(session: Session) -> None:
    first = session.over(3)
    session.name("three")
    session.back(2)
    session.force(41)
    branch = session.over()
    assert session.goto("three").at == first.at
    with pytest.raises(OptionError, match="Another position"):
        session.name("three", branch.at[:8])
    left = session.delete(branch.path[-2].id)
    assert branch.at not in {node.id for node in left.nodes}
    assert session.delete("three").at == first.path[-2].id
    with pytest.raises(OptionError, match="no position"):
        session.goto("three")
    with pytest.raises(OptionError, match="prompt cannot"):
        session.delete(session.tree.root.id)


def test_watches_follow_and_can_be_added_later(tiny: Debugger, session: Session) -> None:
    session.over(2)
    session.watch("L1D5")
    late = session.over().watches[0]
    assert late.values[:2] == (None, None)
    (run,) = session.trace().watch(["L1D5"], -2)
    assert late.value == pytest.approx(run.value, rel=1e-3, abs=1e-5)
    assert session.evaluate("L1D5") == late.value
    assert session.evaluate("norm(ffn)") == pytest.approx(session.trace().watch(["norm(ffn)"], -2)[0].value, rel=1e-3)
    session.into(2)
    inside = session.evaluate("L1D5")
    assert inside is None  # its layer has not run yet
    session.run_to_layer(2)
    assert session.evaluate("L1D5") == pytest.approx(float(session.trace().watch(["L1D5"])[0].value), rel=1e-3)  # type: ignore[arg-type]
    assert session.unwatch("l1d5").watches == ()


def test_refusals_name_the_cure(tiny: Debugger, session: Session) -> None:
    for wrong in (
        session.back,
        lambda: session.over(0),
        lambda: session.evaluate("entropy()"),
        lambda: session.force("w5"),
        lambda: session.goto("nothing"),
        lambda: session.clear(7),
        lambda: session.unwatch("entropy()"),
        lambda: session.unset("L1D5"),
        session.why,
        lambda: session.run_to_layer(99),
        lambda: tiny.debug(IDS, max_new_tokens=0),
        lambda: tiny.debug(IDS, max_new_tokens=10**9),
    ):
        with pytest.raises(OptionError) as caught:
            wrong()
        assert caught.value.cure
    with pytest.raises(EditError):
        session.edit(["L99D1=off"])
    session.over(TOKENS)
    with pytest.raises(OptionError, match=r"has its|has ended"):
        session.over()


def test_two_sessions_do_not_meet(tiny: Debugger) -> None:
    """Verbs of both in turns, with edits, watches and breakpoints of their own."""
    alone, other = (tiny.debug(IDS, max_new_tokens=TOKENS) for _ in range(2))
    edited = tiny.debug(IDS, ["L1D5=9"], max_new_tokens=TOKENS, breakpoints=["1 > 2"], watches=["L1D5"])
    for _ in range(TOKENS):
        if alone.view().stop.kind not in ("limit", "end"):
            alone.over()
        if edited.view().stop.kind not in ("limit", "end"):
            edited.over()
    other.continue_()
    assert ids_of(alone.view()) == ids_of(other.view()) == plain(tiny)
    assert ids_of(edited.view()) == [t.id for t in tiny.generate(IDS, ["L1D5=9"], max_new_tokens=TOKENS).tokens]
    assert (alone.watches, alone.breakpoints.views) == ((), ())


def test_a_session_that_is_paused_holds_nothing(tiny: Debugger, session: Session) -> None:
    session.over(2)
    session.into()
    network = tiny.model.network
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())
    assert not any("forward" in vars(m) for m in network.modules())
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(tiny.debug(IDS, max_new_tokens=TOKENS).continue_()))
    thread.start()
    thread.join(60)
    assert len(found) == 1


def test_one_verb_at_a_time_and_a_cancelled_one_stops_at_a_token(tiny: Debugger, session: Session) -> None:
    begun, go = threading.Event(), threading.Event()
    cancel = threading.Event()

    def wait(_: object) -> None:
        begun.set()
        go.wait(60)

    thread = threading.Thread(target=lambda: session.continue_(on_step=wait, cancel=cancel))
    thread.start()
    assert begun.wait(60)
    with pytest.raises(SessionBusyError):
        session.over()
    cancel.set()
    go.set()
    thread.join(60)
    assert session.view().stop.kind == "cancelled"
    assert ids_of(session.continue_()) == plain(tiny)


def test_changed_weights_are_not_mixed_with_old_caches() -> None:
    debugger = fresh("gpt2")
    session = debugger.debug(IDS, max_new_tokens=TOKENS)
    session.over(2)
    with torch.no_grad():
        next(debugger.model.network.parameters()).mul_(1.01)
    with pytest.raises(StaleRunError):
        session.over()


def test_saved_and_gone_on_with_elsewhere(tiny: Debugger, session: Session, tmp_path: Any) -> None:
    """The tree, where it was, edits, watches and breakpoints come back; what is written then is the same."""
    session.watch("L1D5")
    session.stop_at("1 > 2")
    session.over(3)
    session.name("here")
    session.back()
    session.set("L1D5=9")
    session.over()
    place = str(tmp_path / "sessions.db")
    name = tiny.save_session(session, "a title", place)
    before = session.view()
    again = tiny.saved_session(name, place)
    kept = again.view()
    assert not again.awake
    assert (kept.nodes, kept.at, kept.interventions, kept.stop) == (
        before.nodes,
        before.at,
        before.interventions,
        before.stop,
    )
    assert [w.values for w in kept.watches] == [w.values for w in before.watches]
    assert kept.breakpoints == before.breakpoints
    assert ids_of(again.continue_()) == ids_of(session.continue_())
    with pytest.raises(Exception, match="no session"):
        tiny.saved_session("nothing", place)


def test_why_is_about_the_token_that_was_chosen(tiny: Debugger, session: Session) -> None:
    view = session.over(2)
    found = session.why()
    assert (found.target.id, found.position) == (ids_of(view)[-1], len(IDS))
