"""What takes an ablated part's place: zero, its mean, its value in another run; and how its loss is estimated."""

import pytest
import torch

from lm_debugger.attribution.means import LENGTH, SEED, TEXTS
from lm_debugger.debugger.session import Debugger
from lm_debugger.errors import OptionError
from lm_debugger.model.writing import written
from lm_debugger.records.why import Why, WhyPart
from tests.tiny import COMMON, prompt, shared

IDS, OTHER = prompt(9, 0), prompt(9, 3)
METHODS = ("gradient", "integrated", "relevance")


def difference(network: torch.nn.Module, ids: list[int] = IDS) -> float:
    logits = network(torch.tensor([ids]), use_cache=False).logits[0, 6].double()
    return float(logits[11] - logits[40])


def measured(answer: Why, kind: str) -> list[WhyPart]:
    return [part for part in answer.parts if part.measured is not None and part.kind == kind]


@torch.no_grad()
def test_resampled_is_the_difference_to_a_run_with_a_hook_that_swaps() -> None:
    found = shared("llama")
    network = found.model.network
    answer = found.why(IDS, 11, 40, 6, verify=30, top_k=1, resample=OTHER)
    assert answer.ablation == "resample"
    assert answer.resampled == found.model.vocabulary.decode(OTHER)
    parts = [*measured(answer, "head"), *measured(answer, "value")]
    assert {part.kind for part in parts} == {"head", "value"}
    for part in parts:
        layer, unit = (int(number) for number in part.part[1:].replace("D", "H").split("H"))
        block = network.model.layers[layer]
        module, width = (block.self_attn.o_proj, 8) if part.kind == "head" else (block.mlp.down_proj, 1)
        channels = slice(unit * width, unit * width + width)
        kept: list[torch.Tensor] = []

        def swap(_, args, kept=kept, channels=channels):
            if not kept:
                kept.append(args[0][..., channels].clone())
                return None
            stream = args[0].clone()
            stream[..., channels] = kept[0]
            return (stream,)

        handle = module.register_forward_pre_hook(swap)
        difference(network, OTHER)
        changed = difference(network)
        handle.remove()
        assert part.measured == pytest.approx(difference(network) - changed, abs=1e-4)


@torch.no_grad()
def test_mean_is_the_difference_to_a_run_at_the_mean_over_the_models_own_text(empty_cache) -> None:
    found = shared("llama")
    network = found.model.network
    texts = torch.tensor(written(found.model, TEXTS, LENGTH, SEED))
    seen: list[torch.Tensor] = []
    module = network.model.layers[1].mlp.down_proj
    handle = module.register_forward_pre_hook(lambda _, args: seen.append(args[0][:, 1:].flatten(0, 1)))
    network(texts, use_cache=False)
    handle.remove()
    means = torch.cat(seen).double().mean(0)
    for _ in range(2):  # measured, and then from the cache
        answer = found.why(IDS, 11, 40, 6, layers="1", verify=60, top_k=1, ablate="mean")
        values = measured(answer, "value")
        assert len(values) > 10
        for part in values[:6]:
            dimension = int(part.part.split("D")[1])
            there = found.why(IDS, 11, 40, 6, [f"L1D{dimension}={float(means[dimension])!r}"], estimate=False)
            assert part.measured == pytest.approx(answer.difference - there.difference, abs=1e-4)


def test_a_run_that_is_its_own_reference_loses_nothing() -> None:
    answer = shared("gpt2").why(IDS, 11, 40, 6, verify=5, top_k=5, resample=IDS)
    assert {part.estimate for part in answer.parts if part.kind in ("value", "head", "embedding")} == {0.0}
    assert {part.measured for part in answer.parts} <= {None, 0.0}


def test_texts_of_other_lengths_keep_what_has_no_counterpart() -> None:
    answer = shared("llama").why([5, 6, 7, 8], 11, 40, verify=3, top_k=1, resample=[5, 9, 7, 8])
    longer = shared("llama").why([5, 6, 7, 8], 11, 40, verify=3, top_k=1, resample=[7, 8])
    assert all(part.measured for part in answer.parts if part.measured is not None)
    assert any(part.measured for part in longer.parts if part.measured is not None)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("model_type", COMMON)
def test_every_architecture_has_every_estimate(model_type: str, method) -> None:
    answer = shared(model_type).why(IDS, 11, 40, 6, top_k=10, estimate=method)
    none = [part for part in answer.parts if part.kind in ("value", "head", "embedding") and part.estimate is None]
    assert none == []
    assert answer.method == method


@pytest.mark.parametrize("model_type", ["llama", "gemma2", "gemma3_text", "olmo2", "mistral", "qwen3"])
def test_relevance_of_the_input_is_the_whole_difference(model_type: str) -> None:
    """Without biases the rules are a linear map of the input, so that nothing is lost and nothing added."""
    answer = shared(model_type).why(IDS, 11, 40, 6, top_k=1000, estimate="relevance")
    (embedding,) = (part for part in answer.parts if part.kind == "embedding")
    assert embedding.estimate == pytest.approx(answer.difference, rel=1e-3, abs=1e-4)


def test_relevance_of_what_only_the_readout_reads_is_its_effect() -> None:
    answer = shared("llama").why(IDS, 11, 40, 6, layers="2", top_k=50, estimate="relevance")
    for part in answer.parts:
        if part.kind == "value":
            assert part.estimate == pytest.approx(part.effect, abs=1e-4)


def test_integrated_is_the_mean_of_slopes_between_the_reference_and_the_run() -> None:
    """For the input it comes near the whole way's difference: what leaves the reference's is told."""
    found = shared("gpt2")
    answer = found.why(IDS, 11, 40, 6, top_k=1000, verify=1000, estimate="integrated", resample=OTHER)
    (embedding,) = (part for part in answer.parts if part.kind == "embedding")
    slope = found.why(IDS, 11, 40, 6, top_k=1000, estimate="gradient", resample=OTHER)
    (other,) = (part for part in slope.parts if part.kind == "embedding")
    assert embedding.measured is not None
    assert abs(embedding.estimate - embedding.measured) < abs(other.estimate - embedding.measured)


def test_what_heads_brought_from_each_token_adds_up_to_their_effects(demo: Debugger) -> None:
    for found, text in ((shared("llama"), IDS), (shared("olmo2"), IDS), (shared("bert"), IDS), (demo, "My wife is a")):
        answer = found.why(text, position=3, top_k=60, sources=True, estimate=False)
        heads = [part for part in answer.parts if part.kind == "head"]
        assert len(heads) > 3
        for part in heads:
            assert [source.position for source in part.sources] == [0, 1, 2, 3]
            assert sum(source.effect for source in part.sources) == pytest.approx(part.effect, abs=1e-4)
        assert len(answer.tokens) == len(found.trace(text))


def test_heads_whose_sources_cannot_be_told_are_named() -> None:
    answer = shared("lfm2").why(IDS, top_k=60, sources=True, estimate=False)
    without = [part.part for part in answer.parts if part.kind == "head" and not part.sources]
    assert all(any(name in warning for warning in answer.warnings) for name in without)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"ablate": "resample"}, "no other prompt"),
        ({"ablate": "mean", "resample": OTHER}, "resample from is given"),
        ({"ablate": "median"}, "ablate is 'median'"),
        ({"estimate": "best"}, "estimate is 'best'"),
    ],
)
def test_what_does_not_go_together_is_refused(asked: dict, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        shared("llama").why(IDS, **asked)
