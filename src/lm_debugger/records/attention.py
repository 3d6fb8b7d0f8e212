"""What the heads of a prompt do: what they write at a position, and what they attend to all along."""

from lm_debugger.records.base import Record
from lm_debugger.records.lens import LOGIT
from lm_debugger.records.token import Token


class HeadRow(Record):
    """One head. Scores are mean attention weights over the positions they are about, 0 to 1.

    Args:
        head: its name, such as `L12H3`.
        norm: length of what it adds to the residual stream at the position.
        share: that vector's projection on what the layer's attention adds, as a fraction of that one's squared length.
        attends: the position that it attends to most from here; None where its pattern cannot be read.
        previous: attention to the token before (positions from 1 on); None without a pattern.
        first: attention to the first token (positions from 1 on); None without a pattern.
        duplicate: where a token has occurred before, attention to those occurrences; None if none has.
        induction: there, attention to the tokens after them (Olsson et al. 2022, arXiv 2209.11895); None if none has.
        name: the user's name for the head, or None.
        promotes: the tokens that what it writes here promotes.
    """

    head: str
    norm: float
    share: float
    attends: int | None = None
    previous: float | None = None
    first: float | None = None
    duplicate: float | None = None
    induction: float | None = None
    name: str | None = None
    promotes: tuple[str, ...] = ()


class HeadTable(Record):
    """All heads of a prompt.

    Args:
        position: where they are read, from 0.
        heads: layer by layer.
        warnings: which layers have no heads or patterns, and what else the user should know.
        lens: through which what the heads promote is read.
    """

    tokens: tuple[Token, ...]
    position: int
    heads: tuple[HeadRow, ...]
    interventions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    lens: str = LOGIT
