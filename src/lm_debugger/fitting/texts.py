"""The texts that a lens is fitted or tried on: of one length, the model's own or pieces of a file."""

from typing import NamedTuple

from lm_debugger.errors import LensError
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.model.writing import SELF_GENERATED, written
from lm_debugger.work import UNWATCHED, Work


class Texts(NamedTuple):
    """Texts of one length.

    Args:
        ids: token ids of each.
        source: `self-generated`, or the name of a file.
    """

    ids: list[tuple[int, ...]]
    source: str


def texts(
    model: LoadedModel,
    text: tuple[str, str] | None,
    *,
    count: int,
    length: int,
    seed: int,
    work: Work = UNWATCHED,
) -> Texts:
    """Texts to measure on.

    Args:
        text: name and content of a file; None to let the model write.
        count: how many texts (at most; a file may be shorter).
        length: tokens of each.
        seed: of the model's writing.

    Returns:
        Of a file: pieces that follow each other where it is short, else evenly spread over it, the first from its
        beginning.

    Raises:
        LensError: if the file does not have the tokens of one text.
        PromptError: if a text does not fit the model's context.
    """
    model.check_length(length)
    if text is None:
        return Texts(written(model, count, length, seed, work), SELF_GENERATED)
    name, content = text
    ids = model.vocabulary.encode(content)
    pieces = len(ids) // length
    if not pieces:
        raise LensError(
            f"{name} has only {len(ids)} tokens, fewer than one text of {length}.", "Give a longer text or --tokens."
        )
    count = min(count, pieces)
    starts = [place * pieces // count * length for place in range(count)]
    return Texts([tuple(ids[start : start + length]) for start in starts], name)
