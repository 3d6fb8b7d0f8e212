"""Examines a model: discovers its anatomy, proves it, and says so in a report."""

import time
from collections.abc import Iterator, Mapping
from functools import partial

from transformers import PreTrainedModel

from lm_debugger.anatomy.discovery.discover import discover
from lm_debugger.anatomy.parts import Anatomy, LayerAnatomy
from lm_debugger.engine.guard import alone, plain
from lm_debugger.errors import LMDebuggerError, UnsupportedModelError
from lm_debugger.proof.verify import Proof, verify
from lm_debugger.records.examination import REQUIRED, Check, Examination, Part
from lm_debugger.work import Progress, silent

STILL_WORKS = ("plain generation and tokenisation through transformers",)


def examine_network(
    network: PreTrainedModel, *, name: str, fingerprint: str, progress: Progress = silent
) -> tuple[Examination, Anatomy | None]:
    """Report on a model in memory, and its anatomy if it is supported."""
    seconds: dict[str, float] = {}
    try:
        progress("Finding the anatomy", 0, 0)
        work = partial(_examined, network, seconds, progress)
        anatomy, proof = alone(network, partial(plain, network, work))
    except UnsupportedModelError as failure:
        return _report(network, name, fingerprint, None, (), (failure.what,), seconds), None
    except LMDebuggerError:
        raise
    except Exception as failure:  # noqa: BLE001  # foreign model code may raise anything; the report names it
        what = f"The model could not be run for examination: {type(failure).__name__}: {failure}"
        return _report(network, name, fingerprint, None, (), (what,), seconds), None
    failures = tuple(_sentence(check) for check in proof.checks if check.invariant in REQUIRED and not check.passed)
    anatomy = _without_heads(anatomy, proof.unproved)
    report = _report(network, name, fingerprint, anatomy, proof.checks, failures, seconds)
    return report, anatomy if report.supported else None


def refusal(report: Examination) -> UnsupportedModelError:
    """What to raise for a model that is not supported."""
    return UnsupportedModelError(
        f"{report.model} ({report.architecture}) is not supported: {' '.join(report.failures)}",
        "`lm-debugger examine` reports what was found; still possible: " + "; ".join(report.works) + ".",
    )


def _examined(network: PreTrainedModel, seconds: dict[str, float], progress: Progress) -> tuple[Anatomy, Proof]:
    anatomy, proof = _attempt(network, seconds, progress, each_layer=False)
    if not all(check.passed for check in proof.checks):
        # Layers of one kind may still differ in numbers that no shape shows.
        anatomy, proof = _attempt(network, seconds, progress, each_layer=True)
    return anatomy, proof


def _attempt(
    network: PreTrainedModel, seconds: dict[str, float], progress: Progress, *, each_layer: bool
) -> tuple[Anatomy, Proof]:
    start = time.perf_counter()
    anatomy = discover(network, each_layer=each_layer)
    found = time.perf_counter()
    progress("Proving the invariants", 0, 0)
    proof = verify(network, anatomy)
    seconds["discover"] = seconds.get("discover", 0.0) + found - start
    seconds["verify"] = seconds.get("verify", 0.0) + time.perf_counter() - found
    return anatomy, proof


def _without_heads(anatomy: Anatomy, unproved: Mapping[int, float]) -> Anatomy:
    """The anatomy without the heads of layers on which I5 does not hold."""
    if not unproved:
        return anatomy
    layers = list(anatomy.layers)
    for index, wrong in unproved.items():
        why = f"I5 does not hold: relative error {wrong:.2g}"
        layers[index] = layers[index].model_copy(update={"heads": None, "headless": why})
    return anatomy.model_copy(update={"layers": tuple(layers)})


def _sentence(check: Check) -> str:
    where = "" if check.layer is None else f" in layer {check.layer}"
    return (
        f"{check.invariant} does not hold{where}: {check.statement}; "
        f"relative error {check.error:.2g}, at most {check.tolerance:.0e} accepted."
    )


