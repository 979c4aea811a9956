"""From problem documents to errors."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from direct_debit_client import errors
from direct_debit_client.calls import Reply
from direct_debit_client.problems import find_slug, known_problems, read_problem

ERRORS_PAGE = Path(__file__).parents[3] / "docs" / "errors.md"


def reply(status: int, document: object = None, **headers: str) -> Reply:
    return Reply(
        status, {name.replace("_", "-"): value for name, value in headers.items()}, json.dumps(document).encode()
    )


def test_each_error_of_the_documents_page_is_known() -> None:
    page = ERRORS_PAGE.read_text("utf-8")
    rows = re.findall(
        r'^\| <a id="([a-z-]+)"></a>\[?`[^`]+`[^|]* \| (\d+) \| `(\w+)` \| .* \| (.+) \|$', page, re.MULTILINE
    )
    assert len(rows) >= 20
    assert {slug: (kind.name, kind.remedy) for slug, kind in known_problems().items()} == {
        slug: (name, remedy) for slug, _, name, remedy in rows
    }
    for slug, status, name, _ in rows:
        error = read_problem(reply(int(status), {"type": f"/problems/{slug}"}))
        assert (type(error).__name__, error.slug) == (name, slug)


@pytest.mark.parametrize(
    ("type_", "slug"),
    [
        ("/problems/otp-wrong", "otp-wrong"),
        ("https://pay.example/v1/problems/otp-wrong", "otp-wrong"),
        ("https://pay.example/problems/otp-wrong/", "otp-wrong"),
        ("https://pay.example/problems/otp-wrong?lang=id#top", "otp-wrong"),
        ("about:blank", None),
        ("", None),
    ],
)
def test_the_slug_is_the_last_segment(type_: str, slug: str | None) -> None:
    assert find_slug(type_) == slug


def test_everything_that_a_problem_tells() -> None:
    error = read_problem(
        reply(
            422,
            {
                "type": "/problems/invalid-field",
                "title": "A field breaks a rule",
                "status": 422,
                "detail": "amount.value: send a string",
                "field": "amount.value",
                "errors": [
                    {"pointer": "/amount/value", "detail": "send a string", "came": "a number", "example": "10000.00"},
                    {"pointer": "/limit", "detail": "1 to 100", "in": "query", "added-later": True},
                ],
                "responseCode": "4000001",
                "requestId": "r1",
                "added-later": {},
            },
            retry_after="3",
        )
    )
    assert isinstance(error, errors.InvalidRequest)
    assert (error.status, error.slug, error.title) == (422, "invalid-field", "A field breaks a rule")
    assert error.errors == (
        errors.FieldError("/amount/value", "send a string", "a number", "10000.00"),
        errors.FieldError("/limit", "1 to 100", place="query"),
    )
    assert (error.field, error.response_code, error.request_id, error.retry_after) == (
        "amount.value",
        "4000001",
        "r1",
        3,
    )
    assert error.remedy == "Correct the field. Nothing was written and nothing was sent."
    assert str(error) == (
        "[422, invalid-field, DOKU 4000001] amount.value: send a string; /limit: 1 to 100"
        " - Correct the field. Nothing was written and nothing was sent. (request r1)"
    )


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (reply(403, {"message": "Forbidden"}, x_amzn_requestid="gw"), errors.NotAllowed),
        (reply(401, {"type": "about:blank", "detail": "Unauthorized"}, x_amzn_requestid="gw"), errors.NotAllowed),
        (reply(429, None, x_amzn_requestid="gw"), errors.Throttled),
        (reply(500, "Internal server error", x_amzn_requestid="gw"), errors.InternalError),
        (reply(418, {"type": "/problems/added-later"}, x_amzn_requestid="gw"), errors.ProblemError),
        (reply(503, {"type": "/problems/added-later"}, x_amzn_requestid="gw"), errors.InternalError),
    ],
)
def test_gateways_and_what_is_added_later(answer: Reply, kind: type[errors.ProblemError]) -> None:
    error = read_problem(answer)
    assert type(error) is kind
    assert error.request_id == "gw"
    assert error.remedy


@pytest.mark.parametrize(
    ("text", "seconds"), [("7", 7.0), ("", None), ("Fri, 27 Nov 2026 12:00:00 GMT", None), ("-1", None)]
)
def test_retry_after(text: str, seconds: float | None) -> None:
    assert read_problem(reply(503, {}, retry_after=text)).retry_after == seconds
