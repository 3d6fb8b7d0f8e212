"""Every architecture's anatomy is found and proved: I1 to I5 on tiny random models. The docs' table says the same."""

import pytest

from lm_debugger.proof.report import examine_network
from lm_debugger.records.examination import Examination
from tests import zoo
from tests.tiny import COMMON

# Types that are refused, with a word of the reason that the report must give.
REFUSED = {
    "cpmant": "residual stream",
    "deepseek_v4": "residual stream",
    "dory": "loop",
    "falcon_mamba": "feed-forward",
    "hy_v4": "residual stream",
    "inkling_text": "feed-forward",
    "jetmoe": "feed-forward",
    "mamba": "feed-forward",
    "prophetnet": "residual stream",
    "rwkv": "feed-forward",
    "zamba": "feed-forward",
}
FEWEST_SUPPORTED = 165
FEWEST_WITH_HEADS = 163


def examined(model_type: str) -> Examination:
    report, _ = examine_network(zoo.make(model_type), name=model_type, fingerprint="")
    return report


def assert_proved(report: Examination) -> None:
    assert report.failures == ()
    assert report.supported
    assert report.value_vectors > 0
    of_heads = ["I5", "I5", "I5"] if report.heads else []
    assert [check.invariant for check in report.checks] == ["I1", "I2", "I3", "I4", "I4", *of_heads]
    for check in report.checks:
        assert check.passed
        assert check.error <= check.tolerance


@pytest.mark.parametrize("model_type", COMMON)
def test_common_architecture_is_proved(model_type: str) -> None:
    report = examined(model_type)
    assert_proved(report)
    assert report.heads > 0


@pytest.mark.parametrize("model_type", sorted(REFUSED))
def test_what_cannot_be_proved_is_refused_with_the_reason(model_type: str) -> None:
    report = examined(model_type)
    assert not report.supported
    assert REFUSED[model_type] in " ".join(report.failures)
    assert report.works


@pytest.mark.slow
def test_most_of_all_architectures_are_proved() -> None:
    proved, with_heads = [], []
    for model_type in zoo.TYPES:
        try:
            network = zoo.make(model_type)
        except zoo.Unavailable:
            continue
        report, _ = examine_network(network, name=model_type, fingerprint="")
        if report.supported:
            assert_proved(report)
            proved.append(model_type)
            with_heads += [model_type] if report.heads else []
    assert len(proved) >= FEWEST_SUPPORTED
    assert len(with_heads) >= FEWEST_WITH_HEADS
