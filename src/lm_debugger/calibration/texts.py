"""Texts that a model writes itself, by sampling: what stands for the texts that it is used on."""

import torch
from torch import Tensor

from lm_debugger.engine.sites import Pass
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.work import Work


def draw(scores: Tensor) -> Tensor:
    """Draw from the plain distribution."""
    return torch.multinomial(scores.softmax(-1), 1)[:, 0]


def beginnings(model: LoadedModel, rows: int, seed: int) -> Tensor:
    """First tokens (rows,): half the beginning-of-text token where there is one, the rest random ones."""
    generator = torch.Generator().manual_seed(seed)
    vocabulary = min(model.vocabulary.size, len(model.vocabulary.tokenizer))
    starts = torch.randint(0, vocabulary, (rows, 1), generator=generator)[:, 0]
    beginning = model.vocabulary.tokenizer.bos_token_id
    if beginning is not None:
        starts[: rows // 2] = beginning
    return starts


def own_texts(model: LoadedModel, rows: int, length: int, seed: int, work: Work) -> list[tuple[int, ...]]:
    """Token ids of texts of one length, the beginning among them. The same seed gives the same texts."""
    starts = beginnings(model, rows, seed)
    devices = [model.network.device] if model.network.device.type == "cuda" else []
    found: list[tuple[int, ...]] = []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        for batch in starts.split(rows if model.anatomy.batch_first else 1):
            columns = [batch.tolist()]
            passes = [Pass((start,)) for start in batch.tolist()]
            for step in model.engine.steps(passes, draw, limit=length - 1, endless=True, work=work):
                columns.append(step.tokens.tolist())
                work("Writing texts to hold the edits against", len(found) * length + len(columns), rows * length)
            found += zip(*columns, strict=True)
    return found
