import boto3
import pytest
from botocore.exceptions import ClientError

from tests.aws_rules.credential_scope import WRONG_SERVICE, wrong_region
from tools.local_cloud.caller import AccessKey, ApiCaller
from tools.local_cloud.stack import LocalStack

pytestmark = pytest.mark.e2e

MERCHANT_ROUTES = [
    ("POST", "/bindings"),
    ("GET", "/bindings/unknown"),
    ("GET", "/bindings?customerId=unknown"),
    ("GET", "/bindings/unknown/balance"),
    ("DELETE", "/bindings/unknown"),
    ("POST", "/bindings/unknown/otp"),
    ("POST", "/payments"),
    ("POST", "/payments/unknown/otp"),
    ("GET", "/payments/unknown"),
    ("POST", "/payments/unknown/refund"),
    ("GET", "/payments/unknown/refund"),
]
PUBLIC_ROUTES = [
    ("GET", "/bindings/return/unknown/success"),
    ("POST", "/doku/authorization/v1/access-token/b2b"),
    ("POST", "/doku/v1.0/debit/notify"),
    ("POST", "/doku/v1.0/registration-account-binding/notify"),
]


def body(method: str) -> dict[str, object] | None:
    return {} if method == "POST" else None


@pytest.mark.parametrize(("method", "path"), MERCHANT_ROUTES)
def test_a_merchant_route_refuses_who_does_not_sign_or_signs_wrongly(stack: LocalStack, method: str, path: str) -> None:
    forged = ApiCaller(stack.api_url, stack.cloud.region, AccessKey(stack.caller_key.key_id, "x" * 40))
    assert stack.unsigned().call(method, path, body(method)).status == 403
    assert forged.call(method, path, body(method)).status == 403


def test_a_signature_for_another_service_or_region_is_refused_as_aws_does(stack: LocalStack) -> None:
    for caller, words in (
        (ApiCaller(stack.api_url, stack.cloud.region, stack.caller_key, service="lambda"), WRONG_SERVICE),
        (ApiCaller(stack.api_url, "us-east-1", stack.caller_key), wrong_region("us-east-1")),
    ):
        answer = caller.call("GET", "/payments/unknown")
        assert (answer.status, answer.body["reason"]) == (403, words)
        assert answer.body["type"] == "/problems/invalid-signature"
        # A public route reads no signature: what answers is the function.
        assert "responseCode" in caller.call("POST", "/doku/v1.0/debit/notify", {}).body


@pytest.mark.parametrize(
    ("signed", "method", "path"),
    [
        (False, "GET", "/payments/unknown"),
        (False, "GET", "/nowhere"),
        (True, "GET", "/nowhere"),
        (True, "PATCH", "/payments"),
    ],
    ids=["not signed", "no route", "signed and no route", "no method"],
)
def test_what_the_gateway_answers_by_itself_is_a_problem_document(
    stack: LocalStack, signed: bool, method: str, path: str
) -> None:
    answer = (stack.signed() if signed else stack.unsigned()).call(method, path)
    assert (answer.status, answer.headers["content-type"]) == (403, "application/problem+json")
    assert answer.body["type"] == "/problems/not-signed-or-no-route"
    assert set(answer.body) == {"type", "title", "status", "detail", "reason", "requestId"}
    assert "Check method and path" in answer.body["detail"]


@pytest.mark.parametrize(("method", "path"), MERCHANT_ROUTES)
def test_a_signed_call_reaches_the_function(stack: LocalStack, method: str, path: str) -> None:
    answer = stack.signed().call(method, path, body(method))
    assert answer.status in {200, 400, 404, 422}
    assert "x-request-id" in answer.headers  # set by the function, not by the gateway


@pytest.mark.parametrize(("method", "path"), PUBLIC_ROUTES)
def test_a_public_route_reaches_the_function_without_a_signature(stack: LocalStack, method: str, path: str) -> None:
    answer = stack.unsigned().call(method, path, body(method))
    # Refused by the function's own check, not by the gateway (whose refusals are 403).
    assert answer.status in {302, 400, 401, 404, 422}


def test_the_caller_may_call_the_api_and_nothing_else(stack: LocalStack) -> None:
    session = boto3.Session(stack.caller_key.key_id, stack.caller_key.secret, region_name=stack.cloud.region)
    table = session.client("dynamodb", endpoint_url=stack.cloud.endpoint)
    with pytest.raises(ClientError, match="AccessDenied"):
        table.scan(TableName=stack.transactions_table)
    secrets = session.client("secretsmanager", endpoint_url=stack.cloud.endpoint)
    for secret in stack.secret_ids:
        with pytest.raises(ClientError, match="AccessDenied"):
            secrets.get_secret_value(SecretId=secret)


def test_each_secret_has_one_version_that_of_the_operator(stack: LocalStack) -> None:
    """The stack makes it without a value: nothing that a deployment could put back, and no placeholder from before."""
    assert len(stack.secret_ids) == 3
    for secret in stack.secret_ids:
        versions = stack.cloud.secrets().list_secret_version_ids(SecretId=secret)["Versions"]
        labels = [version["VersionStages"] for version in versions]
        assert [one for one in labels if one] == [["AWSCURRENT"]]  # tests that put one and took it back leave none
