"""Path patching: to the output it is the direct effect; nothing held back it is patching; planted paths are found."""

import threading
from collections.abc import Sequence
from typing import Any

import pytest
import torch

from lm_debugger.debugger.session import Debugger
from lm_debugger.engine.sites import Capture, Pass
from lm_debugger.errors import CancelledError, OptionError, ValueNameError
from lm_debugger.records.names import read_unit
from lm_debugger.records.path import Through
from tests.attribution import planted as circuit
from tests.tiny import prompt, shared

IDS, OTHER = prompt(9, 0), prompt(9, 3)
TYPES = ("llama", "gpt2", "gemma2", "olmo2", "mixtral", "qwen2_moe", "gpt_neox", "falcon", "bart")
TEXT, THERE = "w5 w17 w30 w61 w9 w22 w17", "w5 w17 w44 w61 w9 w22 w17"


@torch.no_grad()
@pytest.mark.parametrize("sender", ["heads", "ffn"])
@pytest.mark.parametrize("model_type", ["llama", "gpt2", "mistral", "qwen3", "gpt_neox"])
def test_to_the_output_a_path_is_what_the_senders_own_vector_does(model_type: str, sender: str) -> None:
    """The last stream with the sender's vector exchanged, everything else as it was: the direct effect, measured."""
    found = shared(model_type)
    answer = found.path_patch(IDS, OTHER, "output", sender, 11, 40, 6)
    here, there = found.trace(IDS), found.trace(OTHER)
    assert len(answer.paths) == (found.model.layers if sender == "ffn" else found.model.anatomy.head_count)
    for path in answer.paths[:6]:
        layer = int(path.sender[1])
        mine, theirs = here.layer(layer, 6), there.layer(layer, 6)
        if sender == "ffn":
            change = theirs.contribution - mine.contribution
        else:
            group, head = found.model.unit(read_unit(path.sender))
            width = slice(head * group.heads.width, (head + 1) * group.heads.width)
            change = (theirs.at(group.slices_site) - mine.at(group.slices_site))[:, width] @ group.matrix(head).float()
        logits = found.model.readout.uncapped(here.last_residual[6][None] + change)[0]
        assert path.difference == pytest.approx(float(logits[11] - logits[40]), abs=1e-3)


@pytest.mark.parametrize("model_type", TYPES)
def test_a_path_with_nothing_beside_it_is_patching(model_type: str) -> None:
    """From the embedding to the attention of layer 0, and from the last feed-forward to the output."""
    found = shared(model_type)
    last = found.model.layers - 1
    (path,) = found.path_patch(IDS, OTHER, "output", f"L{last} ffn", 11, 40, 6).paths
    assert path.difference == pytest.approx(found.patch(IDS, OTHER, "ffn", 11, 40, 6).together[last], abs=2e-4)
    (path,) = found.path_patch(IDS, OTHER, "L0 attention", "embedding", 11, 40, 6).paths
    assert path.difference == pytest.approx(found.patch(IDS, OTHER, "attention", 11, 40, 6).together[0], abs=2e-4)


@pytest.mark.parametrize("receiver", ["L2H1", "L2D5", "L2 attention", "L2 ffn", "output"])
@pytest.mark.parametrize("model_type", TYPES)
def test_a_run_patched_with_itself_is_itself(model_type: str, receiver: str) -> None:
    found = shared(model_type)
    if receiver == "L2D5" and model_type in ("mixtral", "qwen2_moe"):
        receiver = "L2E1D5"
    answer = found.path_patch(IDS, IDS, receiver, "heads", 11, 40)
    assert all(abs(path.change) < 1e-4 for path in answer.paths)


