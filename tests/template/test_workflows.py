import copy
from collections.abc import Callable

import pytest

from direct_debit.entrypoint.operations.make_payment import MakePaymentRequest
from tests.template.translation import Json, as_list, resources, source, statements, translated
from tests.template.workflow_rules import FULFILMENT, MONEY, find_faults, read

NAMES = ("link_account", "collect_payment")
MACHINES = {"LinkAccount": "link_account", "CollectPayment": "collect_payment"}
DELIVERY = "DeliverLogs"


@pytest.mark.parametrize("name", NAMES)
def test_the_workflow_keeps_the_rules(name: str) -> None:
    assert find_faults(read(name)) == []


def no_timeout(definition: Json) -> None:
    del definition["States"]["PayAndWait"]["TimeoutSeconds"]


def no_bound_of_the_wait(definition: Json) -> None:
    definition["States"]["PayAndWait"]["TimeoutSeconds"] = "{% $states.input.seconds %}"


def no_timeout_of_all(definition: Json) -> None:
    del definition["TimeoutSeconds"]


def no_comment(definition: Json) -> None:
    definition["States"]["Paid"]["Comment"] = ""


def function_itself(definition: Json) -> None:
    definition["States"]["PayAndWait"]["Arguments"]["FunctionName"] = "${MakePaymentFunctionArn}"


def written_out(definition: Json) -> None:
    definition["States"]["ReadPayment"]["Arguments"]["FunctionName"] = "direct-debit-get-payment"


def blanket_retry(definition: Json) -> None:
    definition["States"]["PayAndWait"]["Retry"][0]["ErrorEquals"] = ["States.ALL"]


def blanket_retry_of_failures(definition: Json) -> None:
    definition["States"]["RefundPayment"]["Retry"][0]["ErrorEquals"] = ["States.TaskFailed"]


def retry_of_a_timeout(definition: Json) -> None:
    definition["States"]["PayAndWait"]["Retry"][0]["ErrorEquals"].append("States.Timeout")


def retry_of_an_unnamed_error(definition: Json) -> None:
    definition["States"]["ReadPayment"]["Retry"][0]["ErrorEquals"].append("InternalError")


def retry_without_jitter(definition: Json) -> None:
    del definition["States"]["ReadPayment"]["Retry"][0]["JitterStrategy"]


def retry_without_bound(definition: Json) -> None:
    del definition["States"]["ReadPayment"]["Retry"][0]["MaxDelaySeconds"]


def money_without_a_look(definition: Json) -> None:
    definition["States"]["PayAndWait"]["Catch"].pop()


def otp_in_a_state(definition: Json) -> None:
    definition["States"]["TakeOrder"]["Output"] = {"otp": "{% $states.input.otp %}"}


def everything_handed_on(definition: Json) -> None:
    del definition["States"]["ReadPayment"]["Output"]


def error_text_handed_on(definition: Json) -> None:
    del definition["States"]["ReadPayment"]["Catch"][0]["Output"]


def answered_in_full(definition: Json) -> None:
    del definition["States"]["ReadRefund"]["Arguments"]["Payload"]["brief"]


def balance_in_the_history(definition: Json) -> None:
    definition["States"]["ReadBalance"]["Arguments"]["Payload"] = "{% {'bindingId': $payment.bindingId} %}"


def next_is_nowhere(definition: Json) -> None:
    definition["States"]["ReadPayment"]["Next"] = "Decide"


def orphan(definition: Json) -> None:
    definition["States"]["Forgotten"] = {"Type": "Succeed", "Comment": "nobody comes here"}


PLANTED: tuple[tuple[Callable[[Json], None], str], ...] = (
    (no_timeout, "PayAndWait has no TimeoutSeconds"),
    (no_bound_of_the_wait, "PayAndWait has no TimeoutSeconds"),
    (no_timeout_of_all, "the workflow has no TimeoutSeconds"),
    (no_comment, "Paid has no Comment"),
    (function_itself, "is no alias"),
    (written_out, "is no alias"),
    (blanket_retry, "PayAndWait moves money and is repeated on ['States.ALL']"),
    (blanket_retry_of_failures, "RefundPayment moves money and is repeated on ['States.TaskFailed']"),
    (retry_of_a_timeout, "PayAndWait is repeated on States.Timeout"),
    (retry_of_an_unnamed_error, "ReadPayment is repeated on InternalError"),
    (retry_without_jitter, "without jitter"),
    (retry_without_bound, "without jitter or bound"),
    (money_without_a_look, "does not look after an unforeseen error"),
    (otp_in_a_state, "TakeOrder passes otp on"),
    (everything_handed_on, "ReadPayment passes otp on"),
    (error_text_handed_on, "ReadPayment passes otp on"),
    (answered_in_full, "ReadRefund is answered in full"),
    (balance_in_the_history, "ReadBalance is answered in full"),
    (next_is_nowhere, "which is no state"),
    (orphan, "Forgotten is never reached"),
)


