"""Proves an anatomy on the loaded model, in its own dtype, on all layers: invariants I1 to I4.

The engine that is proved may run the network elsewhere: what zeroed weights do is measured on the network here.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from transformers import PreTrainedModel

from lm_debugger.anatomy.discovery.discover import probing_ids
from lm_debugger.anatomy.parts import Anatomy
from lm_debugger.anatomy.streams import LayerStreams
from lm_debugger.engine.engine import Engine
from lm_debugger.engine.sites import FOREVER, LOGITS, Capture, Pass, Write
from lm_debugger.lenses.logit import LogitLens
from lm_debugger.records.examination import INVARIANTS, Check
from lm_debugger.units.layer import BoundLayer
from lm_debugger.units.running import local_engine
from lm_debugger.units.unit import ValueGroup

# Largest relative error accepted, by dtype: some hundred roundings, since sums over the feed-forward's width are
# compared that were added up in another order and, in half precision, rounded in between.
# float64 is held to float32's: transformers computes norms in float32 whatever the model's dtype.
TOLERANCE = {torch.float64: 1e-4, torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 3e-2}
# I4 compares the effect of two ways of switching the same vectors off, as a fraction of that effect.
EFFECT_TOLERANCE = {torch.float64: 1e-2, torch.float32: 1e-2, torch.float16: 1e-1, torch.bfloat16: 2.5e-1}
SWITCHED = 4  # vectors switched off in each of three layers
STEPS = 4  # generated tokens


def verify(network: PreTrainedModel, anatomy: Anatomy, engine: Engine | None = None) -> tuple[Check, ...]:
    """Measure every invariant. Nothing is raised for one that fails; the caller decides.

    Args:
        network: the model.
        anatomy: what is to be proved of it.
        engine: what runs it; None for one in this process.
    """
    ids = tuple(probing_ids(network)[0].tolist())
    layers = [BoundLayer(network.get_submodule, anatomy, index) for index in range(len(anatomy.layers))]
    here = local_engine(network, anatomy, layers)
    engine = engine or here
    sites = dict.fromkeys(site for layer in layers for site in layer.sites)
    kept = engine.observe([Pass(ids)], [*sites, LOGITS])[0]
    tolerance = TOLERANCE.get(network.dtype, 3e-2)
    with torch.no_grad():
        streams = [LayerStreams(layer, kept, slice(None)) for layer in layers]
        checks = [
            _worst("I1", [_residual(s) for s in streams], tolerance),
            _worst("I2", [_sub_updates(s) for s in streams], tolerance),
            _lens(network, anatomy, kept, tolerance),
        ]
        last = [LayerStreams(layer, kept, slice(-1, None)) for layer in layers]
        return (*checks, *_switching(_Switch(engine, here, ids, _chosen(last)), network.dtype))


def error(found: Tensor, expected: Tensor) -> float:
    """The largest error of a token, as root mean square over channels relative to the expected value's."""
    found, expected = found.double(), expected.double()
    wrong = (found - expected).pow(2).mean(-1).sqrt()
    size = expected.pow(2).mean(-1).sqrt()
    return float((wrong / size.clamp_min(1e-6 * float(size.max()) + 1e-30)).nan_to_num(nan=float("inf")).max())


def _worst(invariant: str, errors: list[float | None], tolerance: float) -> Check:
    measured = {index: value for index, value in enumerate(errors) if value is not None}
    layer = max(measured, key=lambda index: measured[index]) if measured else None
    worst = measured[layer] if layer is not None else float("inf")
    return Check(
        invariant=invariant,
        statement=INVARIANTS[invariant],
        error=worst,
        tolerance=tolerance,
        passed=worst <= tolerance,
        layer=layer,
    )


def _residual(streams: LayerStreams) -> float | None:
    if not streams.layer.groups:
        return None
    return error(streams.before + streams.contribution, streams.total)


def _sub_updates(streams: LayerStreams) -> float | None:
    groups = [group for group in streams.layer.groups if isinstance(group, ValueGroup)]
    return max((error(group.summed(streams), streams.output(group)) for group in groups), default=None)


