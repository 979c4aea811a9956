"""What each function may do, written out: a wider right is a change of this file."""

import json
import re
from itertools import product

import pytest

from direct_debit.entrypoint.container import CALLS_DOKU
from tests.template.translation import (
    TEMPLATE,
    as_list,
    functions,
    name_of,
    resources,
    source,
    statements,
    translated,
)

# Actions that know no resource, each with its reason.
STAR_RESOURCES = {
    "xray:PutTraceSegments": "X-Ray has no resources",
    "xray:PutTelemetryRecords": "X-Ray has no resources",
    "states:SendTaskSuccess": "IAM knows no resource for task tokens",
    **dict.fromkeys(
        (
            "logs:CreateLogDelivery",
            "logs:GetLogDelivery",
            "logs:UpdateLogDelivery",
            "logs:DeleteLogDelivery",
            "logs:ListLogDeliveries",
            "logs:PutResourcePolicy",
            "logs:DescribeResourcePolicies",
            "logs:DescribeLogGroups",
        ),
        "a state machine's log goes through the delivery API, which has no resources",
    ),
}
# Policies of AWS's own that the transform attaches to its roles, each with its reason.
MANAGED = {
    "service-role/AWSLambdaBasicExecutionRole": "writing logs; the transform always adds it",
    "AWSXrayWriteOnlyAccess": "tracing is active; the transform adds it",
    "AWSXRayDaemonWriteAccess": "tracing is active; the transform adds it",
    "service-role/AmazonAPIGatewayPushToCloudWatchLogs": "API Gateway's own role for access logs",
}
HERE = "tests/template/test_permissions.py"
READ = "dynamodb:GetItem"
SECRET = "secretsmanager:GetSecretValue"
CONSUME = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"}

# The few functions whose rights are a promise: who may not touch money, secrets or queues.
WITHOUT_SECRET = {"AuthoriseCall", "ExplainProblem", "GetRefund", "ListPayments"}
DOOR = {"InboundSecret"}
DATA, BOTH = {"DataSecret"}, {"DataSecret", "SigningSecret"}
THREE = {"InboundSecret", "SigningSecret", "DataSecret"}
# Which parts of the credentials each function reads, where each part has a secret of its own.
PARTS: dict[str, set[str]] = {
    **dict.fromkeys(("IssueToken", "ReceivePaymentNotification", "ReceiveBindingNotification"), DOOR),
    # They open what the records keep sealed, or seal into them, and send nothing to DOKU.
    **dict.fromkeys(("GetBinding", "ListBindings", "RefundPayment", "ProcessNotification", "PublishEvents"), DATA),
    **dict.fromkeys(("BindAccount", "ReturnFromBinding", "GetBalance", "UnbindAccount", "ConfirmUnbinding"), BOTH),
    **dict.fromkeys(("MakePayment", "VerifyPaymentOtp", "GetPayment"), BOTH),
    **dict.fromkeys(("ProcessRefund", "InquireStatus", "ResolvePending"), BOTH),
}
# Whoever knows the address may call them.
PUBLIC = ("IssueToken", "ReceivePaymentNotification", "ReceiveBindingNotification", "ExplainProblem")
READ_ONLY = {"GetBinding", "ListBindings", "ListPayments", "GetRefund"}
WORKERS_LATER = {"StatusInquiryQueue", "RefundRetryQueue"}
SENDERS = {
    "MakePayment": WORKERS_LATER,
    "VerifyPaymentOtp": WORKERS_LATER,
    "GetPayment": WORKERS_LATER,
    "RefundPayment": {"RefundRetryQueue"},
    "ReceivePaymentNotification": {"NotificationQueue"},
    "ReceiveBindingNotification": {"NotificationQueue"},
    "ProcessNotification": WORKERS_LATER,
    "ProcessRefund": {"RefundRetryQueue"},
    "InquireStatus": WORKERS_LATER,
    "ResolvePending": {"NotificationQueue", *WORKERS_LATER},
    "PublishEvents": {"StreamFailureQueue"},
    "DeliverWebhook": {"WebhookQueueDead"},
}
# Who may create a record, and in which table.
CREATORS = {
    "BindAccount": {"Bindings"},
    "MakePayment": {"Transactions"},
    "ReceivePaymentNotification": {"Transactions"},
    "ReceiveBindingNotification": {"Transactions"},
    "PublishEvents": {"Transactions"},
    "ResolvePending": {"Transactions"},  # the history of what the stream did not tell
    "DeliverWebhook": {"WebhookLog"},
}
# Who may search, and what: never a whole table.
SEARCHERS = {
    "BindAccount": {"Bindings/index/customer"},
    "ListBindings": {f"Bindings/index/{name}" for name in ("customer", "day", "due")},
    "ListPayments": {f"Transactions/index/{name}" for name in ("customer", "day", "due", "dokuReference")},
    "GetPayment": {"Transactions"},
    "ProcessNotification": {"Bindings/index/customer"},
    "ResolvePending": {"Transactions", "Transactions/index/due", "Bindings/index/due"},
    "PublishEvents": {"Transactions"},
}
# Who may tell merchants and workflows what happened.
TELLERS = {"PublishEvents", "ResolvePending"}


