"""docs/operations.md names every parameter, metric and alarm as they are deployed, and every command as it exists."""

import re
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from direct_debit.application.ports.telemetry import Metric
from tests.template.alarm_rules import filtered_metrics
from tests.template.translation import resources, source
from tools.ops.__main__ import main

FILTERED = filtered_metrics(source())
DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "operations.md").read_text()


def parameter_rows() -> dict[str, list[str]]:
    """The cells after the name, of each row of the tables of parameters."""
    found = {}
    for line in DOCUMENT.split("## Parameters")[1].split("## Metrics")[0].splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if re.fullmatch(r"`[A-Z]\w+`", cells[0]):
            found[cells[0].strip("`")] = cells[1:]
    return found


def test_every_parameter_stands_in_the_table_with_its_default_and_description() -> None:
    parameters = source()["Parameters"]
    section = parameter_rows()
    assert set(section) == set(parameters)
    for name, definition in parameters.items():
        assert name in section, name
        default, description = section[name][0], section[name][1]
        if "Default" not in definition:
            assert default == "required", name
        else:
            shown = str(definition["Default"])
            assert default == (f"`{shown}`" if shown else "empty"), name
        assert description == definition["Description"].strip(), name


def test_every_metric_is_explained_and_only_those() -> None:
    section = DOCUMENT.split("## Metrics")[1].split("## Alarms")[0]
    counted = {metric.value for metric in Metric}
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == counted | {name for _, name in FILTERED}
    assert not counted & {name for _, name in FILTERED}


def anchor(title: str) -> str:
    """The anchor that a heading gets."""
    return re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")


def test_every_alarm_has_a_runbook_that_exists() -> None:
    alarms = set(resources("AWS::CloudWatch::Alarm"))
    section = DOCUMENT.split("## Alarms")[1].split("###")[0]
    listed = dict(re.findall(r"^\| `(\w+)` \| \[[^\]]+\]\(#([a-z0-9-]+)\) \|$", section, re.MULTILINE))
    assert set(listed) == alarms
    headings = {anchor(title) for title in re.findall(r"^#+ (.+)$", DOCUMENT, re.MULTILINE)}
    assert set(listed.values()) <= headings
    assert set(re.findall(r"\]\(#([a-z0-9-]+)\)", DOCUMENT)) <= headings


def test_every_runbook_is_reached_and_speaks_of_alarms_that_exist() -> None:
    runbooks = DOCUMENT.split("## Alarms")[1].split("## Why nothing is stuck")[0]
    titles = re.findall(r"^### (.+)$", runbooks, re.MULTILINE)
    reached = set(re.findall(r"\]\(#([a-z0-9-]+)\)", DOCUMENT))
    assert [title for title in titles if anchor(title) not in reached] == []
    assert set(re.findall(r"`(\w+Alarm)`", DOCUMENT)) <= set(resources("AWS::CloudWatch::Alarm"))


# What the command line itself takes, whatever the operation.
OPTIONS = {"query", "output"}


@pytest.mark.parametrize("command", re.findall(r"\baws ([a-z]+ [a-z-]+[^`\n|&]*)", DOCUMENT))
def test_every_command_of_aws_exists_and_has_what_it_needs(command: str) -> None:
    service, operation, *words = command.split()
    model = botocore.session.get_session().get_service_model(service)
    (name,) = [one for one in model.operation_names if xform_name(one, "-") == operation]
    takes = model.operation_model(name).input_shape
    given = {word.removeprefix("--") for word in words if word.startswith("--")}
    assert takes is not None
    assert given - OPTIONS <= {xform_name(member, "-") for member in takes.members}
    assert {xform_name(member, "-") for member in takes.required_members} <= given


def test_every_alarm_on_a_metric_of_ours_names_one_that_is_counted() -> None:
    alarms = resources("AWS::CloudWatch::Alarm", source()).values()
    others = {(str(alarm["Namespace"]), alarm["MetricName"]) for alarm in alarms}
    assert set(FILTERED) <= others, "a filter that rings nothing"
    filtered = {name for _, name in FILTERED}
    ours = [
        alarm
        for alarm in alarms
        if not str(alarm["Namespace"]).startswith("AWS/") and alarm["MetricName"] not in filtered
    ]
    assert {alarm["MetricName"] for alarm in ours} <= {metric.value for metric in Metric}
    assert "PaymentNeedsReview" in {alarm["MetricName"] for alarm in ours}
    service = source()["Globals"]["Function"]["Environment"]["Variables"]
    # A stack's own: the alarms of production must not ring for the sandbox beside it.
    namespace = {"Fn::Sub": "DirectDebit/${AWS::StackName}"}
    assert service["POWERTOOLS_METRICS_NAMESPACE"] == namespace
    for alarm in ours:
        assert alarm["Namespace"] == namespace
        assert alarm["Dimensions"] == [{"Name": "service", "Value": service["POWERTOOLS_SERVICE_NAME"]}]


def test_every_command_of_the_operator_exists(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    commands = set(re.findall(r"^    ([a-z-]+) ", capsys.readouterr().out, re.MULTILINE))
    named = {word for word in re.findall(r"`(?:\./ops )?([a-z-]+)\b", DOCUMENT) if word in commands}
    assert named == commands
