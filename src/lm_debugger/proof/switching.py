"""Proves that edits land: units switched off while the network runs = what they write zeroed in the weights.

The two ways are compared as a fraction of their effect, so that an edit that does nothing cannot pass.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor

from lm_debugger.engine.engine import Engine
from lm_debugger.engine.sites import FOREVER, LOGITS, Pass, Write
from lm_debugger.records.examination import INVARIANTS, Check

# Accepted, by dtype.
EFFECT_TOLERANCE = {torch.float64: 1e-2, torch.float32: 1e-2, torch.float16: 1e-1, torch.bfloat16: 2.5e-1}
STEPS = 4  # generated tokens
_STATEMENTS = {
    "I4": INVARIANTS["I4"].split(",")[0],
    "I5": "setting a head to 0 = zeroing its rows of the output projection",
}


class Unit(Protocol):
    """A group of units whose members can be switched off in two ways."""

    def write(self, index: int, scale: float, shift: float, *, maximum: bool, start: int, stop: int) -> Write:
        """The change of one unit; see `units.unit.Group`."""

    def holders(self, index: int) -> list[tuple[Tensor, int]]:
        """The tensors of the model that hold what a unit writes, each with a row of it; they can be written to."""


Chosen = list[tuple[Unit, int]]


class Switch:
    """Runs a text with some units switched off, in one way and in the other.

    Args:
        engine: the one to be proved.
        here: the one whose weights can be changed.
        ids: the text.
        chosen: the units.
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


def switching(invariant: str, switch: Switch, dtype: torch.dtype) -> Iterator[Check]:
    """Whether a unit set to 0 = what it writes zeroed in the weights, in a forward and in cached generation."""
    tolerance = EFFECT_TOLERANCE.get(dtype, 2.5e-1)
    runs: tuple[tuple[str, Callable[[Engine, tuple[Write, ...]], Tensor]], ...] = (
        ("forward", switch.forward),
        ("cached generation", switch.generation),
    )
    for where, run in runs:
        statement = f"{_STATEMENTS[invariant]}, in {where}"
        try:
            base = run(switch.engine, ())
            edited = run(switch.engine, switch.writes)
            with _zeroed(switch.chosen):
                zeroed = run(switch.here, ()).to(base)
        except Exception as failure:  # noqa: BLE001  # whatever transformers raises: the check then has not passed
            why = f"{statement} (failed with {type(failure).__name__}: {failure})"
            yield Check(invariant=invariant, statement=why, error=float("inf"), tolerance=tolerance, passed=False)
            continue
        finite = base[-1].isfinite() & zeroed[-1].isfinite()
        effect = (zeroed - base)[:, finite].double().norm()
        wrong = float((edited - zeroed)[:, finite].double().norm() / effect.clamp_min(1e-30))
        wrong = wrong if wrong == wrong and float(effect) > 0 else float("inf")
        yield Check(
            invariant=invariant,
            statement=statement,
            error=wrong,
            tolerance=tolerance,
            passed=wrong <= tolerance,
        )


@contextmanager
def _zeroed(chosen: Chosen) -> Iterator[None]:
    """What the chosen units write is zero in the weights, for the length of the block."""
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
