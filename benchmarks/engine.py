"""The engine on the demo model with a 12-token prompt: trace, capture, generation, memory, start-up."""

import subprocess
import sys
from collections.abc import Iterator

import torch

import lm_debugger
from benchmarks.measure import Result, ratio, ratio_of, seconds
from lm_debugger.debugger.session import Debugger
from lm_debugger.debugger.trace import Trace
from lm_debugger.engine.sites import Pass
from lm_debugger.lenses.reading import Reading
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.proof.report import examine_network
from lm_debugger.records.generation import Sampling
from lm_debugger.runs.generate import Stops, continue_prompt, greedy
from lm_debugger.runs.run import run
from lm_debugger.runs.spec import RunSpec
from lm_debugger.source import demo

PROMPT = "The quick brown fox jumps over the lazy dog and then it"
TOKENS = 12
GENERATED = 24
ROUNDS = 40


def results() -> Iterator[Result]:
    """Every measurement, as it is made."""
    yield _import()
    yield from _start()
    debugger = lm_debugger.load("demo")
    yield from _examine(debugger)
    yield _capture(debugger)
    yield _trace(debugger)
    yield _another_position(debugger)
    yield _heads(debugger)
    yield _step(debugger)
    yield _generation(debugger)
    yield _memory(TOKENS)
    yield _memory(512)
    yield Result("calibration, 4,096 tokens", f"{debugger.calibrate(force=True).seconds:.1f} s")