@torch.no_grad()
def test_a_path_is_what_hooks_that_hold_everything_else_would_do() -> None:
    found = shared("llama")
    network = found.model.network
    seen: dict[str, list[torch.Tensor]] = {}

    def keep(name):
        def hook(_, args):
            seen.setdefault(name, []).append(args[0].clone())

        return hook

    def put(values, part=slice(None)):
        def hook(_, args):
            stream = args[0].clone()
            stream[..., part] = values[..., part]
            return (stream,)

        return hook

    def run(ids, hooks):
        handles = [module.register_forward_pre_hook(hook) for module, hook in hooks]
        logits = network(torch.tensor([ids]), use_cache=False).logits[0, 6].double()
        for handle in handles:
            handle.remove()
        return float(logits[11] - logits[40])

    modules = {}
    for number, block in enumerate(network.model.layers):
        modules |= {f"{number}a": block.self_attn.o_proj, f"{number}f": block.mlp.down_proj}
    for ids in (IDS, OTHER):
        run(ids, [(module, keep(name)) for name, module in modules.items()])
    sender, receiver = slice(8, 16), slice(24, 32)  # L0H1 to L2H3
    for held, through in ((("0a", "0f", "1a", "1f"), "nothing"), (("0a", "1a"), "ffn")):
        holding = [(modules[name], put(seen[name][0])) for name in held]
        sending = (modules["0a"], put(seen["0a"][1], sender))
        run(IDS, [*holding, sending, (modules["2a"], keep("received"))])
        expected = run(IDS, [(modules["2a"], put(seen.pop("received")[0], receiver))])
        (path,) = found.path_patch(IDS, OTHER, "L2H3", "L0H1", 11, 40, 6, through=through).paths
        assert path.difference == pytest.approx(expected, abs=1e-4)
        assert abs(path.change) > 1e-4


@pytest.mark.parametrize("through", ["nothing", "ffn"])
def test_senders_share_forwards_and_it_tells_how_far_it_is(through: Through, monkeypatch: pytest.MonkeyPatch) -> None:
    """All senders are told of; what takes them one by one would run as many forwards as there are, and a few more."""
    found = shared("llama")
    rows: list[int] = []
    observe = found.model.engine.observe

    def counted(passes: Sequence[Pass], *args: Any, **options: Any) -> list[Capture]:
        rows.append(len(passes))
        return observe(passes, *args, **options)

    monkeypatch.setattr(found.model.engine, "observe", counted)
    told: list[tuple[str, int, int]] = []
    answer = found.path_patch(
        IDS, OTHER, "L2H3", "heads", 11, 40, 6, through=through, progress=lambda *each: told.append(each)
    )
    assert ("Sending", 0, len(answer.paths)) in told
    assert any(step == "Receiving" for step, _, _ in told)
    assert max(rows) == len(answer.paths) > 1
    assert len(rows) < len(answer.paths)


def test_a_path_that_is_cancelled_stops_and_can_be_asked_again() -> None:
    found, cancel = shared("llama"), threading.Event()

    def stop(step: str, done: int, total: int) -> None:
        if step == "Sending":
            cancel.set()

    with pytest.raises(CancelledError):
        found.path_patch(IDS, OTHER, "L2H3", "heads", 11, 40, 6, progress=stop, cancel=cancel)
    assert found.path_patch(IDS, OTHER, "L2H3", "heads", 11, 40, 6).paths


def test_the_paths_of_a_planted_circuit_are_found() -> None:
    """What the induction head copies it reads from the embedding; where, from the head of previous tokens alone."""
    found = circuit.planted()
    whole = found.patch(TEXT, THERE, "heads", "w30", "w44").cells[1][2]
    (copied,) = found.path_patch(TEXT, THERE, circuit.INDUCTION, "embedding", "w30", "w44").paths
    assert copied.difference == pytest.approx(whole, abs=0.5)
    moved = "w5 w9 w30 w61 w17 w22 w17"  # w17 is followed by w22 here
    answer = found.path_patch(TEXT, moved, circuit.INDUCTION, "heads", "w30", "w22")
    assert answer.paths[0].sender == circuit.PREVIOUS
    assert answer.paths[0].change < -10
    assert all(abs(path.change) < 1 for path in answer.paths[1:])


@pytest.mark.parametrize(
    ("sender", "receiver", "kind"),
    [
        ("L2H1", "L1H0", OptionError), ("L1H0", "L1H2", OptionError), ("heads", "embedding", OptionError),
        ("L9 ffn", "output", OptionError), ("L0H77", "output", ValueNameError), ("nonsense", "output", ValueNameError),
    ],
)  # fmt: skip
def test_parts_that_are_no_path_are_refused(sender: str, receiver: str, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        shared("llama").path_patch(IDS, OTHER, receiver, sender, 11, 40)


def test_what_the_head_that_says_the_capital_reads(demo: Debugger) -> None:
    """In the demo model the feed-forwards carry the country there, and no single one does so alone."""
    texts = ("The capital of France is", "The capital of Italy is")
    whole = demo.patch(*texts, "heads").cells[23][4]
    answer = demo.path_patch(*texts, "L23H4", "ffn")
    assert len(answer.paths) == 23
    assert answer.paths[0].change < -0.1
    assert answer.difference > answer.paths[0].difference > whole
