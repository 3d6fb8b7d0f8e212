"""What happens to a prediction where parts of a run are replaced by those of another run."""

from typing import Literal

from lm_debugger.records.base import Record
from lm_debugger.records.token import Token, TokenScore

PatchPart = Literal["residual", "attention", "ffn", "heads"]


class Between(Record):
    """Two runs, how their positions are aligned, and the difference in logits that is followed from one to the other.

    Args:
        tokens: of this run.
        other: tokens of the other run.
        aligned: for each position of this run that of the other one whose activation takes its place; None for none.
        alignment: how that was found, in words.
        position: where the difference is read in this run.
        target, against: the tokens compared, as in this run.
        difference: logit of target minus logit of against in this run (before a soft cap).
        other_difference: the same in the other run, at the position aligned with this one; None if there is none.
        interventions: edits in force in this run.
    """

    tokens: tuple[Token, ...]
    other: tuple[Token, ...]
    aligned: tuple[int | None, ...]
    alignment: str
    position: int
    target: TokenScore
    against: TokenScore | None
    difference: float
    other_difference: float | None
    interventions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class PatchMap(Between):
    """A difference in logits with one activation at a time replaced by another run's.

    Args:
        part: what is replaced: `residual` the stream after a layer, `attention` what its attention gives, `ffn` what
            its feed-forward gives, `heads` what one head gives to the output projection.
        cells: for each layer a row of differences after patching: one for each position; for `heads` one for each head,
            patched at all positions. None where there is nothing to patch.
        together: for each layer the difference with all positions (of all heads) patched at once.
    """

    part: PatchPart
    cells: tuple[tuple[float | None, ...], ...]
    together: tuple[float | None, ...]
