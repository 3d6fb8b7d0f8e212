"""Why, heads and flow against the model's own forward and backward."""

from collections.abc import Iterator
from typing import get_args

import torch

import lm_debugger
from benchmarks.engine import growth
from benchmarks.measure import Result, ratio, seconds
from lm_debugger.records.why import EstimateMethod

PROMPT = "My wife is working as a"
VERIFIED = 50


def results() -> Iterator[Result]:
    """The lines, one after the other."""
    debugger = lm_debugger.load("demo")
    network = debugger.model.network
    ids = torch.tensor([debugger.model.vocabulary.encode(PROMPT)])

    def forward() -> None:
        with torch.no_grad():
            network(ids, use_cache=False)

    def both() -> None:
        entered = network.get_input_embeddings()(ids).detach().requires_grad_()
        logits = network(inputs_embeds=entered, use_cache=False).logits[0, -1]
        torch.autograd.grad(logits.max() - logits.min(), entered)

    debugger.trace(PROMPT)
    yield ratio(
        "why, of a run that is kept, against a forward and backward",
        lambda: debugger.why(PROMPT),
        both,
        most=3,
        rounds=7,
    )
    plain = min(seconds(forward) for _ in range(5))
    without = min(seconds(lambda: debugger.why(PROMPT)) for _ in range(3))
    verifying = min(seconds(lambda: debugger.why(PROMPT, verify=VERIFIED)) for _ in range(3)) - without
    yield Result(
        f"{VERIFIED} parts verified, in forwards of the prompt", f"{verifying / plain:.1f}", "≤ 15",
        verifying <= 15 * plain,
        f"{verifying * 1000:.0f} ms against {plain * 1000:.1f} ms",
    )  # fmt: skip
    for method in get_args(EstimateMethod):
        yield Result(
            f"why by {method}, in forwards",
            f"{seconds(lambda: debugger.why(PROMPT, estimate=method)) / plain:.1f}",  # noqa: B023 (used at once)
        )
    yield Result(
        f"peak memory of why with {VERIFIED} parts verified over the model's own",
        f"{growth(f'd.why({PROMPT!r}, verify={VERIFIED})') / 2**20:+.0f} MiB",
    )
    yield ratio("heads, against a forward", lambda: debugger.heads(PROMPT), forward, most=15, rounds=5)
    yield ratio("flow, against a forward", lambda: debugger.flow(PROMPT), forward, most=15, rounds=5)
