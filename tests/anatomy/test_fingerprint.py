"""The fingerprint follows architecture and weights, and nothing else."""

import copy
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, PreTrainedModel

from lm_debugger.anatomy.fingerprint import fingerprint
from lm_debugger.store.checksum import checksum
from tests import zoo


@pytest.fixture(scope="module")
def model() -> PreTrainedModel:
    return zoo.make("llama")


def test_the_same_wherever_it_is_loaded_from(model: PreTrainedModel, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path / "one")
    one = AutoModelForCausalLM.from_pretrained(tmp_path / "one")
    (tmp_path / "one").rename(tmp_path / "two")
    two = AutoModelForCausalLM.from_pretrained(tmp_path / "two")
    assert fingerprint(one) == fingerprint(two) == fingerprint(model)
    assert len(fingerprint(one)) == 16


def test_one_weight_or_setting_changes_it(model: PreTrainedModel) -> None:
    seen = {fingerprint(model)}
    for name, parameter in model.named_parameters():
        other = copy.deepcopy(model)
        with torch.no_grad():
            flat = other.get_parameter(name).view(-1)
            flat[parameter.numel() // 2] = torch.nextafter(flat[parameter.numel() // 2], torch.tensor(9.0))
        seen.add(fingerprint(other))
    assert len(seen) == 1 + len(list(model.named_parameters()))
    other = copy.deepcopy(model)
    other.config.rms_norm_eps *= 2
    assert fingerprint(other) not in seen


def test_a_run_does_not_change_it(model: PreTrainedModel) -> None:
    before = fingerprint(model)
    model.generate(torch.tensor([[3, 4]]), max_new_tokens=2, do_sample=False)
    assert fingerprint(model) == before


def test_weights_elsewhere_count_by_name_only(model: PreTrainedModel) -> None:
    offloaded = copy.deepcopy(model).to("meta")
    assert fingerprint(offloaded) == fingerprint(copy.deepcopy(offloaded))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.uint8, torch.float8_e4m3fn])
@given(data=st.data())
def test_checksum_sees_every_element_and_place(dtype: torch.dtype, data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 5000))
    raw = torch.randint(0, 60, (size,), generator=torch.Generator().manual_seed(size)).to(torch.uint8)
    values = raw.to(torch.float32).to(dtype)
    before = checksum(values)
    first, second = (data.draw(st.integers(0, size - 1)) for _ in range(2))
    changed = values.clone()
    changed[first] = 100.0
    assert checksum(changed) != before
    exchanged = values.float()
    exchanged[[first, second]] = exchanged[[second, first]]
    assert (checksum(exchanged.to(dtype)) != before) == bool(values[first].float() != values[second].float())


def test_checksum_depends_on_content_alone() -> None:
    values = torch.randn(300, 77)
    threads = torch.get_num_threads()
    before = checksum(values)
    try:
        torch.set_num_threads(1)
        assert checksum(values) == before
    finally:
        torch.set_num_threads(threads)
    assert checksum(torch.cat([torch.zeros(1), values.view(-1)])[1:].view(300, 77)) == before  # unaligned
    assert checksum(values.T.contiguous().T) == before
