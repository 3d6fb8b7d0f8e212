"""Reads one head's weights out: the largest and smallest entries of its OV circuit, what it copies, its norm."""

import torch
from torch import Tensor

from lm_debugger.errors import OptionError
from lm_debugger.lenses.reading import Reading
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.head import Copied, Entry, HeadView, ReadWrite
from lm_debugger.records.names import HeadName
from lm_debugger.units.heads.circuit import Circuit, Entries
from lm_debugger.units.heads.group import HeadGroup
from lm_debugger.units.heads.values import ValueWay
from lm_debugger.work import UNWATCHED, Work

MOST = 100  # entries that can be asked for
PIECE = 8192  # tokens whose embeddings are converted at a time


@torch.no_grad()
def head_view(model: LoadedModel, reading: Reading, name: HeadName, top_k: int, work: Work = UNWATCHED) -> HeadView:
    """What a head copies and suppresses, by its weights, through a lens. The name must exist.

    Raises:
        OptionError: if top_k is not from 1 to 100.
        CancelledError: if the work is to stop.
    """
    if not 1 <= top_k <= MOST:
        raise OptionError(f"top_k is {top_k}.", f"It must be from 1 to {MOST}.")
    group, index = model.unit(name)
    assert isinstance(group, HeadGroup)
    plain = HeadView(
        head=str(name),
        layer=name.layer,
        index=name.head,
        width=group.heads.width,
        norm=float(group.static(group.matrix(index)).norm()),
        opaque=_opaque(model, group),
        lens=reading.name,
    )
    if plain.opaque:
        return plain
    circuit = circuit_of(model, reading, group, index, work)
    high, low = circuit.extremes(top_k, work)
    return plain.model_copy(
        update={
            "rms": circuit.rms(),
            "copying": circuit.copying(),
            "promotes": _pairs(model, high),
            "suppresses": _pairs(model, low),
            "copies": _copied(model, circuit, top_k),
        }
    )


def _opaque(model: LoadedModel, group: HeadGroup) -> str:
    """Why the head's circuit cannot be had, or ""."""
    if not group.heads.values:
        return group.heads.opaque
    if _embedding(model).shape[-1] != model.anatomy.hidden_size:
        return "the embedding is projected before it enters the residual stream"
    return ""


def _embedding(model: LoadedModel) -> Tensor:
    weight = model.network.get_input_embeddings().weight
    assert isinstance(weight, Tensor)
    return weight.detach()[: model.readout.vocabulary]


def circuit_of(model: LoadedModel, reading: Reading, group: HeadGroup, head: int, work: Work = UNWATCHED) -> Circuit:
    """The circuit of a head that has one."""
    way = ValueWay(model.network.get_submodule, group.heads)
    rows = group.matrix(head).float()
    reads, writes = [], []
    for part in _embedding(model).split(PIECE):
        work.go_on()
        reads.append(way.of(head, part))
    for first in range(0, model.readout.vocabulary, PIECE):
        work.go_on()
        tokens = slice(first, min(first + PIECE, model.readout.vocabulary))
        directions = reading.directions(tokens, group.layer)
        writes.append(group.adjoint(directions) @ rows.T)
    return Circuit(torch.cat(reads), torch.cat(writes))


def _pairs(model: LoadedModel, entries: Entries) -> tuple[ReadWrite, ...]:
    return tuple(
        ReadWrite(read=_entry(model, read), written=_entry(model, written), value=value)
        for value, read, written in zip(*(column.tolist() for column in entries), strict=True)
    )


def _entry(model: LoadedModel, token: int) -> Entry:
    return Entry(id=token, text=model.vocabulary.text(token))


def _copied(model: LoadedModel, circuit: Circuit, count: int) -> tuple[Copied, ...]:
    diagonal = circuit.diagonal()
    best = diagonal.topk(min(count, len(diagonal)))
    tokens = best.indices.tolist()
    rows = circuit.rows(tokens)
    own = rows.gather(-1, best.indices[:, None])  # from the same product, so that no token is ranked below itself
    ranks = ((rows > own).sum(-1) + 1).tolist()
    return tuple(
        Copied(id=token, text=model.vocabulary.text(token), value=value, rank=rank)
        for token, value, rank in zip(tokens, best.values.tolist(), ranks, strict=True)
    )
