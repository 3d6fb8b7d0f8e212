"""Every verb on a GPU gives what it gives on the CPU. Skipped where there is none."""

import copy
from collections.abc import Callable, Iterator

import pytest
import torch
from pydantic import BaseModel

import lm_debugger
from lm_debugger.debugger.session import Debugger
from tests import tiny, zoo

if not torch.cuda.is_available():
    pytest.skip("needs a GPU of NVIDIA's", allow_module_level=True)

TYPES = ("llama", "gpt2", "gemma2", "gpt_neox", "mixtral", "qwen3_moe", "olmo2", "bloom", "deepseek_v3", "qwen3_next")
PROMPT, OTHER = tiny.prompt(), tiny.prompt(seed=1)
NEAR = 2e-3
UNEQUAL = frozenset(("seconds", "forwards"))  # of how it was computed

# Side effects and comparisons of lenses are left out: their texts are drawn, and a GPU draws others.
VERBS: dict[str, Callable[[Debugger], object]] = {
    "trace": lambda d: d.trace(PROMPT, [f"{d.search('w5').results[0].value}*=2", "L1H0=off"]).view(),
    "word": lambda d: d.trace(PROMPT, ['L0R("w5")+=0.5']).view(),
    "words": lambda d: d.trace(PROMPT, ['L0R("w5" - "w7")=off']).view(),
    "prompts": lambda d: d.trace(PROMPT, ['L1R(from "w5" to "w7")+=0.5']).view(),
    "random": lambda d: d.trace(PROMPT, ["L1R(random 3)*=2"]).view(),
    "swap": lambda d: d.trace(PROMPT, ['L0-2R("w5" <> "w7")=on']).view(),
    "generate": lambda d: d.generate(PROMPT, ['L0R("w5")+=0.5'], max_new_tokens=8),
    "why": lambda d: d.why(PROMPT, verify=6, sources=True),
    "why, mean": lambda d: d.why(PROMPT, verify=4, ablate="mean"),
    "why, resample": lambda d: d.why(PROMPT, verify=4, ablate="resample", resample=OTHER),
    "why, integrated": lambda d: d.why(PROMPT, estimate="integrated"),
    "why, relevance": lambda d: d.why(PROMPT, estimate="relevance"),
    "flow": lambda d: d.flow(PROMPT),
    "heads": lambda d: d.heads(PROMPT),
    "patch": lambda d: d.patch(PROMPT, OTHER, part="heads"),
    "path": lambda d: d.path_patch(PROMPT, OTHER, receiver=f"L{d.model.layers - 1} ffn"),
    "bisect": lambda d: d.bisect(PROMPT, OTHER),
    "sweep": lambda d: d.sweep(PROMPT, "L1H0", points=5),
    "fix": lambda d: d.fix(PROMPT, 17),
    "search": lambda d: d.search("w5"),
    "tuned": lambda d: (d.fit_lens("tuned", prompts=6, tokens=24), d.trace(PROMPT, lens="tuned").view())[1],
    "by tuned": lambda d: d.trace(PROMPT, ['L0R("w5" by tuned)+=0.5']).view(),
    "watch": lambda d: d.trace(PROMPT).watch(['rank("w5")', "norm(after)", "L1H0"])[0],
}


def _numbers(found: object, path: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(found, dict):
        for name, each in found.items():
            if name not in UNEQUAL:
                yield from _numbers(each, f"{path}.{name}")
    elif isinstance(found, list | tuple):
        for number, each in enumerate(found):
            yield from _numbers(each, f"{path}[{number}]")
    elif isinstance(found, float):
        yield path, found


@pytest.fixture(scope="module", params=TYPES)
def both(request: pytest.FixtureRequest) -> tuple[Debugger, Debugger]:
    """One network, on the CPU and on the GPU."""
    network = zoo.make(request.param, seed=0)
    there = copy.deepcopy(network).to("cuda")
    return lm_debugger.load(network, tiny.tokenizer(96)), lm_debugger.load(there, tiny.tokenizer(96))


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb(both: tuple[Debugger, Debugger], verb: str) -> None:
    answers = []
    for debugger in both:
        try:
            found = VERBS[verb](debugger)
        except lm_debugger.LMDebuggerError as error:
            found = {type(error).__name__: 0.0}
        answers.append(dict(_numbers(found.model_dump() if isinstance(found, BaseModel) else found)))
    here, there = answers
    assert here, "the verb gave no number"
    assert here.keys() == there.keys()
    assert here == pytest.approx(there, rel=NEAR, abs=NEAR, nan_ok=True)
