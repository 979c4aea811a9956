"""Which clients a function gets."""

import pytest

from direct_debit.adapters.aws.botocore_clients import BotocoreClients
from direct_debit.adapters.aws.clients import make_clients
from direct_debit.adapters.aws.direct_clients import DirectClients
from direct_debit.adapters.clock import SystemClock
from direct_debit.adapters.ids import SystemIds
from tests.unit.adapters.aws.test_endpoints import USUAL


def test_the_usual_surroundings_are_spoken_to_directly() -> None:
    assert isinstance(make_clients(USUAL, "direct", SystemClock(), SystemIds()), DirectClients)


def test_an_operator_may_ask_for_botocore() -> None:
    assert isinstance(make_clients(USUAL, "botocore", SystemClock(), SystemIds()), BotocoreClients)


def test_what_is_unusual_is_botocores() -> None:
    proxied = {**USUAL, "HTTPS_PROXY": "http://proxy.example"}
    assert isinstance(make_clients(proxied, "direct", SystemClock(), SystemIds()), BotocoreClients)


@pytest.mark.usefixtures("socket_disabled")
def test_making_clients_asks_nobody_and_each_is_made_once() -> None:
    clients = make_clients(USUAL, "direct", SystemClock(), SystemIds())
    for name in ("dynamodb", "sqs", "events", "stepfunctions", "secrets"):
        assert getattr(clients, name) is getattr(clients, name)
