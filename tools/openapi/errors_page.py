"""docs/errors.md."""

from collections.abc import Iterator

from direct_debit.entrypoint.errors import PROBLEMS
from direct_debit.entrypoint.views.decline import CAUSES, EXPLANATIONS
from tools.gateway_answers import read_gateway_answers
from tools.openapi.problems import CATCH_NAMES, show_example

_HEAD = """\
# Errors

<!-- Written by `make openapi` from direct_debit/entrypoint/errors.py. -->

HTTP callers get `application/problem+json` (RFC 9457) with `type`, `title`, `status`, `detail`, `requestId` and, where
they apply, `field` (the JSON path of what is wrong), `errors` (all fields that are wrong) and `responseCode` (DOKU's).

`type` is the address of a page that explains the problem: `https://…/problems/otp-wrong`. The host is that of your
deployment (or of the parameter `ProblemTypeBase`); **the last part never changes: branch on it**. Plain commands (Step
Functions, `aws lambda invoke`) get an exception with the class name given here.

Not errors: a declined payment (201, `state: FAILED` with `failure`), and an unknown outcome (202, `state: UNKNOWN`).

| Last part of `type` | Status | Name for `Catch` | When | What to do |
|---|---|---|---|---|"""
_GATEWAY = """
A workflow may retry `NotDone`, `CircuitOpen` and `StoreUnavailable`: with the same `partnerReferenceNo` these are safe
to repeat. Never put a blanket retry around a step that moves money.

## What API Gateway answers itself

Before this service is asked, or instead of it. The form is the same; `reason` has API Gateway's own words, and there is
no `X-Request-Id` but `x-amzn-RequestId`. `type` has no host here: its page is at your deployment's address of problems,
by the same last part. Where no status is given, the answer has the status of its kind. 504: the outcome is unknown; all
others: nothing was done.

| Last part of `type` | Status | API Gateway's kind | What it says, and what to do |
|---|---|---|---|"""
_GATEWAY_FOOT = """
## Examples

Recorded answers, one for each problem.
"""
_CAUSES_HEAD = """\
## Why a payment failed

A declined payment is an answer, not an error: `failure` says why. `cause` is stable, and `customerMessage` has these
sentences; show the one in your customer's language, or write your own by `cause`. A cause that you do not know: treat
it as `declined`. Whoever mends it, the next try is a new payment with a new reference.

| `cause` | `mendedBy` | `customerMessage.id` | `customerMessage.en` | DOKU's codes |
|---|---|---|---|---|"""


def write_errors() -> str:
    """Return the page."""
    return "\n".join([_HEAD, *_problems(), _GATEWAY, *_gateway(), _GATEWAY_FOOT, *_examples(), *_causes()])


def _problems() -> Iterator[str]:
    for kind in PROBLEMS.values():
        yield (
            f'| <a id="{kind.slug}"></a>[`{kind.slug}`](#example-{kind.slug}) | {kind.status} '
            f"| `{CATCH_NAMES[kind.slug]}` | {kind.when} | {kind.remedy} |"
        )


def _gateway() -> Iterator[str]:
    for answer in read_gateway_answers():
        status = answer.status or answer.kind.removeprefix("DEFAULT_").lower()
        yield f"| `{answer.slug}` | {status} | `{answer.kind}` | {answer.title}. {answer.detail} |"


def _examples() -> Iterator[str]:
    for slug in PROBLEMS:
        yield f"### Example: {slug}\n\n```http\n{show_example(slug)}\n```\n"


def _causes() -> Iterator[str]:
    yield _CAUSES_HEAD
    for cause, told in EXPLANATIONS.items():
        codes = ", ".join(f"{http}xx{case}" for (http, case), known in CAUSES.items() if known is cause)
        yield f"| `{cause}` | {told.mended_by} | {told.indonesian} | {told.english} | {codes or '-'} |"
    yield ""