def actions(function: str) -> set[str]:
    """All actions of a function's own policy."""
    return {a for role, s in statements() if role == f"{function}Role" for a in as_list(s["Action"])}


def _say(function: str, row: str, found: set[str]) -> str:
    """What to do where the template and a row of this file differ."""
    return (
        f"{function} has rights on {sorted(found)}: write that in {row} of {HERE} if it is meant, "
        "else change them in template.yaml"
    )


def test_each_function_has_a_role_of_its_own() -> None:
    roles = {name: function["Role"]["Fn::GetAtt"][0] for name, function in functions().items()}
    assert roles == {name: f"{name}Role" for name in functions()}


def test_no_statement_allows_a_wildcard() -> None:
    for role, statement in statements():
        for action in as_list(statement["Action"]):
            assert "*" not in action, f"{role} allows {action}"
            if as_list(statement["Resource"]) == ["*"]:
                assert action in STAR_RESOURCES, f"{role} allows {action} on everything"
        assert statement["Effect"] == "Allow"
        assert "NotAction" not in statement
        assert "NotResource" not in statement


def test_resources_are_references_never_written_out() -> None:
    for role, statement in statements():
        for resource in as_list(statement["Resource"]):
            if resource != "*":
                text = json.dumps(resource)
                assert isinstance(resource, dict), f"{role}: {resource}"
                assert "*" not in text, f"{role}: {text}"


def test_managed_policies_are_few_and_known() -> None:
    for name, role in resources("AWS::IAM::Role").items():
        for policy in role.get("ManagedPolicyArns", []):
            text = policy if isinstance(policy, str) else json.dumps(policy)
            assert any(text.rstrip('"}]').endswith(known) for known in MANAGED), f"{name}: {text}"


@pytest.mark.parametrize(
    "name", ["ProcessNotification", "ProcessRefund", "InquireStatus", "PublishEvents", "DeliverWebhook"]
)
def test_consumers_get_no_managed_policy_at_all(name: str) -> None:
    # The transform's policy for queues and streams is for every queue and stream of the account.
    assert "ManagedPolicyArns" not in resources("AWS::IAM::Role")[f"{name}Role"]


@pytest.mark.parametrize("name", sorted(functions()))
def test_only_those_who_need_it_read_the_secret(name: str) -> None:
    reads = SECRET in actions(name)
    may, row, right = (
        ("may", "take it off", "take the right away") if reads else ("may not", "add it to", "give it one")
    )
    assert reads == (name not in WITHOUT_SECRET), (
        f"{name} {may} read a secret: {row} WITHOUT_SECRET of {HERE} if that is meant, else {right} in template.yaml"
    )


