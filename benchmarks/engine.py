"""The engine on the demo model with a 12-token prompt: trace, capture, generation, memory, start-up."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator

import torch

import lm_debugger
from benchmarks.measure import Result, ratio, seconds
from lm_debugger.debugger.session import Debugger
from lm_debugger.model.examine.report import examine_network
from lm_debugger.model.forward import capture, sites
from lm_debugger.trace.generate import Sampling, continue_prompt
from lm_debugger.trace.run import Trace, run
from lm_debugger.values.projection import Projections

PROMPT = "The quick brown fox jumps over the lazy dog and then it"
TOKENS = 12
GENERATED = 24
ROUNDS = 40


def results() -> Iterator[Result]:
    """Every measurement, as it is made."""
    yield _import()
    yield _start()
    debugger = lm_debugger.load("demo")
    yield from _examine(debugger)
    yield _capture(debugger)
    yield _trace(debugger)
    yield _another_position(debugger)
    yield _generation(debugger)
    yield _memory(debugger)
    yield Result("calibration, 4,096 tokens", f"{debugger.calibrate(force=True).seconds:.1f} s")


def _python(code: str) -> float:
    """Seconds that a fresh interpreter spends in code which prints them."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def _import() -> Result:
    code = "import time; t = time.perf_counter(); import lm_debugger; print(time.perf_counter() - t)"
    taken = min(_python(code) for _ in range(5))
    return Result("import lm_debugger", f"{taken:.3f} s", "≤ 0.3 s", taken <= 0.3)


def _start() -> Result:
    lm_debugger.load("demo")  # whatever has to be fetched, converted and proved is now cached
    code = (
        "import time; t = time.perf_counter(); import lm_debugger; "
        f"lm_debugger.load('demo').trace({PROMPT!r}).view(); print(time.perf_counter() - t)"
    )
    taken = min(_python(code) for _ in range(3))
    return Result("warm start to first trace, new process", f"{taken:.1f} s", "≤ 5 s", taken <= 5)


def _examine(debugger: Debugger) -> Iterator[Result]:
    network = debugger.model.network
    taken = seconds(lambda: examine_network(network, name="demo", fingerprint=""))
    yield Result("examine: discover and prove", f"{taken:.1f} s", "≤ 5 s", taken <= 5)
    recall = lm_debugger.load(network, debugger.model.vocabulary.tokenizer).examine().seconds["recall"]
    yield Result("examine: recalled by fingerprint", f"{recall:.2f} s", "≤ 0.2 s", recall <= 0.2)


def _ids(debugger: Debugger) -> torch.Tensor:
    ids = debugger.model.vocabulary.encode(PROMPT)[:TOKENS]
    assert len(ids) == TOKENS
    return debugger.model.tensor([ids])


def _capture(debugger: Debugger) -> Result:
    model, ids = debugger.model, _ids(debugger)
    wanted = sites(model.anatomy)

    @torch.no_grad()
    def plain() -> None:
        model.network(input_ids=ids, use_cache=False, logits_to_keep=1)

    return ratio(
        "capture alone / plain forward",
        lambda: capture(model.network, model.anatomy, ids, wanted=wanted),
        plain,
        most=1.05,
        rounds=ROUNDS,
    )


def _traced(debugger: Debugger, ids: torch.Tensor, projections: Projections) -> Trace:
    def no_ranges(name: object) -> object:
        raise AssertionError(name)

    return run(debugger.model, [ids[0].tolist()], [()], projections=projections, ranges=no_ranges)[0]  # type: ignore[arg-type]


def _trace(debugger: Debugger) -> Result:
    model, ids = debugger.model, _ids(debugger)
    projections = Projections(model)
    unembedding = model.network.get_output_embeddings()
    lens = torch.randn(2 * model.layers, model.anatomy.hidden_size, dtype=model.network.dtype)

    @torch.no_grad()
    def plain() -> None:
        model.network(input_ids=ids, use_cache=False)
        unembedding(lens)

    return ratio(
        "trace with full read-out / (plain forward + lens product)",
        lambda: _traced(debugger, ids, projections).view(),
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

    def edited() -> None:
        continue_prompt(
            model, ids[0].tolist(), edits, max_new_tokens=GENERATED, sampling=Sampling(),
            ranges=debugger.coefficient_range,
        )  # fmt: skip

    @torch.no_grad()
    def plain() -> None:
        model.network.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=GENERATED, do_sample=False)

    return ratio("generation with 10 edits / plain generate", edited, plain, most=1.05, rounds=12)


def _memory(debugger: Debugger) -> Result:
    trace = debugger.trace(PROMPT)
    own = sum(p.numel() * p.element_size() for p in debugger.model.network.parameters())
    kept = trace.memory
    peak = _peak(f"import lm_debugger; d = lm_debugger.load('demo'); d.trace({PROMPT!r}).view()")
    model = _peak("import lm_debugger; d = lm_debugger.load('demo')")
    return Result(
        "memory of a trace over the model's own",
        f"{(peak - model) / own:+.1%} at the peak",
        detail=f"peak +{(peak - model) / 2**20:.0f} MiB, kept {kept / 2**20:.1f} MiB, model {own / 2**20:.0f} MiB",
    )


def _peak(code: str) -> int:
    """Peak resident bytes of a fresh interpreter."""
    report = "import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)"
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", f"{code}; {report}"], capture_output=True, text=True, check=True, cwd=folder
        )
    return int(done.stdout.split()[-1])
