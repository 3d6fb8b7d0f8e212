"""Direct effects: a difference in logits as the exact sum of what every part of the model wrote at the position.

Logits are linear in the residual stream but for norms; with each norm held at the scale that it has for this position
they are linear, and every part's effect is its product with one direction. The walk goes backwards from the logits, so
that also norms after the residual sum are gone through at their scale (Elhage et al. 2021, "A Mathematical Framework
for Transformer Circuits": direct logit attribution; nostalgebraist 2020 for the read-out).
"""

from collections.abc import Callable

import torch

from lm_debugger.anatomy.streams import LayerStreams
from lm_debugger.attribution.account import Account, Entry, UnitEffects
from lm_debugger.attribution.layer import LayerBack, extra_sites
from lm_debugger.attribution.question import Question
from lm_debugger.engine.sites import Capture, Pass, Site
from lm_debugger.records.direction import DirectionName
from lm_debugger.records.why import PartKind
from lm_debugger.runs.kept import KeptRun
from lm_debugger.units.compile import compile_edits
from lm_debugger.work import Work

Streams = Callable[[int, int], LayerStreams]
"""Gives a layer's streams at a position."""


def passed(run: KeptRun) -> Pass:
    """What the network ran for a run."""
    spec = run.spec
    writes = compile_edits(spec.edits, run.model, prompt_length=spec.prompt_length, length=len(spec.ids))
    return Pass(spec.ids, writes)


def streams_of(run: KeptRun, work: Work) -> Streams:
    """A run's streams with all that the walk reads; runs it again only if the trace does not keep something."""
    model = run.model
    missing: list[Site] = [site for block in model.blocks for site in extra_sites(block)]
    if not missing:
        return run.layer
    capture: Capture = model.engine.observe([passed(run)], (*model.sites, *missing), work=work)[0]

    def read(layer: int, position: int) -> LayerStreams:
        return LayerStreams(model.blocks[layer], capture, slice(position, position + 1))

    return read


@torch.no_grad()
def account(run: KeptRun, question: Question, work: Work) -> Account:
    """The account of a question's difference in a run."""
    model, place = run.model, question.position
    residual = run.last_residual[place]
    difference = float(question.difference(model.readout.uncapped(residual[None]))[0])
    weights = [(question.target, 1.0), *([] if question.against is None else [(question.against, -1.0)])]
    back = model.backward.from_logits(weights, residual)
    ends: tuple[tuple[str, PartKind, float], ...] = (
        ("final norm bias", "final norm bias", back.norm_bias),
        ("unembedding bias", "unembedding bias", back.unembedding_bias),
        ("read-out", "read-out", back.rest),
    )
    entries = [Entry(name, kind, None, effect) for name, kind, effect in ends if effect]
    units: list[UnitEffects] = []
    direction = back.direction
    streams = streams_of(run, work)
    for index in reversed(range(model.layers)):
        work.go_on()
        here = streams(index, place)
        layer = LayerBack(here, model.network.get_submodule, _edited(run, index))
        direction = layer.through(direction)
        entries += layer.entries
        units += layer.units
        if index:
            after = streams(index - 1, place).after
            if not torch.equal(after, here.pre):
                effect = float((here.pre - after)[0].double() @ direction.double())
                entries.append(Entry(f"before L{index}", "stream", index, effect))
        else:
            effect = float(here.pre[0].double() @ direction.double())
            entries.append(Entry("embedding", "embedding", None, effect))
    return Account(difference, tuple(reversed(entries)), tuple(reversed(units)))


def _edited(run: KeptRun, layer: int) -> str:
    """What to call the edits along directions of the stream after a layer; "" where there are none."""
    names = [edit.value for edit in run.spec.edits if isinstance(edit.value, DirectionName)]
    here = [str(name) for name in names if layer in name.layers]
    if not here:
        return ""
    return here[0] if len(here) == len(names) == 1 and names[0].layer == names[0].last else f"L{layer} edits"
