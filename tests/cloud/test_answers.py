from __future__ import annotations

import pytest
import requests

from tasks.cloud.answers import Answer, read


def answered(status: int, body: str, **headers: str) -> Answer:
    """Read an answer with that body; underscores in header names stand for dashes."""
    response = requests.Response()
    response.status_code = status
    response._content = body.encode()
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    response.request = requests.Request("POST", "http://127.0.0.1/v2.1/servers?x=y").prepare()
    return read(response, api="compute")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('{"badRequest": {"code": 400, "message": "Invalid imageRef"}}', "Invalid imageRef"),
        ('{"message": "Load Balancer is busy", "code": 422}', "Load Balancer is busy"),
        ('{"message": ["JSON does not match"]}', "JSON does not match"),
        ('{"error": {"code": 404, "title": "Not Found", "message": "no endpoint"}}', "no endpoint"),
        ('{"faultcode": "Client", "faultstring": "quota met", "debuginfo": null}', "quota met"),
        ("Networks (1111) required but missing", "Networks (1111) required but missing"),
        ("<html><body><h1>502 Bad Gateway</h1>\n</body></html>", "502 Bad Gateway"),
        ("", ""),
        ("[1, 2]", "[1, 2]"),
    ],
)
def test_every_shape_of_an_error_gives_its_text(body: str, text: str) -> None:
    """The text for people is found in the shapes of Nova, Keystone and the load balancers and in plain text."""
    assert answered(400, body).text == text


def test_a_validation_failure_gives_the_precise_messages() -> None:
    """Of a validation failure the messages are given, not the general one around them (CLB docs, faults)."""
    body = '{"validationErrors": {"messages": ["a", "b"]}, "message": "Validation Failure", "code": 400}'

    assert answered(400, body).text == "a; b"


def test_a_long_text_is_shortened() -> None:
    """A page of HTML or a stack trace does not fill the screen."""
    assert len(answered(500, "word " * 1000).text) < 500


def test_the_request_id_is_kept() -> None:
    """What the cloud's support asks for is kept."""
    assert answered(500, "", x_compute_request_id="req-7").request_id == "req-7"


def test_the_query_is_no_part_of_the_path() -> None:
    """Rules look at the path alone."""
    assert answered(400, "").path == "/v2.1/servers"


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry_After": "17"}, "", 17),
        ({"Retry_After": "0"}, "", 1),
        ({"Retry_After": "999999999"}, "", 86_400),
        ({"Retry_After": "Mon, 02 Nov 2026 10:00:30 GMT", "Date": "Mon, 02 Nov 2026 10:00:00 GMT"}, "", 30),
        ({"Retry_After": "soon"}, "", 1),
        ({}, '{"overLimit": {"message": "OverLimit Retry...", "retryAfter": "9"}}', 9),
        (
            {"Date": "Mon, 02 Nov 2026 10:00:00 GMT"},
            '{"overLimit": {"message": "OverLimit Retry...", "retryAfter": "2026-11-02T10:00:05Z"}}',
            5,
        ),
    ],
)
def test_how_long_to_wait_is_read_wherever_it_stands(headers: dict[str, str], body: str, seconds: float) -> None:
    """Retry-After in seconds or as a date, or the same in an overLimit body; between 1 second and a day."""
    assert answered(413, body, **headers).retry_after == seconds


@pytest.mark.parametrize(
    ("headers", "body", "limited"),
    [
        ({"Retry_After": "1"}, "", True),
        ({}, '{"overLimit": {"message": "OverLimit Retry..."}}', True),
        ({}, '{"message": "Nodes must not exceed 25 per load balancer.", "code": 413}', False),
    ],
)
def test_trap_3_a_rate_limit_is_told_from_a_full_load_balancer(
    headers: dict[str, str], body: str, limited: bool
) -> None:
    """Of two answers 413 only the one with overLimit or Retry-After is about the rate of requests."""
    assert answered(413, body, **headers).rate_limited is limited
