"""What each function may do, written out: a wider right is a change of this file."""

import json

import pytest

from tests.template.translation import as_list, functions, name_of, resources, statements

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
READ = "dynamodb:GetItem"
SECRET = "secretsmanager:GetSecretValue"
CONSUME = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"}

# The few functions whose rights are a promise: who may not touch money, secrets or queues.
WITHOUT_SECRET = {"AuthoriseCall", "ExplainProblem", "GetRefund", "ListPayments"}
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
    assert (SECRET in actions(name)) == (name not in WITHOUT_SECRET)


@pytest.mark.parametrize("name", sorted(functions()))
def test_each_secret_is_read_by_those_that_it_is_for(name: str) -> None:
    """Who speaks to a stranger's address knows neither DOKU's credentials nor any record."""
    read = {
        resource["Fn::GetAtt"][0]
        for role, statement in statements()
        if role == f"{name}Role" and SECRET in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }
    expected = {"WebhookSecret"} if name == "DeliverWebhook" else {"DokuCredentials"}
    assert read == (set() if name in WITHOUT_SECRET else expected)


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
    assert targets == SENDERS.get(name, set())


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
    assert tables(name, "dynamodb:PutItem") == CREATORS.get(name, set())


@pytest.mark.parametrize("name", sorted(functions()))
def test_only_those_who_look_for_something_search(name: str) -> None:
    assert tables(name, "dynamodb:Query") == SEARCHERS.get(name, set())


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
