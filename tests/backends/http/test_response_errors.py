"""What an error response is about, how long to wait, and what to do, by what servers and gateways send."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backends import BackendError, Overloaded, Rejected
from backends.chat.failures import server_failure
from backends.http.endpoint import Endpoint
from backends.http.failures.errors import response_error
from backends.http.failures.waits import describe_wait
from backends.stopwatch import wall_clock

ENDPOINT = Endpoint("http://host/v1", "sk-1")


def error_of(status: int, body: Any, **headers: str) -> BackendError:
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return response_error(ENDPOINT, status, {name.replace("_", "-"): value for name, value in headers.items()}, content)


def said(message: str, **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, **fields}}


WAITS: list[tuple[dict[str, str], Any, float | None]] = [
    ({"retry_after": "2"}, said("busy"), 2.0),
    ({"retry_after": "1.5s"}, said("busy"), 1.5),
    ({"retry_after": "1m30s"}, said("busy"), 90.0),
    ({"retry_after": "20 seconds"}, said("busy"), 20.0),
    ({"retry_after": "-1"}, said("busy"), 0.0),
    ({"retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"}, said("busy"), 0.0),
    ({"retry_after": "Wed, 21 Oct 2099 07:28:00 GMT"}, said("busy"), None),
    ({"retry_after": "nan"}, said("busy"), None),
    ({"retry_after": "inf"}, said("busy"), None),
    ({"retry_after": "9" * 400}, said("busy"), None),
    ({"retry_after": "soon"}, said("busy"), None),
    ({"retry_after": ""}, said("busy"), None),
    ({"retry_after_ms": "nan", "retry_after": "3"}, said("busy"), 3.0),
    ({"retry_after_ms": "250"}, said("busy"), 0.25),
    ({}, said("Rate limit reached. Please try again in 20s."), 20.0),
    ({}, said("Limit 1 per day. Please try again in 7m12.5s. Visit billing."), 432.5),
    ({}, said("Please retry after 5 seconds"), 5.0),
    ({}, said("Quota exceeded", status="RESOURCE_EXHAUSTED", details=[{"retryDelay": "17s"}]), 17.0),
    ({}, {"error": "Model is currently loading", "estimated_time": 20.5}, 20.5),
    ({}, said("Try again in a moment."), None),
]


@pytest.mark.parametrize(("headers", "body", "wait"), WAITS)
def test_how_long_to_wait(headers: dict[str, str], body: Any, wait: float | None) -> None:
    error = error_of(429, body, **headers)
    assert isinstance(error, Overloaded)
    assert error.retry_after == wait
    assert ("Try again in " in error.remedy) == (wait is not None)


def test_a_time_instead_of_a_wait() -> None:
    error = error_of(429, said("busy"), retry_after=str(int(wall_clock()) + 60))
    assert isinstance(error, Overloaded)
    assert error.retry_after is not None
    assert 50 < error.retry_after <= 60


def test_waits_for_people() -> None:
    assert [describe_wait(seconds) for seconds in (1.5, 90, 432, 90_000)] == ["1.5 s", "90 s", "7 min", "25 h"]


NO_QUOTA = [
    said("You exceeded your current quota, please check your plan and billing details."),
    said("You exceeded your current quota", code="insufficient_quota"),
    said("Insufficient Balance", type="unknown_error"),
    said("Insufficient credits. Add more in the settings."),
    said("Your credit balance is too low to access the API."),
    said("Your account is not active, please check your billing details.", code="billing_not_active"),
    said("Your account has been suspended", type="exceeded_current_quota_error"),
    said("This key has reached its spending limit"),
    said("ExceededBudget: spend 1.0, max budget 1.0", type="budget_exceeded"),
    said("余额不足或无可用资源包,请充值。", code="1113"),
    {"error": "You have exceeded your monthly included credits for Inference Providers."},
]


@pytest.mark.parametrize("body", NO_QUOTA)
@pytest.mark.parametrize("status", [400, 403, 429, None])
def test_no_wait_helps_without_a_quota(body: Any, status: int | None) -> None:
    error = error_of(status, body) if status else server_failure(body["error"], str)
    assert type(error) is Rejected
    assert "no quota left" in error.message
    assert "billing" in error.remedy


@pytest.mark.parametrize(
    "body",
    [
        said("You exceeded your current quota, check your plan and billing details.", status="RESOURCE_EXHAUSTED"),
        said("Requests per minute exceeded. See billing for higher limits.", code="rate_limit_exceeded"),
    ],
)
def test_a_limit_that_a_wait_lifts_is_no_quota(body: Any) -> None:
    assert type(error_of(429, body)) is Overloaded


BUSY = [
    (503, said("Loading model", type="unavailable_error")),
    (529, said("Overloaded", type="overloaded_error")),
    (498, said("Flex tier capacity exceeded", type="capacity_exceeded")),
    (400, {"__type": "ThrottlingException", "message": "Too many tokens"}),
    (500, said("The engine is overloaded", type="engine_overloaded_error")),
    (429, {"error": "Model is overloaded", "error_type": "overloaded"}),
]


@pytest.mark.parametrize(("status", "body"), BUSY)
def test_a_busy_server(status: int, body: Any) -> None:
    assert type(error_of(status, body)) is Overloaded
    assert type(server_failure([{"error": body.get("error", body), "code": status}], str)) is Overloaded


PAGE = "<html><head><title>Just a moment...</title></head></html>"
REFUSALS: list[tuple[int, Any, str, str]] = [
    (413, "<html><title>413 Request Entity Too Large</title></html>", "Too Large", "Send less"),
    (413, said("Request too large for model", code="rate_limit_exceeded"), "too large", "Send less"),
    (400, said("prompt is too long: 210000 tokens > 200000 maximum"), "too long", "Send less"),
    (400, said("Input length 5000 exceeds the maximum allowed length"), "5000", "Send less"),
    (400, said("No more", type="exceed_context_size_error"), "No more", "Send less"),
    (401, said("Invalid key"), "refused the key", "API key"),
    (400, said("API key not valid", status="UNAUTHENTICATED"), "not valid", "API key"),
    (403, PAGE, "refused access (403): “Just a moment...”", "firewall"),
    (403, "<html><script>if (a<b) {}</script><body>Access denied</body></html>", "“Access denied”", "firewall"),
    (405, {"detail": "Method Not Allowed"}, "Method Not Allowed", "path in the url"),
    (408, said("Request timed out"), "failed (408)", "log"),
    (424, {"error": "Request failed during generation"}, "failed (424)", "log"),
    (502, "<html><head><title>502 Bad Gateway</title></head></html>", "502 Bad Gateway", "log"),
    (524, "<html><title>example.com | 524: A timeout occurred</title></html>", "A timeout occurred", "log"),
    (400, {"errorMessage": "boom", "errorType": "X"}, "“boom”", "message says"),
    (401, {"fault": {"faultstring": "Invalid ApiKey"}}, "“Invalid ApiKey”", "API key"),
    (400, {"error": {"message": {"text": "boom"}}}, "“boom”", "message says"),
    (400, {"Message": "boom"}, "“boom”", "message says"),
]


@pytest.mark.parametrize(("status", "body", "words", "remedy"), REFUSALS)
def test_what_to_do(status: int, body: Any, words: str, remedy: str) -> None:
    error = error_of(status, body)
    assert isinstance(error, Rejected)
    assert error.status == status
    assert words in error.message
    assert remedy in error.remedy


@pytest.mark.parametrize("code", ["content_filter", "data_inspection_failed", "DataInspectionFailed"])
def test_a_filter_is_no_broken_server(code: str) -> None:
    for error in (error_of(400, said("Filtered.", code=code)), server_failure({"code": code, "message": "No."}, str)):
        assert error.is_refusal
        assert error.remedy == "Ask in other words."


def test_errors_in_an_answer_have_their_remedies() -> None:
    too_long = server_failure({"message": "the request exceeds the context size", "code": 400}, str)
    no_key = server_failure({"message": "Incorrect API key provided", "code": "invalid_api_key"}, str)
    assert "Send less" in too_long.remedy
    assert "API key" in no_key.remedy
    late = server_failure({"message": "Please try again in 20s.", "code": 429}, str)
    assert isinstance(late, Overloaded)
    assert late.retry_after == 20
