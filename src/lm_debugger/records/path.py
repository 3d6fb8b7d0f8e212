"""What happens to a prediction where a part reads another run's value of an earlier part, and nothing else does."""

from typing import Literal

from lm_debugger.records.base import Record
from lm_debugger.records.patch import Between

Through = Literal["nothing", "ffn"]


class PathEffect(Record):
    """One path that was patched.

    Args:
        sender: the part whose value is the other run's on the way to the receiver.
        difference: logit of target minus logit of against after patching.
        change: that minus the difference of this run.
    """

    sender: str
    difference: float
    change: float


class PathMap(Between):
    """A difference in logits with one path to a part at a time patched from another run.

    Args:
        receiver: the part that reads the senders; `output` for the last residual stream.
        through: what is computed anew between sender and receiver: `nothing` (the direct path alone), or the
            feed-forwards (`ffn`). Everything else between them is held at this run's values.
        paths: the largest |change| first.
    """

    receiver: str
    through: Through
    paths: tuple[PathEffect, ...]
