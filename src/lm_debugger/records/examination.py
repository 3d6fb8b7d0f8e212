"""The examination of a model: what its parts are, which invariants hold on it, how exactly."""

from lm_debugger.records.base import Record

INVARIANTS = {
    "I1": "residual stream after the feed-forward = before + feed-forward contribution",
    "I2": "sum of coefficient · value vector + bias = feed-forward output",
    "I3": "logit lens of the last residual = the model's logits",
    "I4": "setting a coefficient to 0 = zeroing its value vector, in a forward and in cached generation",
    "I5": "sum of the heads' outputs + bias = the token mixer's output, which is added to the residual stream",
}
# A model on which one of these fails is refused; without I5 it has no heads, and all else.
REQUIRED = ("I1", "I2", "I3", "I4")


class Part(Record):
    """A part of the model that was found.

    Args:
        role: what it is, in the field's terms.
        path: the module's path in the model, `*` standing for the layer index.
        detail: its shape or form.
    """

    role: str
    path: str
    detail: str


class Check(Record):
    """One invariant, measured on the loaded model.

    Args:
        invariant: `I1` to `I5`.
        statement: what was checked.
        error: the largest relative error found (root mean square over the hidden or vocabulary axis).
        tolerance: the largest error accepted for the model's dtype.
        passed: whether error ≤ tolerance.
        layer: the layer with the largest error, or None where layers do not apply.
    """

    invariant: str
    statement: str
    error: float
    tolerance: float
    passed: bool
    layer: int | None = None


class Examination(Record):
    """The report of `lm-debugger examine`.

    Args:
        model: the model's name.
        architecture: the model class.
        fingerprint: of architecture and weights.
        supported: whether the anatomy was found and I1 to I4 hold.
        layers: number of layers found (0 if none).
        value_vectors: number of value vectors found.
        heads: number of heads found and proved.
        headless: layers without heads, and why, one sentence for each reason.
        formula: the residual formulas found, one for each kind of layer.
        parts: what each part is.
        checks: every invariant that could be measured.
        failures: why the model is not supported, one sentence each.
        works: what can still be done with an unsupported model.
        seconds: time of each step.
        cached: whether the report came from the cache.
    """

    model: str
    architecture: str
    fingerprint: str
    supported: bool
    layers: int
    value_vectors: int
    heads: int = 0
    headless: tuple[str, ...] = ()
    formula: tuple[str, ...]
    parts: tuple[Part, ...]
    checks: tuple[Check, ...]
    failures: tuple[str, ...]
    works: tuple[str, ...]
    seconds: dict[str, float]
    cached: bool = False
