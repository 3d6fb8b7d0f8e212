"""The output with edits against the output without: probability and rank of tokens, KL, edits without effect."""

import torch

from lm_debugger.records.edit import ScopeKind
from lm_debugger.records.trace import Comparison, TokenChange
from lm_debugger.runs.kept import KeptRun


@torch.no_grad()
def compare(
    baseline: KeptRun, edited: KeptRun, position: int, top_k: int, baseline_position: int | None = None
) -> Comparison:
    """Compare two traces at a position, for the top tokens of both; the first may be read at another position."""
    there = position if baseline_position is None else baseline_position
    logits = torch.stack([baseline.logits(there), edited.logits(position)])
    log_probabilities = logits.log_softmax(-1)
    before, after = log_probabilities
    finite = before.isfinite() & after.isfinite()
    kl = float((before.exp() * (before - after))[finite].sum())
    top = logits.topk(min(top_k, logits.shape[-1])).indices
    tokens = list(dict.fromkeys([*top[1].tolist(), *top[0].tolist()]))
    chosen = logits[:, tokens]  # (2, tokens)
    ranks = (logits[:, None, :] > chosen[..., None]).sum(-1) + 1
    probabilities = log_probabilities[:, tokens].exp().tolist()
    return Comparison(
        kl=max(kl, 0.0),
        changed=not unchanged(edited) if edited.baseline is baseline else not torch.equal(before, after),
        tokens=tuple(
            TokenChange(
                id=token,
                text=edited.model.vocabulary.text(token),
                probability_before=probabilities[0][index],
                probability_after=probabilities[1][index],
                rank_before=int(ranks[0, index]),
                rank_after=int(ranks[1, index]),
            )
            for index, token in enumerate(tokens)
        ),
    )


def unchanged(trace: KeptRun) -> bool:
    """Whether the edits left the output of every position exactly as it was."""
    return trace.baseline is not None and torch.equal(trace.baseline.last_residual, trace.last_residual)


def warnings(trace: KeptRun) -> tuple[str, ...]:
    """What the user should know of the edits."""
    if not trace.interventions or not unchanged(trace):
        return ()
    if all(edit.scope.kind is ScopeKind.GENERATED for edit in trace.interventions):
        return ("The edits apply to generated tokens only: they change nothing in a trace of the prompt.",)
    return ("The edits change nothing: every output is as it was without them.",)