def _report(
    network: PreTrainedModel,
    name: str,
    fingerprint: str,
    anatomy: Anatomy | None,
    checks: tuple[Check, ...],
    failures: tuple[str, ...],
    seconds: dict[str, float],
) -> Examination:
    supported = anatomy is not None and not failures
    return Examination(
        model=name,
        architecture=type(network).__name__,
        fingerprint=fingerprint,
        supported=supported,
        layers=len(anatomy.layers) if anatomy else 0,
        value_vectors=anatomy.value_vectors if anatomy else 0,
        heads=anatomy.head_count if anatomy else 0,
        headless=_headless(anatomy) if anatomy else (),
        formula=_formulas(anatomy) if anatomy else (),
        parts=tuple(_parts(anatomy)) if anatomy else (),
        checks=checks,
        failures=failures,
        works=() if supported else STILL_WORKS,
        seconds=seconds,
    )


def _formulas(anatomy: Anatomy) -> tuple[str, ...]:
    """Each formula with the layers that it holds for."""
    layers: dict[str, list[int]] = {}
    for index, layer in enumerate(anatomy.layers):
        layers.setdefault(layer.formula, []).append(index)
    return tuple(f"layers {_ranges(those)}: resid_post = {formula}" for formula, those in layers.items())


def _headless(anatomy: Anatomy) -> tuple[str, ...]:
    """Each reason for having no heads with its layers."""
    layers: dict[str, list[int]] = {}
    for index, layer in enumerate(anatomy.layers):
        if layer.heads is None:
            why = layer.headless.replace(layer.path, layer.path.replace(str(index), "*"))
            layers.setdefault(why, []).append(index)
    return tuple(f"layers {_ranges(those)}: {why}" for why, those in layers.items())


def _ranges(numbers: list[int]) -> str:
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)


def _parts(anatomy: Anatomy) -> list[Part]:
    parts: dict[tuple[str, str], Part] = {}

    def add(role: str, path: str, detail: str, index: int | None = None) -> None:
        shown = path if index is None else ".".join("*" if p == str(index) else p for p in path.split("."))
        parts.setdefault((role, shown), Part(role=role, path=shown, detail=detail))

    for index, layer in enumerate(anatomy.layers):
        add("layer", layer.path, f"{len(anatomy.layers)} layers, residual stream {anatomy.hidden_size}", index)
        for role, path, detail in (*_of_stream(layer), *_of_heads(layer), *_of_groups(layer)):
            add(role, path, detail, index)
    for path in anatomy.readout.modules[:-1]:
        add("read-out", path, "between the last residual and the unembedding")
    add("unembedding", anatomy.readout.modules[-1], _logits(anatomy))
    return list(parts.values())


def _of_stream(layer: LayerAnatomy) -> Iterator[tuple[str, str, str]]:
    """Role, path and detail of what a layer's stream passes."""
    if layer.groups and not layer.before:
        detail = "sum minus contribution: the layer adds something that could not be told apart"
        yield "before the feed-forward", layer.path, detail
    for term in layer.before:
        yield "before the feed-forward", term.site.path, f"{term.site.side} of the module"
    if layer.after_norm:
        yield "norm after the sum", layer.after_norm, "post-layer norm"
    for path in layer.dropped:
        yield "not covered", path, "reaches the residual stream in no simple way"


def _of_groups(layer: LayerAnatomy) -> Iterator[tuple[str, str, str]]:
    """Role, path and detail of the parts of a layer's feed-forward."""
    for group in layer.groups:
        if group.experts:
            yield "experts", group.path, f"{group.experts} experts of {group.width} value vectors"
        else:
            yield "down projection", group.path, f"{group.width} value vectors"
        yield from (
            ("norm after the feed-forward", step.path, "value vectors are read through it")
            for step in group.route
            if step.path
        )


def _of_heads(layer: LayerAnatomy) -> Iterator[tuple[str, str, str]]:
    """Role, path and detail of the parts of a layer's heads."""
    heads = layer.heads
    if heads is not None:
        yield "attention output", heads.path, f"{heads.count} heads of {heads.width} channels"
        yield from (
            ("norm after attention", step.path, "heads are read through it") for step in heads.route if step.path
        )


def _logits(anatomy: Anatomy) -> str:
    readout = anatomy.readout
    detail = f"{readout.vocabulary} logits"
    if readout.logit_scale != 1:
        detail += f", scaled by {readout.logit_scale:.6g}"
    return detail + (f", soft-capped at {readout.soft_cap:g}" if readout.soft_cap else "")