def _python(code: str) -> float:
    """Seconds that a fresh interpreter spends in code which prints them."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def _import() -> Result:
    code = "import time; t = time.perf_counter(); import lm_debugger; print(time.perf_counter() - t)"
    taken = min(_python(code) for _ in range(5))
    return Result("import lm_debugger", f"{taken:.3f} s", "≤ 0.3 s", taken <= 0.3)


def _start() -> Iterator[Result]:
    """A new process to its first trace, against the libraries beneath alone: they load the same folder and run it."""
    lm_debugger.load("demo")  # whatever has to be fetched, converted and proved is now cached
    ours = f"import lm_debugger; lm_debugger.load('demo').trace({PROMPT!r}).view()"
    plain = (
        "import torch; from transformers import AutoModelForCausalLM, AutoTokenizer; "
        f"folder = {str(demo.folder())!r}; words = AutoTokenizer.from_pretrained(folder); "
        "network = AutoModelForCausalLM.from_pretrained(folder); torch.set_grad_enabled(False); "
        f"network(words({PROMPT!r}, return_tensors='pt').input_ids)"
    )
    for clock, what, rounds in (("process_time", "of the processor", 5), ("perf_counter", "on the clock", 5)):
        codes = [f"import time; t = time.{clock}(); {work}; print(time.{clock}() - t)" for work in (ours, plain)]
        found = ratio_of(lambda: _python(codes[0]), lambda: _python(codes[1]), rounds)  # noqa: B023 (used at once)
        yield Result(
            f"warm start to first trace / plain load and forward, {what}", f"{found.ratio:.2f} ×", "≤ 1.1 ×",
            found.ratio <= 1.1, f"{found.first:.1f} s against {found.second:.1f} s, {rounds} rounds",
        )  # fmt: skip


def _examine(debugger: Debugger) -> Iterator[Result]:
    network = debugger.model.network
    taken = seconds(lambda: examine_network(network, name="demo", fingerprint=""))
    yield Result("examine: discover and prove", f"{taken:.1f} s", "≤ 5 s", taken <= 5)
    recall = lm_debugger.load(network, debugger.model.vocabulary.tokenizer).examine().seconds["recall"]
    yield Result("examine: recalled by fingerprint", f"{recall:.2f} s", "≤ 0.2 s", recall <= 0.2)


def _ids(debugger: Debugger) -> torch.Tensor:
    ids = debugger.model.vocabulary.encode(PROMPT)[:TOKENS]
    assert len(ids) == TOKENS
    return torch.tensor([ids])


def _capture(debugger: Debugger) -> Result:
    model, ids = debugger.model, _ids(debugger)

    @torch.no_grad()
    def plain() -> None:
        model.network(input_ids=ids, use_cache=False, logits_to_keep=1)

    return ratio(
        "capture alone / plain forward",
        lambda: model.engine.observe([Pass(tuple(ids[0].tolist()))], model.sites),
        plain,
        most=1.05,
        rounds=ROUNDS,
    )


def _traced(debugger: Debugger, ids: torch.Tensor, reading: Reading) -> Trace:
    spec = RunSpec.of_prompt(ids[0].tolist())
    return run(debugger.model, [spec], kind=Trace, reading=reading, baselines=[None])[0]


def _trace(debugger: Debugger) -> Result:
    model, ids = debugger.model, _ids(debugger)
    reading = Reading(model)
    unembedding = model.network.get_output_embeddings()
    lens = torch.randn(2 * model.layers, model.anatomy.hidden_size, dtype=model.network.dtype)

    @torch.no_grad()
    def plain() -> None:
        model.network(input_ids=ids, use_cache=False)
        unembedding(lens)

    return ratio(
        "trace with full read-out / (plain forward + lens product)",
        lambda: _traced(debugger, ids, reading).view(),
        plain,
        most=1.25,
        rounds=ROUNDS,
    )


def _another_position(debugger: Debugger) -> Result:
    trace = debugger.trace(PROMPT)
    trace.view(3)
    taken = min(seconds(lambda: trace.view(3)) for _ in range(10))
    return Result("read-out at another position, no forward", f"{taken * 1000:.0f} ms")


def _generation(debugger: Debugger) -> Result:
    model, ids = debugger.model, _ids(debugger)
    edits = [lm_debugger.parse_edit(f"L{3 * i}D{i}*=1.5") for i in range(10)]

    spec = RunSpec.of_prompt(ids[0].tolist(), edits)

    def edited() -> None:
        continue_prompt(model, spec, sampling=Sampling(), stops=Stops(GENERATED))

    @torch.no_grad()
    def plain() -> None:
        model.network.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=GENERATED, do_sample=False)

    return ratio("generation with 10 edits / plain generate", edited, plain, most=1.05, rounds=12)


def _heads(debugger: Debugger) -> Result:
    """A trace with heads, recorded and read out, against one of the same model without."""
    ids = _ids(debugger)
    near = debugger.model
    headless = near.anatomy.model_copy(
        update={"layers": tuple(layer.model_copy(update={"heads": None}) for layer in near.anatomy.layers)}
    )
    bare = LoadedModel(near.name, near.network, near.vocabulary, headless, near.examination)
    without = Debugger(bare, lambda model: model)
    reading, others = Reading(near), Reading(bare)
    return ratio(
        "trace with heads / without",
        lambda: _traced(debugger, ids, reading).view(),
        lambda: _traced(without, ids, others).view(),
        most=1.05,
        rounds=ROUNDS,
    )


def _step(debugger: Debugger) -> Result:
    """A step of the engine against a step of transformers' own loop, prompt and preparation included in both."""
    model, ids = debugger.model, _ids(debugger)
    one = Pass(tuple(ids[0].tolist()))

    def stepped() -> None:
        for _ in model.engine.steps([one], greedy, limit=GENERATED, endless=True):
            pass

    @torch.no_grad()
    def plain() -> None:
        model.network.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=GENERATED, min_new_tokens=GENERATED,
            do_sample=False,
        )  # fmt: skip

    return ratio("a step of the engine / a step of generate", stepped, plain, most=1.02, rounds=ROUNDS)


def _memory(tokens: int) -> Result:
    """Growth of the process while it traces, and while the plain model runs the same tokens."""
    ids = f"[3 + (7 * i * i) % 40000 for i in range({tokens})]"
    traced = growth(f"d.trace({ids}).view()")
    plain = growth(f"d.model.network(torch.tensor([{ids}]), use_cache=False)")
    return Result(
        f"peak memory of a {tokens}-token trace over the model's own",
        f"{traced / 2**20:+.0f} MiB",
        detail=f"the plain forward {plain / 2**20:+.0f} MiB; the model itself 513 MiB",
    )


def growth(work: str) -> int:
    """Peak resident bytes of some work in a fresh process, over what the process held before it (Linux only)."""
    code = (
        "import re, lm_debugger, torch\n"
        "torch.set_grad_enabled(False)\n"
        "read = lambda name: int(re.search(name + r':\\s+(\\d+)', open('/proc/self/status').read()).group(1)) * 1024\n"
        "d = lm_debugger.load('demo')\n"
        "d.model.network(torch.tensor([[5]]), use_cache=False)\n"  # pages the weights in
        "open('/proc/self/clear_refs', 'w').write('5')\n"  # resets the peak
        "before = read('VmRSS')\n"
        f"{work}\n"
        "print(read('VmHWM') - before)"
    )
    return int(_python(code))