def _lens(network: PreTrainedModel, anatomy: Anatomy, kept: Capture, tolerance: float) -> Check:
    logits = kept[LOGITS]
    found = LogitLens(network, anatomy).logits(kept[anatomy.layers[-1].after].to(network.device))
    finite = logits[-1].isfinite()  # some models rule tokens out with -inf
    worst = error(found[:, finite.to(found.device)].to(logits.device), logits[:, finite].float())
    return Check(
        invariant="I3", statement=INVARIANTS["I3"], error=worst, tolerance=tolerance, passed=worst <= tolerance
    )


Chosen = list[tuple[ValueGroup, int]]


class _Switch:
    """Runs a text with some vectors switched off, in one way and in the other.

    Args:
        engine: the one to be proved.
        here: the one whose weights can be changed.
        ids: the text.
        chosen: the vectors.
    """

    def __init__(self, engine: Engine, here: Engine, ids: tuple[int, ...], chosen: Chosen) -> None:
        self.engine = engine
        self.here = here
        self.ids = ids
        self.chosen = chosen
        self.writes = tuple(
            group.write(index, 0.0, 0.0, maximum=False, start=0, stop=FOREVER) for group, index in chosen
        )

    def forward(self, engine: Engine, writes: tuple[Write, ...]) -> Tensor:
        """Logits of a whole forward: (positions, vocabulary)."""
        return engine.observe([Pass(self.ids, writes)], [LOGITS])[0][LOGITS]

    def generation(self, engine: Engine, writes: tuple[Write, ...]) -> Tensor:
        """Logits of cached generation: (steps, vocabulary)."""
        steps = engine.steps([Pass(self.ids, writes)], lambda scores: scores.argmax(-1), limit=STEPS, endless=True)
        return torch.stack([step.logits[0] for step in steps])


def _switching(switch: _Switch, dtype: torch.dtype) -> Iterator[Check]:
    """I4, in a forward and in cached generation."""
    tolerance = EFFECT_TOLERANCE.get(dtype, 2.5e-1)
    runs: tuple[tuple[str, Callable[[Engine, tuple[Write, ...]], Tensor]], ...] = (
        ("forward", switch.forward),
        ("cached generation", switch.generation),
    )
    for where, run in runs:
        statement = f"{INVARIANTS['I4'].split(',')[0]}, in {where}"
        try:
            base = run(switch.engine, ())
            edited = run(switch.engine, switch.writes)
            with _zeroed(switch.chosen):
                zeroed = run(switch.here, ()).to(base)
        except Exception as failure:  # noqa: BLE001  # whatever transformers raises: the check then has not passed
            why = f"{statement} (failed with {type(failure).__name__}: {failure})"
            yield Check(invariant="I4", statement=why, error=float("inf"), tolerance=tolerance, passed=False)
            continue
        finite = base[-1].isfinite() & zeroed[-1].isfinite()
        effect = (zeroed - base)[:, finite].double().norm()
        wrong = float((edited - zeroed)[:, finite].double().norm() / effect.clamp_min(1e-30))
        wrong = wrong if wrong == wrong and float(effect) > 0 else float("inf")
        yield Check(
            invariant="I4",
            statement=statement,
            error=wrong,
            tolerance=tolerance,
            passed=wrong <= tolerance,
        )


def _chosen(streams: list[LayerStreams]) -> Chosen:
    """The strongest vectors at the last token, in the first, middle and last layer that have some."""
    having = [s for s in streams if s.layer.groups]
    picked = {s.layer.index: s for s in (having[0], having[len(having) // 2], having[-1])}
    return [
        (group, group.number(found.name))
        for stream in picked.values()
        for group in stream.layer.groups
        if isinstance(group, ValueGroup)
        for found in group.strongest(stream, SWITCHED, None)
    ]


@contextmanager
def _zeroed(chosen: Chosen) -> Iterator[None]:
    """The chosen value vectors are zero in the weights, for the length of the block."""
    saved: list[tuple[Tensor, int, Tensor]] = []
    try:
        for group, index in chosen:
            for matrix, row in group.holders(index):
                saved.append((matrix, row, matrix[row].clone()))
                matrix[row] = 0
        yield
    finally:
        for matrix, row, vector in reversed(saved):
            matrix[row] = vector
