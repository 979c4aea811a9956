import pytest

from tests.template.translation import source
from tests.unit.deploy.stubs import Stubbed, stubbed
from tools.deploy.account import check_account, most_at_once
from tools.deploy.failure import DeployError
from tools.deploy.parameters import DEPLOYED_BY

VALUES = {"WorkerConcurrency": "5", DEPLOYED_BY: "true"}


def check(stub: Stubbed, quota: int) -> None:
    stub.functions.add_response("get_account_settings", {"AccountLimit": {"UnreservedConcurrentExecutions": quota}})
    check_account(stub.clients, "ap-southeast-3", source(), VALUES)


def test_the_consumers_alone_are_more_than_a_new_account_allows() -> None:
    needed = most_at_once(source(), VALUES)
    assert needed == 3 * 5 + 2 * 4 * 10 + 1, "three workers, two streams of four shards in ten parts, the sweep"
    assert most_at_once(source(), {**VALUES, "WorkerConcurrency": "6"}) == needed + 3
    webhooks = {"WebhookUrl": "https://shop.example/webhooks", "WebhookConcurrency": "7"}
    assert most_at_once(source(), VALUES | webhooks) == needed + 7


def test_a_new_account_is_told_what_to_ask_for() -> None:
    with stubbed() as stub, pytest.raises(DeployError, match="request-service-quota-increase"):
        check(stub, 10)
    with stubbed() as stub:
        check(stub, 1000)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("UnrecognizedClientException", "is the region enabled"),
        ("AccessDeniedException", "can not be read: AccessDeniedException"),
    ],
)
def test_a_refusal_is_explained(code: str, told: str) -> None:
    with stubbed() as stub:
        stub.functions.add_client_error("get_account_settings", code)
        with pytest.raises(DeployError, match=told):
            check_account(stub.clients, "ap-southeast-3", source(), VALUES)