def secrets_of(function: str, **chosen: str) -> set[str]:
    """The secrets that a function may read."""
    return {
        resource["Fn::GetAtt"][0]
        for role, statement in statements(translated(**chosen))
        if role == f"{function}Role" and SECRET in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


@pytest.mark.parametrize("name", sorted(functions()))
def test_each_secret_is_read_by_those_that_it_is_for(name: str) -> None:
    """Who speaks to a stranger's address knows neither DOKU's credentials nor any record."""
    parts = PARTS.get(name, set())
    one = {"WebhookSecret"} if name == "DeliverWebhook" else {"DokuCredentials"} if parts else set()
    three = {"WebhookSecret"} if name == "DeliverWebhook" else parts
    assert secrets_of(name) == secrets_of(name, SecretLayout="three") == three, _say(name, "PARTS", secrets_of(name))
    assert secrets_of(name, SecretLayout="one") == one
    for layout in ("one", "three"):
        assert secrets_of(name, SecretLayout=layout, SecretLayoutChanges="true") == one | three


def test_what_the_functions_read_is_what_there_is() -> None:
    """While the layout changes, the secrets of both are there and those of the layout are read."""
    for layout, changes in product(("one", "three"), ("false", "true")):
        chosen = {"SecretLayout": layout, "SecretLayoutChanges": changes}
        read = {
            variables[f"{part}_SECRET_ID"]["Fn::GetAtt"][0]
            for part in ("INBOUND", "SIGNING", "DATA")
            for variables in [functions(translated(**chosen))["MakePayment"]["Environment"]["Variables"]]
        }
        assert read == ({"DokuCredentials"} if layout == "one" else THREE)
        conditions = source()["Conditions"]
        for name, of in (("HasOneSecret", "one"), ("HasThreeSecrets", "three")):
            assert conditions[name] == {
                "Fn::Or": [
                    {"Fn::Equals": [{"Ref": "SecretLayout"}, of]},
                    {"Fn::Equals": [{"Ref": "SecretLayoutChanges"}, "true"]},
                ]
            }
        made = {name: translated()["Resources"][name]["Condition"] for name in ("DokuCredentials", *THREE)}
        assert made == {"DokuCredentials": "HasOneSecret"} | dict.fromkeys(THREE, "HasThreeSecrets")


@pytest.mark.parametrize("name", sorted(functions()))
def test_a_front_door_that_loads_a_part_s_reader_is_its_function_s(name: str) -> None:
    """What a function's front door says that it uses, its role may read."""
    folder = source()["Resources"][name]["Properties"]["CodeUri"]
    text = (TEMPLATE.parent / folder / "handler.py").read_text()
    used = set(CALLS_DOKU) if "CALLS_DOKU" in text else set()
    used |= set(re.findall(r'"(\w+)"', text))
    variables = functions(translated(SecretLayout="three"))[name]["Environment"]["Variables"]
    needs = {"inbound": "INBOUND_SECRET_ID", "doku": "SIGNING_SECRET_ID", "vault": "DATA_SECRET_ID"}
    read = {variables[variable]["Fn::GetAtt"][0] for port, variable in needs.items() if port in used}
    assert read <= PARTS.get(name, set())


@pytest.mark.parametrize("name", PUBLIC)
def test_who_anybody_may_call_reads_neither_what_signs_nor_what_opens_records(name: str) -> None:
    assert secrets_of(name, SecretLayout="three") <= {"InboundSecret"}


def test_who_sends_webhooks_reads_no_record() -> None:
    on_tables = {action for action in actions("DeliverWebhook") if action.startswith("dynamodb:")}
    assert on_tables == {"dynamodb:PutItem"}


@pytest.mark.parametrize("name", sorted(READ_ONLY))
def test_readers_can_not_write(name: str) -> None:
    verbs = {action for action in actions(name) if action.startswith(("dynamodb:", "sqs:", "events:"))}
    assert verbs <= {READ, "dynamodb:Query"}


@pytest.mark.parametrize("name", sorted(functions()))
def test_messages_go_to_named_queues_only(name: str) -> None:
    targets = {
        resource["Fn::GetAtt"][0]
        for role, statement in statements()
        if role == f"{name}Role" and "sqs:SendMessage" in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }
    assert targets == SENDERS.get(name, set()), _say(name, "SENDERS", targets)


@pytest.mark.parametrize("name", sorted(functions()))
def test_only_workers_take_messages(name: str) -> None:
    worker = name in {"ProcessNotification", "ProcessRefund", "InquireStatus", "DeliverWebhook"}
    assert (actions(name) & CONSUME) == (CONSUME if worker else set())


@pytest.mark.parametrize("name", sorted(functions()))
def test_nobody_scans_deletes_payments_or_administers(name: str) -> None:
    for role, statement in statements():
        if role != f"{name}Role":
            continue
        on_payments = "Transactions" in json.dumps(statement["Resource"])
        for action in as_list(statement["Action"]):
            assert action != "dynamodb:Scan"
            assert not (action == "dynamodb:DeleteItem" and on_payments)
            assert action.split(":")[0] in {"dynamodb", "sqs", "secretsmanager", "events", "logs", "xray", "states"}


def tables(function: str, action: str) -> set[str]:
    """The tables, or indexes of tables, on which a function may do this."""
    return {
        name_of(resource)
        for role, statement in statements()
        if role == f"{function}Role" and action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


@pytest.mark.parametrize("name", ["MakePayment", "UnbindAccount", "ConfirmUnbinding", *sorted(TELLERS)])
def test_who_writes_only_where_another_record_stands_so_may_check_it(name: str) -> None:
    # A key with a reference; an account that is let go: the transaction checks a payment that it does not write.
    assert "Transactions" in tables(name, "dynamodb:ConditionCheckItem")


@pytest.mark.parametrize("name", sorted(functions()))
def test_only_those_who_begin_something_create_records(name: str) -> None:
    found = tables(name, "dynamodb:PutItem")
    assert found == CREATORS.get(name, set()), _say(name, "CREATORS", found)


@pytest.mark.parametrize("name", sorted(functions()))
def test_only_those_who_look_for_something_search(name: str) -> None:
    found = tables(name, "dynamodb:Query")
    assert found == SEARCHERS.get(name, set()), _say(name, "SEARCHERS", found)


@pytest.mark.parametrize("name", sorted(functions()))
def test_only_those_who_tell_news_may_publish(name: str) -> None:
    assert ("events:PutEvents" in actions(name)) == (name in TELLERS)
    assert "states:SendTaskSuccess" in actions(name) or name not in TELLERS


@pytest.mark.parametrize(
    "name", ["MakePayment", "VerifyPaymentOtp", "RefundPayment", "ProcessRefund", "InquireStatus", *sorted(TELLERS)]
)
def test_who_moves_money_or_lets_its_account_go_may_change_the_payment_and_its_binding(name: str) -> None:
    # A transaction is authorised by its items' own actions; the binding holds the tokens and the open payments.
    assert tables(name, "dynamodb:UpdateItem") == {"Bindings", "Transactions"}
