"""What vectors promote is spelled once for all programs: kept, found again, and never another model's or lens's."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from lm_debugger.lenses import projection, words
from lm_debugger.lenses.lens import LOGIT_LENS, FittedLens, Lens
from lm_debugger.lenses.projection import End, Projections
from lm_debugger.lenses.words import TOKENS
from lm_debugger.model.loaded import LoadedModel
from lm_debugger.records.lens import LensSummary
from lm_debugger.records.names import ValueName
from lm_debugger.store import cache
from tests.tiny import debugger

ENDS = [End(ValueName(layer, index), negative) for layer in (0, 1) for index in range(3) for negative in (False, True)]


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoadedModel:
    monkeypatch.setenv(cache.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setattr(projection, "WORTH", 4)
    return debugger("llama").model


@pytest.fixture
def projected(model: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many vectors were projected in each product."""
    found: list[int] = []
    project = model.readout.project

    def counted(vectors: Tensor) -> Tensor:
        found.append(len(vectors))
        return project(vectors)

    monkeypatch.setattr(model.readout, "project", counted)
    return found


def spelled(projections: Projections) -> list[tuple[str, ...]]:
    projections.remember(ENDS, TOKENS)
    return [projections.texts(end, TOKENS) for end in ENDS]


def test_the_next_program_finds_them(model: LoadedModel, projected: list[int]) -> None:
    first = spelled(Projections(model))
    assert projected == [len(ENDS)]
    again = Projections(model)
    assert spelled(again) == first
    assert projected == [len(ENDS)]
    # More tokens than are kept, and ends that nobody has spelled, are projected.
    assert again.tokens(ENDS[0], TOKENS + 5)[:TOKENS] == again.tokens(ENDS[0], TOKENS)
    assert len(again.tokens(ENDS[0], TOKENS + 5)) == TOKENS + 5
    again.remember([End(ValueName(1, 20))], TOKENS)
    assert projected == [len(ENDS), 1, 1]


def test_a_few_new_ones_are_not_written_each_time(model: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    write = words.write

    def counted(fingerprint: str, lens: Lens, known: words.Words) -> words.Words:
        written.append(len(known))
        return write(fingerprint, lens, known)

    monkeypatch.setattr(words, "write", counted)
    projections = Projections(model)
    for index in range(40):
        projections.remember([End(ValueName(1, index))], TOKENS)
    assert written == [4 * (turn + 1) for turn in range(10)]


def test_the_latest_are_kept(model: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "MOST", 5)
    projections = Projections(model)
    spelled(projections)
    assert list(words.read(model.fingerprint, LOGIT_LENS)) == [str(end) for end in ENDS[-5:]]


def test_another_model_or_lens_has_its_own(model: LoadedModel, projected: list[int]) -> None:
    plain = spelled(Projections(model))
    hidden = model.anatomy.hidden_size
    about = LensSummary(
        name="turned", kind="tuned", fingerprint=model.fingerprint, model="m", layers=(0,), hidden=hidden,
        estimator="ridge", prompts=1, tokens=2, text="none", seed=0,
    )  # fmt: skip
    lens = FittedLens(about, {0: -torch.eye(hidden)}, {})
    turned = spelled(Projections(model, lens))
    assert projected == [len(ENDS), len(ENDS)]
    assert turned[0] == plain[1]  # turned round, it promotes what it suppressed
    assert turned[-1] == plain[-1]
    other = debugger("llama", seed=1).model
    assert spelled(Projections(other)) != plain


def test_what_other_code_wrote_counts_as_missing(model: LoadedModel, projected: list[int]) -> None:
    first = spelled(Projections(model))
    for text, arrays in (
        ("nonsense", {}),
        ("5", {}),
        ('["L0D0", 5]', {"values": torch.zeros(2, TOKENS), "ids": torch.zeros(2, TOKENS)}),
        ('["L0D0"]', {"values": torch.zeros(1, 3), "ids": torch.zeros(1, 3)}),
    ):
        cache.write(words.KIND, model.fingerprint, words.VERSION, arrays, text)
        projected.clear()
        assert spelled(Projections(model)) == first
        assert projected == [len(ENDS)]
