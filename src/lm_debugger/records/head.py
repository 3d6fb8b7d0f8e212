"""One attention head by its weights: what `lm-debugger head --json` prints."""

from lm_debugger.records.base import Record
from lm_debugger.records.lens import LOGIT


class Entry(Record):
    """A token of the vocabulary."""

    id: int
    text: str


class ReadWrite(Record):
    """What a head does to one token's logit if it attends to another.

    Args:
        read: the token that is attended to.
        written: the token whose logit changes.
        value: the entry of the head's circuit: positive promotes, negative suppresses.
    """

    read: Entry
    written: Entry
    value: float


class Copied(Record):
    """A token that a head promotes if it attends to that very token.

    Args:
        value: the entry of the head's circuit.
        rank: the token's place among all that the head then promotes, from 1.
    """

    id: int
    text: str
    value: float
    rank: int


class HeadView(Record):
    """A head's OV circuit: what it copies and suppresses.

    Source: Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits". An entry of the circuit is the
    embedding of the token that is read, through the norm before attention, the value and the output projection and the
    final norm's weight, times the unembedding of the token that is written. Biases and the scale of the final norm are
    left out.

    Args:
        head: its name, such as `L12H3`.
        width: channels that it gives to the output projection.
        norm: length of its rows of the output projection, as they arrive in the stream (Frobenius norm).
        rms: root mean square of all entries of the circuit, to compare values with; None without a circuit.
        copying: sum of the circuit's eigenvalues over the sum of their absolute values, from -1 (suppresses what it
            reads) to 1 (copies it); None without a circuit.
        promotes: the largest entries of all pairs of tokens.
        suppresses: the smallest.
        copies: the tokens that the head promotes most when it attends to them.
        opaque: why there is no circuit ("" if there is).
        name: the user's name for the head, or None.
        lens: through which the written tokens are read.
    """

    head: str
    layer: int
    index: int
    width: int
    norm: float
    rms: float | None = None
    copying: float | None = None
    promotes: tuple[ReadWrite, ...] = ()
    suppresses: tuple[ReadWrite, ...] = ()
    copies: tuple[Copied, ...] = ()
    opaque: str = ""
    name: str | None = None
    lens: str = LOGIT
