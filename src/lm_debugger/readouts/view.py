"""Reads a trace out at one position: the lens of every layer, its dominant sub-updates, the output."""

import torch
from torch import Tensor

from lm_debugger.errors import OptionError
from lm_debugger.lenses.projection import End, Projections
from lm_debugger.lenses.reading import Reading
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.readouts.compare import compare, warnings
from lm_debugger.readouts.heads import head_updates, strongest_heads, to_spell
from lm_debugger.readouts.subupdates import dominant
from lm_debugger.records.token import TokenScore
from lm_debugger.records.trace import BaselineView, LayerView, SubUpdate, TraceView
from lm_debugger.runs.kept import KeptRun
from lm_debugger.units.unit import Contribution

PROMOTED = 10  # tokens listed for each sub-update


def view(
    trace: KeptRun,
    position: int,
    top_k: int,
    effect_on: int | None = None,
    head_tokens: int = 1,
    reading: Reading | None = None,
) -> TraceView:
    """See `Trace.view`; the reading is the run's own if left out."""
    trace.check_current()
    reading = reading or trace.reading
    place = trace.position(position)
    if top_k < 1:
        raise OptionError(f"top_k is {top_k}.", "It must be 1 or more.")
    if effect_on is not None and not 0 <= effect_on < trace.model.readout.vocabulary:
        raise OptionError(
            f"Token id {effect_on} does not exist.", f"Choose one from 0 to {trace.model.readout.vocabulary - 1}."
        )
    layers, output = read_layers(trace, reading, place, top_k, effect_on, head_tokens)
    baseline = comparison = None
    if trace.baseline is not None:
        base_layers, base_output = read_layers(trace.baseline, reading, place, top_k, effect_on, head_tokens)
        baseline = BaselineView(layers=base_layers, output=base_output)
        comparison = compare(trace.baseline, trace, place, top_k)
    return TraceView(
        model=trace.model.summary,
        tokens=trace.tokens,
        position=place,
        layers=layers,
        output=output,
        interventions=tuple(map(str, trace.interventions)),
        baseline=baseline,
        comparison=comparison,
        warnings=(*warnings(trace), *reading.warnings),
        lens=reading.name,
    )


@torch.no_grad()
def read_layers(
    trace: KeptRun, reading: Reading, place: int, top_k: int, effect_on: int | None, head_tokens: int
) -> tuple[tuple[LayerView, ...], tuple[TokenScore, ...]]:
    """Every layer at a position, and the output. Arguments as for `Trace.view`, checked."""
    streams = [trace.layer(index, place) for index in range(trace.model.layers)]
    # All streams and all heads' words in one product with the unembedding.
    heads = strongest_heads(trace.model, streams, top_k)
    seen = [(layer, torch.cat([s.before, s.after])) for layer, s in enumerate(streams)]
    logits, written = reading.read(seen, to_spell(heads, head_tokens))
    lens = top_tokens(trace.model, logits, top_k)
    direction = None
    if effect_on is not None:
        direction = trace.model.readout.direction(effect_on, trace.last_residual[place])
    strongest = [dominant(block, s, top_k, direction) for block, s in zip(trace.model.blocks, streams, strict=True)]
    reading.projections.remember((_end(found) for layer in strongest for found in layer), PROMOTED)
    spelled = head_updates(trace.model, heads, head_tokens, written)
    layers = tuple(
        LayerView(
            layer=index,
            before=lens[2 * index],
            values=tuple(_sub_update(reading.projections, found) for found in strongest[index]),
            after=lens[2 * index + 1],
            heads=spelled[index],
        )
        for index in range(trace.model.layers)
    )
    return layers, lens[-1]


def _sub_update(projections: Projections, found: Contribution) -> SubUpdate:
    return SubUpdate(
        value=str(found.name),
        coefficient=found.coefficient,
        norm=found.norm,
        score=found.score,
        share=found.share,
        effect=found.effect,
        promotes=projections.texts(_end(found), PROMOTED),
    )


def _end(found: Contribution) -> End:
    """What the sub-update promotes: with a negative coefficient, what its vector suppresses."""
    return End(found.name, found.coefficient < 0)


def top_tokens(model: LoadedModel, logits: Tensor, top_k: int) -> list[tuple[TokenScore, ...]]:
    """The most probable tokens of each row of logits (N, vocabulary)."""
    top = logits.topk(min(top_k, logits.shape[-1]))
    probabilities = (top.values - logits.logsumexp(-1, keepdim=True)).exp().tolist()
    text = model.vocabulary.text
    return [
        tuple(
            TokenScore(id=i, text=text(i), logit=value, probability=probability)
            for i, value, probability in zip(*row, strict=True)
        )
        for row in zip(top.indices.tolist(), top.values.tolist(), probabilities, strict=True)
    ]
