"""Tokens of a prompt, and tokens with their score in a vocabulary distribution."""

from lm_debugger.records.base import Record


class Token(Record):
    """A token at its place in a text.

    Args:
        position: index in the sequence, from 0.
        id: id in the vocabulary.
        text: the token's own text, spaces and newlines as they are.
    """

    position: int
    id: int
    text: str


class TokenScore(Record):
    """A vocabulary entry in a distribution over next tokens.

    Args:
        logit: the unembedding's output after logit scale and soft cap.
        probability: softmax of the logits over the whole vocabulary, 0 to 1.
    """

    id: int
    text: str
    logit: float
    probability: float


class PromotedToken(Record):
    """A vocabulary entry that a value vector promotes (positive) or suppresses (negative).

    Args:
        logit: the value vector's projection onto the token's unembedding, for a coefficient of 1.
    """

    id: int
    text: str
    logit: float