@pytest.mark.parametrize(("plant", "words"), PLANTED, ids=lambda part: getattr(part, "__name__", ""))
def test_a_planted_fault_is_found(plant: Callable[[Json], None], words: str) -> None:
    definition = copy.deepcopy(read("collect_payment"))
    plant(definition)
    assert [fault for fault in find_faults(definition) if words in fault]


def test_the_phone_goes_to_the_function_and_no_further() -> None:
    definition = copy.deepcopy(read("link_account"))
    definition["States"]["BindAndWait"]["Output"]["phone"] = "{% $states.input.phone %}"
    assert "BindAndWait passes phone on" in find_faults(definition)


def test_every_field_of_a_payment_is_taken_from_the_workflows_input() -> None:
    taken = read("collect_payment")["States"]["TakeOrder"]["Assign"]["payment"]
    own = {"partnerReferenceNo", "taskToken"}  # the execution's name, and the waiting task's
    fields = {str(info.alias) for info in MakePaymentRequest.model_fields.values()} - own
    forgotten = {name for name in fields if f"'{name}': $states.input.{name}" not in taken}
    assert not forgotten, (
        f"workflows/collect_payment.asl.json, TakeOrder: take {sorted(forgotten)} from the input, as those "
        "beside it are, and name it in the workflow's Comment"
    )


def test_both_workflows_touch_money_through_the_expected_steps_only() -> None:
    targets = {
        state["Arguments"]["FunctionName"].removeprefix("${").removesuffix("Alias}")
        for name in NAMES
        for state in read(name)["States"].values()
        if state["Type"] == "Task"
    }
    assert targets & MONEY == {"MakePayment", "RefundPayment"}


@pytest.mark.parametrize("logical_id", MACHINES)
def test_the_machine_is_standard_traced_and_logs_errors_without_data(logical_id: str) -> None:
    machine = resources("AWS::StepFunctions::StateMachine")[logical_id]
    assert machine["StateMachineType"] == "STANDARD"
    assert machine["TracingConfiguration"] == {"Enabled": True}
    logging = machine["LoggingConfiguration"]
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ERROR", False)
    (destination,) = logging["Destinations"]
    assert destination["CloudWatchLogsLogGroup"]["LogGroupArn"] == {"Fn::GetAtt": [f"{logical_id}Logs", "Arn"]}
    group = resources("AWS::Logs::LogGroup")[f"{logical_id}Logs"]
    assert group["LogGroupName"]["Fn::Sub"].startswith("/aws/vendedlogs/states/")


@pytest.mark.parametrize(("logical_id", "name"), MACHINES.items())
def test_every_placeholder_is_filled_with_an_alias_or_a_parameter(logical_id: str, name: str) -> None:
    filled = resources("AWS::StepFunctions::StateMachine")[logical_id]["DefinitionSubstitutions"]
    text = (source()["Resources"][logical_id]["Properties"]["DefinitionUri"], str(read(name)))
    assert text[0] == f"workflows/{name}.asl.json"
    for placeholder, value in filled.items():
        assert f"${{{placeholder}}}" in text[1], placeholder
        if placeholder.endswith("Alias"):
            assert value == {"Ref": f"{placeholder.removesuffix('Alias')}Aliaslive"}
        elif placeholder != FULFILMENT:
            assert value["Ref"] in source()["Parameters"]
    assert text[1].count("${") == sum(text[1].count(f"${{{placeholder}}}") for placeholder in filled)


@pytest.mark.parametrize("logical_id", MACHINES)
def test_the_machine_may_invoke_its_aliases_and_nothing_else(logical_id: str) -> None:
    filled = resources("AWS::StepFunctions::StateMachine")[logical_id]["DefinitionSubstitutions"]
    wanted = [value for name, value in filled.items() if name.endswith("Alias") or name == FULFILMENT]
    for role, statement in statements():
        if role != f"{logical_id}Role" or statement["Sid"] == DELIVERY:
            continue
        assert as_list(statement["Action"]) == ["lambda:InvokeFunction"]
        assert sorted(map(str, statement["Resource"])) == sorted(map(str, wanted))


def test_only_those_whose_use_case_ends_a_wait_may_complete_tasks() -> None:
    completing = {role for role, statement in statements() if "states:SendTaskSuccess" in as_list(statement["Action"])}
    assert completing == {"BindAccountRole", "MakePaymentRole", "PublishEventsRole", "ResolvePendingRole"}


def test_fulfilment_is_named_by_alias_or_version() -> None:
    pattern = source()["Parameters"]["FulfilmentFunctionArn"]["AllowedPattern"]
    assert pattern.endswith(":function:[A-Za-z0-9_-]+:[A-Za-z0-9_-]+$")
    assert translated()["Outputs"]["CollectPaymentArn"]["Value"] == {"Ref": "CollectPayment"}
