"""What every alarm has to keep: the rules by which tests/template/test_alarms.py judges them.

A misspelt name or a missing dimension is no error anywhere: such an alarm is deployed, and never rings.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from direct_debit.application.ports.telemetry import Metric

type Json = dict[str, Any]

_AWS = "https://docs.aws.amazon.com"
_LAMBDA = f"{_AWS}/lambda/latest/dg/monitoring-metrics-types.html"
_SQS = f"{_AWS}/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html"
_STATES = f"{_AWS}/step-functions/latest/dg/procedure-cw-metrics.html"
_EVENTS = f"{_AWS}/eventbridge/latest/userguide/eb-monitoring.html"
_FILTERED = f"{_AWS}/AmazonCloudWatch/latest/logs/MonitoringLogData.html"
_GATEWAY = f"{_AWS}/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html"
# Of our own metrics: what Powertools writes (direct_debit.entrypoint.observability).
_OURS = "direct_debit.application.ports.telemetry.Metric"

_NAMESPACE = {"Fn::Sub": "DirectDebit/${AWS::StackName}"}
_TOPIC = [{"Ref": "AlarmTopic"}]
# CloudWatch evaluates over a day at most.
_LONGEST_SECONDS = 86400
# Dimensions whose value is what a reference to a resource gives: its name or ARN.
_REFERENCES = {
    "FunctionName": "AWS::Lambda::Function",
    "StateMachineArn": "AWS::StepFunctions::StateMachine",
    "RuleName": "AWS::Events::Rule",
}
_FUNCTION, _QUEUE, _MACHINE = ("FunctionName",), ("QueueName",), ("StateMachineArn",)


@dataclass(frozen=True, slots=True)
class Documented:
    """What is documented of a metric: the statistic that means something, all its dimensions, and where it says so."""

    statistic: str
    dimensions: tuple[str, ...]
    source: str


DOCUMENTED: Mapping[tuple[str, str], Documented] = {
    ("AWS/Lambda", "Invocations"): Documented("Sum", _FUNCTION, _LAMBDA),
    ("AWS/Lambda", "Errors"): Documented("Sum", _FUNCTION, _LAMBDA),
    ("AWS/Lambda", "Throttles"): Documented("Sum", _FUNCTION, _LAMBDA),
    ("AWS/Lambda", "AsyncEventsDropped"): Documented("Sum", _FUNCTION, _LAMBDA),
    # Milliseconds.
    ("AWS/Lambda", "IteratorAge"): Documented("Maximum", _FUNCTION, _LAMBDA),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): Documented("Maximum", _QUEUE, _SQS),
    # Seconds.
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): Documented("Maximum", _QUEUE, _SQS),
    ("AWS/States", "ExecutionsFailed"): Documented("Sum", _MACHINE, _STATES),
    ("AWS/States", "ExecutionsTimedOut"): Documented("Sum", _MACHINE, _STATES),
    ("AWS/States", "ExecutionsAborted"): Documented("Sum", _MACHINE, _STATES),
    # Of a rule of the default bus; one of another bus is kept under EventBusName as well.
    ("AWS/Events", "FailedInvocations"): Documented("Sum", ("RuleName",), _EVENTS),
    ("AWS/ApiGateway", "5XXError"): Documented("Sum", ("ApiName", "Stage"), _GATEWAY),
    **{(str(_NAMESPACE), metric.value): Documented("Sum", ("service",), _OURS) for metric in Metric},
}


def find_faults(template: Json) -> list[str]:
    """What is wrong with the alarms of a translated template; the alarm's name comes first."""
    return [
        f"{name} {fault}"
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
        for fault in _faults_of(resource["Properties"], template)
    ]


def _faults_of(alarm: Json, template: Json) -> Iterator[str]:
    metric = str(alarm["Namespace"]), alarm["MetricName"]
    documented = DOCUMENTED.get(metric) or filtered_metrics(template).get(metric)
    if documented is None:
        yield f"watches {alarm['MetricName']}, which is not documented of {alarm['Namespace']}"
        return
    dimensions = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
    if tuple(sorted(dimensions)) != tuple(sorted(documented.dimensions)):
        yield f"has other dimensions than {documented.dimensions}"
    for name, value in dimensions.items():
        if not _exists(name, value, template):
            yield f"has a {name} that nothing of this template has"
    if alarm["Statistic"] != documented.statistic:
        yield f"takes the {alarm['Statistic']}, which means nothing here"
    silence = alarm["ComparisonOperator"] == "LessThanThreshold"
    if alarm.get("TreatMissingData") != ("breaching" if silence else "notBreaching"):
        yield "takes missing data for the wrong thing"
    if alarm["Period"] % 60 or alarm["Period"] * alarm["EvaluationPeriods"] > _LONGEST_SECONDS:
        yield "has a period that CloudWatch does not evaluate"
    if alarm.get("AlarmActions") != _TOPIC or alarm.get("OKActions") != _TOPIC:
        yield "is heard by nobody"
    if not alarm.get("AlarmDescription"):
        yield "says nothing"


def filtered_metrics(template: Json) -> dict[tuple[str, str], Documented]:
    """The metrics that this template's filters make of its logs' lines, with no dimensions but the filter's own."""
    transformations = [
        one
        for properties in _of_type("AWS::Logs::MetricFilter", template).values()
        for one in properties["MetricTransformations"]
    ]
    return {
        (str(one["MetricNamespace"]), one["MetricName"]): Documented(
            "Sum", tuple(dimension["Key"] for dimension in one.get("Dimensions", [])), _FILTERED
        )
        for one in transformations
    }


def _exists(dimension: str, value: object, template: Json) -> bool:
    """Whether a dimension's value is that of a resource which has such metrics."""
    return value in _values_of(dimension, template)


def _values_of(dimension: str, template: Json) -> list[object]:
    """The values that a dimension may have, as this template writes them."""
    if dimension in _REFERENCES:
        # A rule of another bus is kept under the bus as well, and nothing else names one.
        found = _of_type(_REFERENCES[dimension], template).items()
        return [{"Ref": name} for name, properties in found if "EventBusName" not in properties]
    match dimension:
        case "QueueName":
            return [{"Fn::GetAtt": [name, "QueueName"]} for name in _of_type("AWS::SQS::Queue", template)]
        case "ApiName":
            return [{"Ref": "AWS::StackName"}]  # the transform names the API after the stack
        case "Stage":
            return [stage["StageName"] for stage in _of_type("AWS::ApiGateway::Stage", template).values()]
        case _:
            functions = _of_type("AWS::Lambda::Function", template).values()
            return [one["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] for one in functions]


def _of_type(kind: str, template: Json) -> dict[str, Json]:
    """Logical id → properties of all resources of a type."""
    found = template["Resources"].items()
    return {name: resource.get("Properties", {}) for name, resource in found if resource["Type"] == kind}
