"""All heads of a prompt: what they write at a position, and the kinds of attention that the field knows by name.

Sources: previous-token, duplicate-token and induction heads: Elhage et al. 2021 ("A Mathematical Framework for
Transformer Circuits"), Olsson et al. 2022 (arXiv 2209.11895), Wang et al. 2022 (arXiv 2211.00593).
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from lm_debugger.attribution.attention import head_group, patterns
from lm_debugger.records.attention import HeadRow, HeadTable
from lm_debugger.runs.kept import KeptRun
from lm_debugger.units.heads.written import HeadStreams
from lm_debugger.work import Work

PROMOTED = 5  # tokens listed for each head


class Scores(NamedTuple):
    """For each head (heads,), or None where a text has no position that it could be seen at."""

    previous: Tensor | None
    first: Tensor | None
    duplicate: Tensor | None
    induction: Tensor | None


def scores(weights: Tensor, ids: Sequence[int]) -> Scores:
    """The scores of a layer's heads from their weights (positions, heads, positions attended to)."""
    tokens = torch.tensor(ids, device=weights.device)
    same = (tokens[:, None] == tokens[None, :]).tril(-1)  # (positions, earlier occurrences of their token)
    # The token after an earlier occurrence, if that is not the position itself.
    after = torch.zeros_like(same)
    after[:, 1:] = same[:, :-1]
    after = after.tril(-1)
    later = weights[1:]
    return Scores(
        previous=weights.diagonal(-1, 0, 2).mean(-1) if len(later) else None,
        first=later[:, :, 0].mean(0) if len(later) else None,
        duplicate=_attention_to(weights, same),
        induction=_attention_to(weights, after),
    )


def _attention_to(weights: Tensor, where: Tensor) -> Tensor | None:
    """Mean attention to marked positions (positions, attended to), over the positions that have some."""
    having = where.any(-1)
    if not bool(having.any()):
        return None
    return (weights * where[:, None, :]).sum(-1)[having].mean(0)


@torch.no_grad()
def table(run: KeptRun, position: int, work: Work) -> HeadTable:
    """See `Debugger.heads`."""
    run.check_current()
    place, model = run.position(position), run.model
    work("Reading attention")
    found = patterns(run, range(model.layers), work)
    rows: list[HeadRow] = []
    written: list[tuple[int, Tensor]] = []
    headless: list[int] = []
    blind: list[int] = []
    for layer in range(model.layers):
        group = head_group(run, layer)
        if group is None:
            headless.append(layer)
            continue
        pattern = found.get(layer)
        if pattern is None:
            blind.append(layer)
        known = None if pattern is None else scores(pattern.weights, run.ids)
        here = HeadStreams(group, run.layer(layer, place))
        vectors = here.contributions()[0]
        whole = vectors.sum(0).double() + here.bias[0].double()
        shares = (vectors.double() @ whole / (whole @ whole).clamp_min(1e-30)).tolist()
        written.append((layer, vectors))
        rows += [
            HeadRow(
                head=str(group.name(head)),
                norm=float(vectors[head].norm()),
                share=shares[head],
                attends=None if pattern is None else int(pattern.weights[place, head].argmax()),
                **{} if known is None else _of(known, head),  # type: ignore[arg-type]  # the scores alone
            )
            for head in range(group.heads.count)
        ]
    return HeadTable(
        tokens=run.tokens,
        position=place,
        heads=_with_tokens(run, rows, written),
        interventions=tuple(map(str, run.interventions)),
        lens=run.reading.name,
        warnings=tuple(_warnings(run, headless, blind)),
    )


def _of(known: Scores, head: int) -> dict[str, float]:
    return {name: float(each[head]) for name, each in known._asdict().items() if each is not None}


def _with_tokens(run: KeptRun, rows: list[HeadRow], written: list[tuple[int, Tensor]]) -> tuple[HeadRow, ...]:
    if not rows:
        return ()
    count = min(PROMOTED, run.model.readout.vocabulary)
    top = torch.cat([run.reading.project([each]).topk(count).indices for each in written]).tolist()
    text = run.model.vocabulary.text
    pairs = zip(rows, top, strict=True)
    return tuple(row.model_copy(update={"promotes": tuple(map(text, tokens))}) for row, tokens in pairs)


def _warnings(run: KeptRun, headless: list[int], blind: list[int]) -> list[str]:
    found = []
    if headless:
        found.append(f"Layers without heads: {_listed(headless)}.")
    if blind:
        found.append(f"Attention cannot be read in layers {_listed(blind)}: no weights were seen there.")
    if len(set(run.ids)) == len(run.ids):
        found.append("No token occurs twice: induction and duplicate-token scores need a text that repeats itself.")
    return found


def _listed(layers: list[int]) -> str:
    return ", ".join(map(str, layers))
