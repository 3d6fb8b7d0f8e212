"""The proof of a model, kept in the cache: examined once, recalled by the fingerprint of its weights."""

import time

import torch
import transformers
from pydantic import ValidationError
from transformers import PreTrainedModel

from lm_debugger.anatomy.fingerprint import fingerprint
from lm_debugger.anatomy.parts import Anatomy
from lm_debugger.proof.finite import check_finite
from lm_debugger.records.base import Record
from lm_debugger.records.examination import Examination
from lm_debugger.store import cache
from lm_debugger.work import Work

KIND, VERSION = "anatomy", 4


class _Proof(Record):
    """What the cache keeps of an examination that succeeded. Other versions of the code may differ in what they do."""

    examination: Examination
    anatomy: Anatomy
    versions: str = f"transformers {transformers.__version__}, torch {torch.__version__}"


def prove(
    network: PreTrainedModel, *, name: str, work: Work, identity: str | None = None
) -> tuple[Examination, Anatomy | None]:
    """Examine, or recall the proof of this very model on this kind of device.

    Args:
        network: the model; it is examined in eval mode and given back in its own.
        name: what the report calls it.
        work: told of the steps.
        identity: the fingerprint that the report gives; None for the network's own. What is proved is known by the
            network's own in any case.

    Returns:
        The report, and the anatomy unless the model is not supported.

    Raises:
        NumericalError: if a weight is NaN or infinite. The weights of a proved model are not.
    """
    start = time.perf_counter()
    own = fingerprint(network)
    key = f"{own}-{network.device.type}"
    kept = _recall(key)
    if kept is not None:
        seconds = {**kept.examination.seconds, "recall": time.perf_counter() - start}
        told = {"model": name, "fingerprint": identity or own}
        report = kept.examination.model_copy(update=told | {"cached": True, "seconds": seconds})
        return report, kept.anatomy
    check_finite(network)
    from lm_debugger.proof.report import examine_network  # not needed by models that are known

    report, anatomy = examine_network(network, name=name, fingerprint=identity or own, progress=work)
    if anatomy is not None:
        cache.write(KIND, key, VERSION, {}, _Proof(examination=report, anatomy=anatomy).model_dump_json())
    return report, anatomy


def _recall(key: str) -> _Proof | None:
    entry = cache.read(KIND, key, VERSION)
    if entry is None:
        return None
    try:
        proof = _Proof.model_validate_json(entry.text)
    except ValidationError:  # of another version of this package
        return None
    return proof if proof.versions == _Proof.model_fields["versions"].default else None
