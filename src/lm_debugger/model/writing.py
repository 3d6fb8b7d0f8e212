"""Text that a model writes by itself, by plain sampling: what is measured on it is measured on what it is used to."""

import torch
from torch import Tensor

from lm_debugger.engine.sites import Pass
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.work import UNWATCHED, Work

SELF_GENERATED = "self-generated"
ROWS = 64  # sequences written at once


def sampled(scores: Tensor) -> Tensor:
    """Draw from the plain distribution."""
    return torch.multinomial(scores.softmax(-1), 1)[:, 0]


def starts_of_texts(model: LoadedModel, rows: int, seed: int) -> Tensor:
    """First tokens (rows,): half the beginning-of-text token where there is one, the rest random ones."""
    generator = torch.Generator().manual_seed(seed)
    vocabulary = min(model.vocabulary.size, len(model.vocabulary.tokenizer))
    starts = torch.randint(0, vocabulary, (rows, 1), generator=generator)[:, 0]
    beginning = model.vocabulary.tokenizer.bos_token_id
    if beginning is not None:
        starts[: rows // 2] = beginning
    return starts


def written(model: LoadedModel, rows: int, length: int, seed: int, work: Work = UNWATCHED) -> list[tuple[int, ...]]:
    """Texts of the model's own: token ids.

    Args:
        rows: how many texts.
        length: tokens of each, the first included.
        seed: of the first tokens and the sampling.

    Raises:
        PromptError: if they do not fit the model's context.
        CancelledError: if cancelled.
    """
    model.check_length(length)
    found: list[tuple[int, ...]] = []
    batches = starts_of_texts(model, rows, seed).split(ROWS if model.anatomy.batch_first else 1)
    devices = [model.network.device] if model.network.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        for number, batch in enumerate(batches):
            texts = [[start] for start in batch.tolist()]
            if length > 1:
                passes = [Pass((start,)) for start in batch.tolist()]
                for step in model.engine.steps(passes, sampled, limit=length - 1, endless=True, work=work):
                    for text, token in zip(texts, step.tokens.tolist(), strict=True):
                        text.append(token)
                    work("Writing text", number * length + step.number + 1, len(batches) * length)
            found += map(tuple, texts)
    return found
