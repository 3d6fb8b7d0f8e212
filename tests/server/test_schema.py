"""Requests made up from the OpenAPI schema: none makes the server fail, and every answer is as the schema says."""

from pathlib import Path
from typing import Any

import hypothesis
import schemathesis
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from .live import behind_socket, tiny_app

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
# Enough of each kind of request; what long work does is tested elsewhere.
EXAMPLES = 10
SHORT = {"tokens": 300, "max_new_tokens": 20, "prompts": 4, "pushes": 4}
WHERE_NONE_IS_SAID = {"POST /api/lenses/fit": {"tokens": 40, "prompts": 4}}
PATIENCE = 300  # seconds


def test_no_request_makes_the_server_fail(tmp_path: Path) -> None:
    with behind_socket(tiny_app(tmp_path)) as client:
        schema = schemathesis.openapi.from_url(f"{client.base_url}/api/openapi.json")
        tried = set()
        for found in schema.get_all_operations():
            operation = found.ok()
            tried.add(operation.label)
            _try(operation, GenerationMode.POSITIVE)
            if operation.body or operation.query or operation.path_parameters:  # otherwise nothing can be wrong
                _try(operation, GenerationMode.NEGATIVE)
        assert {"POST /api/trace", "POST /api/generate", "DELETE /api/runs/{number}"} <= tried
        assert client.post("/api/trace", json={"prompt": "w5 w9"}).status_code == 200


def _try(operation: Any, mode: GenerationMode) -> None:
    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def request(case: Any) -> None:
        if isinstance(case.body, dict):
            case.body = WHERE_NONE_IS_SAID.get(operation.label, {}) | case.body
            for name, most in SHORT.items():
                if isinstance(case.body.get(name), int):
                    case.body[name] = min(case.body[name], most)
        case.validate_response(case.call(timeout=PATIENCE), checks=CHECKS)

    request()
