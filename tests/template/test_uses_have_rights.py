"""What a front door says that it uses, its role may touch at all: a function whose rights were forgotten fails here.

The least of each port, not all that it takes: that is for tests/template/test_rights_suffice.py, which lives stories.
"""

from collections.abc import Mapping

import pytest

from tests.template.test_rights_suffice import rights
from tests.unit.entrypoint.test_uses import FUNCTIONS, said

# For each port, actions and the beginning of resources: one of them is the least.
LEAST: Mapping[str, tuple[tuple[str, str], ...]] = {
    "vault": (("secretsmanager:GetSecretValue", "DataSecret"), ("secretsmanager:GetSecretValue", "InboundSecret")),
    "bindings": (("dynamodb:", "Bindings"),),
    "payments": (("dynamodb:", "Transactions"),),
    "inbox": (("dynamodb:", "Transactions:INBOX"),),
    "b2b_tokens": (("dynamodb:", "Bindings:TOKEN"),),
    "circuit": (("dynamodb:", "Transactions:CIRCUIT"),),
    "doku": (("secretsmanager:GetSecretValue", "SigningSecret"),),
    "queues": (("sqs:SendMessage", ""),),
    "events": (("events:PutEvents", ""),),
    "workflows": (("states:SendTaskSuccess", ""),),
    "inbound": (("secretsmanager:GetSecretValue", "InboundSecret"),),
}
# A customer's code is changed for a token without the shared one, and whatever the circuit is.
NEEDLESS = {("return_from_binding", "b2b_tokens"), ("return_from_binding", "circuit")}
CASES = sorted({(function, port) for function in FUNCTIONS for port in said(function)} - NEEDLESS)


@pytest.mark.parametrize(("function", "port"), CASES)
def test_a_function_may_touch_what_it_uses(function: str, port: str) -> None:
    name = "".join(part.capitalize() for part in function.split("_"))
    held = [(action, resource) for who, action, resource in rights() if who == name]
    least = LEAST[port]
    assert any(action.startswith(may) and on.startswith(where) for action, on in held for may, where in least), (
        f"template.yaml, Policies of {name}: functions/{function}/handler.py uses {port}, and the role has no right on "
        + " or ".join(f"{where or '...'} ({may}...)" for may, where in least)
    )
