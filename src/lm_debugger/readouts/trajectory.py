"""Follows one thing along one axis of a trace: chosen tokens through the layers, a coefficient along the text.

No forward; knows nothing of who shows it.
"""

from collections.abc import Sequence

import torch

from lm_debugger.edits.validate import check_name
from lm_debugger.lenses.reading import Reading
from lm_debugger.readouts.grid import check_token
from lm_debugger.records.names import UnitName
from lm_debugger.records.trajectory import CoefficientPath, Stage, TokenPath, Trajectory
from lm_debugger.runs.kept import KeptRun


def trajectory(trace: KeptRun, tokens: Sequence[int], position: int = -1, reading: Reading | None = None) -> Trajectory:
    """Probability, logit and rank of chosen tokens before and after each layer, with and without the edits.

    Args:
        tokens: ids of the tokens.
        position: where to read; negative positions count from the end.
        reading: the model through a lens; the run's own if left out.

    Raises:
        OptionError: if the position or a token does not exist.
    """
    trace.check_current()
    reading = reading or trace.reading
    place = trace.position(position)
    for token in tokens:
        check_token(trace, token)
    return Trajectory(
        position=place,
        stages=tuple(
            Stage(layer=layer, side=side) for layer in range(trace.model.layers) for side in ("before", "after")
        ),
        tokens=_paths(trace, reading, place, tokens),
        baseline=None if trace.baseline is None else _paths(trace.baseline, reading, place, tokens),
        interventions=tuple(map(str, trace.interventions)),
        lens=reading.name,
    )


@torch.no_grad()
def _paths(trace: KeptRun, reading: Reading, place: int, tokens: Sequence[int]) -> tuple[TokenPath, ...]:
    streams = [trace.layer(index, place) for index in range(trace.model.layers)]
    logits = reading.logits((layer, torch.cat([s.before, s.after])) for layer, s in enumerate(streams))
    total = logits.logsumexp(-1)
    found = []
    for token in tokens:
        own = logits[:, token]
        found.append(
            TokenPath(
                id=token,
                text=trace.model.vocabulary.text(token),
                probability=tuple((own - total).exp().tolist()),
                logit=tuple(own.tolist()),
                rank=tuple(((logits > own[:, None]).sum(-1) + 1).tolist()),
            )
        )
    return tuple(found)


def coefficients(trace: KeptRun, name: UnitName) -> CoefficientPath:
    """A value vector's coefficient at each token, with and without the edits.

    Raises:
        UnitNameError: if the model has no such vector.
    """
    trace.check_current()
    check_name(name, trace.model)
    return CoefficientPath(
        value=str(name),
        tokens=trace.tokens,
        coefficients=_along(trace, name),
        baseline=None if trace.baseline is None else _along(trace.baseline, name),
        interventions=tuple(map(str, trace.interventions)),
    )


@torch.no_grad()
def _along(trace: KeptRun, name: UnitName) -> tuple[float, ...]:
    group, index = trace.model.values(name)
    return tuple(group.course(trace.layer(name.layer), index).tolist())
