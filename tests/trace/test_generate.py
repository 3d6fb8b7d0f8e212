"""Generation equals transformers' own, samples exactly, streams, stops and cancels; edits hold at every step."""

import threading
from collections import Counter

import pytest
import torch

from lm_debugger.errors import OptionError, PromptError
from lm_debugger.records.generation import GeneratedToken
from tests.tiny import prompt, shared


@pytest.mark.parametrize("model_type", ["llama", "gpt2", "mixtral", "openai-gpt", "qwen3_next", "recurrent_gemma"])
def test_greedy_generation_equals_transformers(model_type: str) -> None:
    debugger, ids = shared(model_type), prompt(6)
    tensor = torch.tensor([ids])
    with torch.no_grad():
        plain = debugger.model.network.generate(
            tensor, attention_mask=torch.ones_like(tensor), max_new_tokens=8, do_sample=False, pad_token_id=0,
            output_logits=True, return_dict_in_generate=True,
        )  # fmt: skip
    found = debugger.generate(ids, max_new_tokens=8)
    assert [token.id for token in found.tokens] == plain.sequences[0, 6:].tolist()
    for token, logits in zip(found.tokens, plain.logits, strict=True):
        assert token.logprob == pytest.approx(float(logits[0].log_softmax(-1)[token.id]), abs=1e-4)


def test_sampling_follows_the_models_distribution() -> None:
    """Gumbel noise is exact sampling: frequencies of the first token match the softmax."""
    debugger, ids = shared("llama"), prompt(6)
    with torch.no_grad():
        probabilities = (debugger.model.network(torch.tensor([ids])).logits[0, -1] / 2).softmax(-1)
    runs = 400
    drawn = Counter(
        debugger.generate(ids, max_new_tokens=1, temperature=2.0, seed=seed).tokens[0].id for seed in range(runs)
    )
    for token in probabilities.topk(3).indices.tolist():
        p = float(probabilities[token])
        assert drawn[token] / runs == pytest.approx(p, abs=4 * (p * (1 - p) / runs) ** 0.5)


def test_a_seed_fixes_the_sample_and_the_noise_is_shared_with_the_baseline() -> None:
    debugger, ids = shared("llama"), prompt(6)
    first = debugger.generate(ids, max_new_tokens=12, temperature=1.5, seed=3)
    assert first == debugger.generate(ids, max_new_tokens=12, temperature=1.5, seed=3)
    assert first.tokens != debugger.generate(ids, max_new_tokens=12, temperature=1.5, seed=4).tokens
    edited = debugger.generate(ids, ["L1D5*=1.0001"], max_new_tokens=12, temperature=1.5, seed=3)
    assert edited.baseline is not None
    assert edited.baseline.tokens == first.tokens
    assert [t.id for t in edited.tokens] == [t.id for t in first.tokens], "a tiny edit changes no sampled token"


def test_top_k_and_top_p_limit_what_is_drawn() -> None:
    debugger, ids = shared("llama"), prompt(6)
    with torch.no_grad():
        best = debugger.model.network(torch.tensor([ids])).logits[0, -1].topk(2).indices.tolist()
    for seed in range(30):
        (token,) = debugger.generate(ids, max_new_tokens=1, temperature=5.0, top_k=2, seed=seed).tokens
        assert token.id in best
        (token,) = debugger.generate(ids, max_new_tokens=1, temperature=1.0, top_p=1e-6, seed=seed).tokens
        assert token.id == best[0]


def test_tokens_stream_as_they_come() -> None:
    seen: list[GeneratedToken] = []
    found = shared("llama").generate(prompt(6), max_new_tokens=5, on_token=seen.append)
    assert tuple(seen) == found.tokens
    assert found.finish == "length"


def test_a_stop_string_ends_the_text_before_it() -> None:
    debugger, ids = shared("llama"), prompt(6)
    whole = debugger.generate(ids, max_new_tokens=8)
    stop = whole.tokens[3].text.strip()
    found = debugger.generate(ids, max_new_tokens=8, stop=[stop])
    assert found.finish == "stop"
    assert stop not in found.text
    assert whole.text.startswith(found.text)
    assert len(found.tokens) <= 4


def test_cancelling_keeps_what_was_generated() -> None:
    cancel = threading.Event()
    seen: list[GeneratedToken] = []

    def listen(token: GeneratedToken) -> None:
        seen.append(token)
        if len(seen) == 3:
            cancel.set()

    found = shared("llama").generate(prompt(6), ["L1D5=3"], max_new_tokens=20, on_token=listen, cancel=cancel)
    assert found.finish == "cancelled"
    assert len(found.tokens) == 3
    assert found.baseline is None


def test_the_end_token_ends_the_text() -> None:
    debugger, ids = shared("llama"), prompt(6)
    second = debugger.generate(ids, max_new_tokens=2).tokens[1].id
    config = debugger.model.network.generation_config
    before = config.eos_token_id
    try:
        config.eos_token_id = [second]
        found = debugger.generate(ids, max_new_tokens=9)
    finally:
        config.eos_token_id = before
    assert found.finish == "end"
    assert [token.id for token in found.tokens][-1] == second
    assert found.text == debugger.model.vocabulary.decode([t.id for t in found.tokens[:-1]])


@pytest.mark.parametrize(
    "options",
    [
        {"max_new_tokens": 0},
        {"temperature": -1.0},
        {"temperature": 1e-320},
        {"temperature": float("nan")},
        {"temperature": float("inf")},
        {"top_k": 0},
        {"top_p": 0.0},
        {"top_p": 1.5},
        {"stop": [""]},
    ],
)
def test_options_out_of_range_are_named(options: dict[str, object]) -> None:
    with pytest.raises(OptionError, match=next(iter(options)).split("_")[0]):
        shared("llama").generate(prompt(6), **options)  # type: ignore[arg-type]  # wrong on purpose


def test_more_tokens_than_the_context_holds_are_refused() -> None:
    with pytest.raises(PromptError, match="context of 128"):
        shared("llama").generate(prompt(6), max_new_tokens=200)
