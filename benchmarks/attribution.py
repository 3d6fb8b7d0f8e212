"""Why, heads and flow against the model's own forward and backward."""

from collections.abc import Iterator

import torch

import lm_debugger
from benchmarks.measure import Result, ratio, seconds

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
    yield ratio("heads, against a forward", lambda: debugger.heads(PROMPT), forward, most=15, rounds=5)
    yield ratio("flow, against a forward", lambda: debugger.flow(PROMPT), forward, most=15, rounds=5)
