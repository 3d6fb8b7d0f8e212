"""Compares lenses layer by layer on text: how close each is to the model's output, and how well it tells causes."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from lm_debugger.engine.sites import Pass
from lm_debugger.errors import LensError
from lm_debugger.fitting.pushes import causal
from lm_debugger.fitting.texts import texts
from lm_debugger.lenses.lens import LOGIT_LENS
from lm_debugger.lenses.reading import Reading
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.lens import LayerScores, LensComparison, LensScore
from lm_debugger.work import UNWATCHED, Work

LENGTH = 48  # tokens of a text
SHORTEST = 16
POSITIONS = 256  # that are read, unless asked otherwise
PUSHES = 8  # at each layer
HELD_OUT = 1  # seed of the model's own text: lenses are fitted on that of 0
CHUNK = 1 << 22  # logits held at once


@torch.no_grad()
def compare(
    model: LoadedModel,
    readings: Mapping[str, Reading],
    *,
    text: tuple[str, str] | None = None,
    positions: int = POSITIONS,
    pushes: int = PUSHES,
    seed: int = HELD_OUT,
    work: Work = UNWATCHED,
) -> LensComparison:
    """Compare lenses.

    Args:
        readings: the model through `tuned` and `jacobian`, those that there are. The logit lens is always compared.
        text: name and content of a text file that the lenses were not fitted on; None to let the model write.
        positions: how many to read, 1 or more (at most: a file may be shorter).
        pushes: at each layer; 0 to leave causes out.
        seed: of the model's writing and of the pushes.

    Raises:
        LensError: if the text is too short, or the model has one layer only.
        PromptError: if it does not fit the model's context.
        CancelledError: if cancelled.
    """
    if model.layers < 2:
        raise LensError("The model has one layer, whose read-out is its own.", "Use the logit lens.")
    length = min(LENGTH, max(SHORTEST, positions + 1), model.context or LENGTH)
    count = max(-(-positions // (length - 1)), 2)
    chosen = texts(model, text, count=count, length=length, seed=seed, work=work)
    every = [Reading(model, LOGIT_LENS), *readings.values()]
    layers = list(range(model.layers - 1))
    read, tokens = _read(model, every, chosen.ids, positions, work)
    told = (
        causal(model, [each.lens for each in every], chosen.ids, layers, pushes=pushes, seed=seed, work=work)
        if pushes
        else {}
    )

    def score(layer: int, number: int) -> LensScore:
        kl, rank = read[layer, number].tolist()
        return LensScore(kl=kl, rank=math.exp(rank), causal=told[layer][number] if told else None)

    names = ["logit", *readings]
    return LensComparison(
        model=model.name,
        layers=tuple(
            LayerScores(layer=layer, **{name: score(layer, number) for number, name in enumerate(names)})
            for layer in layers
        ),
        tokens=tokens,
        pushes=pushes,
        text=chosen.source,
    )


def _read(
    model: LoadedModel, readings: Sequence[Reading], ids: Sequence[tuple[int, ...]], positions: int, work: Work
) -> tuple[Tensor, int]:
    """For each layer and lens the mean KL divergence and the mean logarithm of the rank: (layers, lenses, 2); tokens.

    Positions from the second of each text: the first is an attention sink in most models.
    """
    sites = [layer.after for layer in model.anatomy.layers]
    sums = torch.zeros(len(sites) - 1, len(readings), 2, dtype=torch.float64)
    rows = max(1, CHUNK // model.readout.vocabulary)
    tokens = 0
    for number, text in enumerate(ids):
        capture = model.engine.observe([Pass(text)], sites, work=work)[0]
        wanted = min(len(text) - 1, positions - tokens)
        for places in torch.arange(1, 1 + max(wanted, 0)).split(rows):
            output = model.readout.logits(capture[sites[-1]][places])
            said, own = output.argmax(-1, keepdim=True), output.log_softmax(-1)
            for layer, site in enumerate(sites[:-1]):
                work("Reading layers", number * len(sites) + layer, len(ids) * len(sites))
                for which, reading in enumerate(readings):
                    logits = reading.logits([(layer, capture[site][places])])
                    sums[layer, which] += _scores(own, said, logits.to(own.device))
            tokens += len(places)
    return sums / tokens, tokens


def _scores(own: Tensor, said: Tensor, logits: Tensor) -> Tensor:
    """The summed KL divergence of rows of logits from the model's own log-probabilities, and log-ranks: (2,)."""
    theirs = logits.log_softmax(-1)
    # A token that is ruled out has no part in the divergence.
    parts = torch.where(own.exp() > 0, own.exp() * (own - theirs), 0.0)
    rank = (logits > logits.gather(-1, said)).sum(-1) + 1
    return torch.stack([parts.sum(-1).double().clamp_min(0).sum(), rank.double().log().sum()]).cpu()
