"""Log lines and metrics: one JSON object each, allow-listed fields, no text of unknown content."""

import io
import json
from typing import Any

import pytest

from direct_debit.adapters.credentials import MalformedCredentials
from direct_debit.application.ports.telemetry import Metric
from direct_debit.entrypoint.observability import Observability


def make(name: str) -> tuple[Observability, io.StringIO]:
    """The subject, and what it writes."""
    stream = io.StringIO()
    return Observability(service=name, level="INFO", namespace="Space", stream=stream), stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """What was written."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def fail() -> None:
    """Raise an error whose text nobody vetted."""
    raise RuntimeError("canary")


def test_a_note_has_the_fields_that_were_given() -> None:
    log, stream = make("note")
    log.begin(operation="make_payment", request_id="r1")
    log.note("payment moved", ref="INV1", state="PAID", code="2005400")
    (line,) = lines(stream)
    assert line["message"] == "payment moved"
    assert (line["ref"], line["state"], line["responseCode"]) == ("INV1", "PAID", "2005400")
    assert (line["operation"], line["requestId"], line["service"]) == ("make_payment", "r1", "note")
    assert not {"bindingId", "reason"} & set(line)


def test_a_metric_is_written_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    log, _ = make("metric")
    log.count(Metric.PAYMENT_OUTCOME_UNKNOWN, 2)
    line = json.loads(capsys.readouterr().out)
    assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Space"
    assert line["PaymentOutcomeUnknown"] == [2.0]
    assert line["service"] == "metric"


def test_an_error_is_told_by_class_and_place() -> None:
    log, stream = make("error")
    with pytest.raises(RuntimeError) as caught:
        fail()
    log.failed("unforeseen error", caught.value, item="m1")
    (line,) = lines(stream)
    assert (line["error"], line["item"], line["level"]) == ("RuntimeError", "m1", "ERROR")
    assert line["place"].split(" > ")[-1].startswith("fail (")
    assert "canary" not in stream.getvalue()


def test_a_wrong_secret_is_told_by_its_field() -> None:
    log, stream = make("configuration")
    log.failed("unforeseen error", MalformedCredentials(("clientId", "must be a string that is not empty")))
    assert lines(stream)[0]["reason"] == "the secret's field clientId must be a string that is not empty"
