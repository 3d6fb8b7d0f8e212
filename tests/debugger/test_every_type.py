"""Every verb on every model type that can be debugged: an answer, or a refusal that says what the model lacks."""

from collections.abc import Callable, Iterator

import pytest

import lm_debugger
from lm_debugger.debugger.session import Debugger
from lm_debugger.errors import EditError, OptionError, UnsupportedModelError, ValueNameError
from lm_debugger.records.fix import FixOptions
from tests import zoo
from tests.tiny import prompt, tokenizer

pytestmark = pytest.mark.slow

IDS = prompt(7)
OTHER = [*IDS[:3], 44, *IDS[4:]]
LONGER = prompt(9, seed=2)
FEW = FixOptions(max_edits=3, budget=200, side_effects=False)
# What a model may lack: heads, a feed-forward in some layer.
LACKING = (EditError, OptionError, ValueNameError)


def unit_of(debugger: Debugger) -> str:
    """A value vector's name, of the first layer that has any."""
    model = debugger.model
    extents = (e for layer in range(model.layers) for e in model.vectors(layer))
    layer = next(layer for layer in range(model.layers) if model.vectors(layer))
    return str(next(extents).name(layer, 1))


def verbs(debugger: Debugger) -> Iterator[tuple[str, Callable[[], object]]]:
    unit = unit_of(debugger)
    last = debugger.summary.layers - 1
    for method in ("gradient", "integrated", "relevance"):
        yield (
            f"why by {method}",
            lambda m=method: debugger.why(
                IDS, "w5", "w9", interventions=[f"{unit}=3"], top_k=5, estimate=m, sources=True, verify=2
            ),
        )
    yield "heads", lambda: debugger.heads(IDS)
    yield "flow", lambda: debugger.flow(IDS)
    for part in ("residual", "attention", "ffn", "heads"):
        yield f"patch of {part}", lambda p=part: debugger.patch(IDS, OTHER, p)
    yield "patch of another length", lambda: debugger.patch(IDS, LONGER)
    yield "paths", lambda: debugger.path_patch(IDS, OTHER, "output", "heads")
    yield "paths anew", lambda: debugger.path_patch(IDS, OTHER, f"L{last} ffn", "ffn", through="ffn")
    yield "bisect", lambda: debugger.bisect(IDS, OTHER)
    yield "bisect of an edit", lambda: debugger.bisect(IDS, interventions=[f"{unit}=300"])
    yield "fix", lambda: fixed(debugger)
    yield "debug", lambda: debugged(debugger, unit)
    yield "sweep", lambda: debugger.sweep(IDS, unit, "w5", points=3)
    yield "side effects", lambda: debugger.side_effects([f"{unit}=5"], held=["w5 w9 w17", "w8 w3 w20 w30"])
    yield "steer", lambda: debugger.trace(IDS, ['L1R("w5")+=1']).view()
    yield "exchange", lambda: debugger.trace(IDS, ['L0-1R("w5" <> "w9")=on']).view()
    yield "generate", lambda: debugger.generate(IDS, [f"{unit}=5"], max_new_tokens=4, watches=["entropy()"])
    yield "search", lambda: debugger.search("w7")
    yield "head", lambda: debugger.head(f"L{last}H0")
    yield "head off", lambda: debugger.trace(IDS, [f"L{last}H0=off"]).view()


def fixed(debugger: Debugger) -> None:
    wanted = debugger.trace(IDS).view(top_k=5).output[2].id
    found = debugger.fix(IDS, wanted, options=FEW)
    if found.success:
        assert debugger.trace(IDS, found.edits).view().output[0].id == wanted


def debugged(debugger: Debugger, unit: str) -> None:
    session = debugger.debug(IDS, watches=["entropy()", "norm(after)", "kl(base)"], breakpoints=['p("w5") > 0.99'])
    session.over(2)
    session.into()
    session.over()
    session.out()
    session.edit([f"{unit}=5"])
    session.over()
    session.back()
    session.force("w9")
    session.over()
    session.through(["entropy()"])
    session.why()


@pytest.mark.parametrize("model_type", zoo.TYPES)
def test_every_verb_answers_or_says_what_is_lacking(model_type: str) -> None:
    try:
        network = zoo.make(model_type)
    except zoo.Unavailable as error:
        pytest.skip(f"cannot be made here: {error}")  # there is no such model to debug
    try:
        debugger = lm_debugger.load(network, tokenizer(96))
    except UnsupportedModelError as error:
        pytest.skip(f"is not supported: {error}")  # docs/supported-models.md lists it so
    refused = {}
    for name, verb in verbs(debugger):
        try:
            verb()
        except LACKING as error:
            refused[name] = str(error)
    assert all("head" in why or "kept in a step" in why for why in refused.values()), refused
