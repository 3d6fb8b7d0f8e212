"""Idle threads sleep in processes of ours; a user's own choice, and a user's own process, stay as they are."""

import os
import subprocess
import sys

import pytest

ASK = "import os; print(os.environ.get('OMP_WAIT_POLICY'), 'torch' in __import__('sys').modules)"
OURS = f"from lm_debugger.cli.loading import silence_libraries; silence_libraries(); {ASK}"


def told(code: str, **environment: str) -> str:
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("OMP_", "GOMP_", "KMP_"))}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=plain | environment, capture_output=True, text=True, check=True
    )
    return ran.stdout.strip()


def test_commands_let_idle_threads_sleep_before_torch_is_loaded() -> None:
    assert told(OURS) == "PASSIVE False"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE False"),
        ({"GOMP_SPINCOUNT": "5"}, "None False"),
        ({"KMP_BLOCKTIME": "0"}, "None False"),
    ],
)
def test_the_users_choice_stays(environment: dict[str, str], expected: str) -> None:
    assert told(OURS, **environment) == expected


def test_the_library_leaves_its_users_process_alone() -> None:
    assert told(f"import lm_debugger; lm_debugger.load; {ASK}") == "None True"
