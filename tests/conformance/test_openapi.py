"""The own API does what its OpenAPI description says, for whatever is sent to it; no input gives a 500."""

from contextlib import nullcontext, suppress
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from tests.conformance.conftest import Served

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]
ENDLESS = r"/api/v1/events"
KNOWN = {"kind": "Vital", "number": "GZ-2014-000001", "index": "0"}
bounded = settings(max_examples=4, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="package")
def operations(served: Served) -> list[Any]:
    """All operations of the description; the endless stream of events has tests of its own."""
    schema = schemathesis.openapi.from_url(f"{served.address}/openapi.json").exclude(path=ENDLESS)
    return [result.ok() for result in schema.get_all_operations()]


@schemathesis.check
def errors_are_problems(ctx: Any, response: schemathesis.Response, case: schemathesis.Case) -> None:
    """Every refusal is an RFC 9457 document with a key that programmes can rely on."""
    if response.status_code < httpx.codes.BAD_REQUEST:
        return
    assert response.headers["content-type"][0] == "application/problem+json", response.text
    body = response.json()
    assert body["status"] == response.status_code
    assert body["key"]
    assert body["detail"]
    assert all(fault["message"] for fault in body.get("errors", []))


@schemathesis.hook
def map_path_parameters(ctx: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Let half of the generated paths lead to something that exists."""
    if path_parameters and len(str(path_parameters)) % 2:
        return {name: KNOWN.get(name, value) for name, value in path_parameters.items()}
    return path_parameters


def exercise(operation: Any, mode: GenerationMode, headers: dict[str, str]) -> None:
    """Send a bounded number of generated requests and check each answer; what takes nothing cannot be sent anything wrong."""

    @bounded
    @given(case=operation.as_strategy(generation_mode=mode))
    def attempt(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=[*CHECKS, errors_are_problems], headers=headers, timeout=30)

    with suppress(Unsatisfiable) if mode is GenerationMode.NEGATIVE else nullcontext():
        attempt()


@pytest.mark.parametrize("mode", GenerationMode, ids=lambda mode: mode.value)
@pytest.mark.parametrize("who", ["nobody", "administrator"])
def test_every_operation_answers_as_described(
    who: str, mode: GenerationMode, operations: list[Any], served: Served, subtests: pytest.Subtests
) -> None:
    headers = {"Accept-Language": "en"} if who == "nobody" else {"Accept-Language": "zh", **served.headers}
    for operation in operations:
        with subtests.test(operation.label):
            exercise(operation, mode, headers)


def test_every_operation_is_described(served: Served) -> None:
    paths = httpx.get(f"{served.address}/openapi.json").json()["paths"]
    operations = [(path, method, operation) for path, item in paths.items() for method, operation in item.items()]
    assert len(operations) > 20
    assert [(path, method) for path, method, operation in operations if not operation.get("description")] == []
    assert len({operation["operationId"] for *_, operation in operations}) == len(operations)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"\xff\xfe{}", 400),
        (b'{"documents": 1, "source": "x"}', 422),
        (b'{"documents": NaN, "source": "x"}', 422),
        (b"[" * 100_000, 400),
        (b'{"documents": "' + b"x" * 9_000_000 + b'"}', 413),
    ],
)
@pytest.mark.parametrize(("language", "word"), [("zh-CN,zh;q=0.9", "输入"), ("en", "input")])
def test_broken_bodies_are_refused_in_the_reader_s_language(
    served: Served, body: bytes, status: int, language: str, word: str
) -> None:
    headers = {**served.headers, "Accept-Language": language, "Content-Type": "application/json"}
    answer = httpx.post(f"{served.address}/api/v1/declarations/apply", content=body, headers=headers, timeout=30)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    if status != httpx.codes.REQUEST_ENTITY_TOO_LARGE:
        assert word in answer.json()["detail"]
