"""What can be searched: value vectors, with the way from them to the vocabulary."""

from typing import Protocol

from lm_debugger.lenses.logit import LogitLens
from lm_debugger.source.vocabulary import Vocabulary
from lm_debugger.units.blocks import Vectors


class ValueSource(Vectors, Protocol):
    """A loaded model, or weights on disk.

    Attributes:
        vocabulary: the model's tokens.
        readout: from the residual stream to the vocabulary.
    """

    vocabulary: Vocabulary
    readout: LogitLens
