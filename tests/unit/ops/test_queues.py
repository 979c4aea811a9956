import pytest

from tests.unit.ops.conftest import Desk
from tools.ops.failure import OpsError
from tools.ops.queues import read_depth, show_queues
from tools.ops.redrive import discard, redrive
from tools.ops.report import DONE, NEEDS_A_PERSON

MESSAGES = [{"ref": f"R{number}", "attempt": 1} for number in range(25)]


def test_depths(desk: Desk) -> None:
    inquiry = desk.system.queues["inquiry"]
    desk.put(inquiry.url, *MESSAGES[:2])
    desk.sqs.send_message(QueueUrl=inquiry.url, MessageBody="{}", DelaySeconds=60)
    report = show_queues(desk.system)
    assert report.status == DONE
    assert report.facts["inquiry"] == {"waiting": 2, "inFlight": 0, "delayed": 1, "dead": 0}
    desk.put(inquiry.dead_url, *MESSAGES[:3])
    report = show_queues(desk.system)
    assert report.status == NEEDS_A_PERSON
    assert report.lines[3].split() == ["inquiry", "2", "0", "1", "3"]


def test_a_stream_failure_needs_a_person(desk: Desk) -> None:
    desk.put(desk.system.environment.stream_failure_queue_url, {"pk": "x"})
    assert show_queues(desk.system).status == NEEDS_A_PERSON


def test_redrive_moves_every_message_once(desk: Desk) -> None:
    pair = desk.system.queues["refund"]
    desk.put(pair.dead_url, *MESSAGES)
    report = redrive("refund", desk.system)
    assert report.facts["left"] == 0
    assert sorted(desk.bodies(pair.url)) == sorted(f'{{"ref": "R{n}", "attempt": 1}}' for n in range(25))
    assert redrive("refund", desk.system).facts["redriven"] == []


def test_a_dry_run_shows_and_leaves_everything(desk: Desk) -> None:
    pair = desk.system.queues["refund"]
    desk.put(pair.dead_url, *MESSAGES[:3])
    for _ in range(2):
        report = redrive("refund", desk.system, dry_run=True)
        assert [line.split()[1:] for line in report.lines[:-1]] == [["ref", f"R{number}"] for number in range(3)]
        assert report.lines[-1] == "3 would be redriven"
    assert desk.bodies(pair.url) == []
    assert read_depth(desk.sqs, pair.dead_url).waiting == 3


def test_a_message_that_failed_to_move_stays(desk: Desk) -> None:
    pair = desk.system.queues["refund"]
    desk.put(pair.dead_url, MESSAGES[0])
    desk.sqs.delete_queue(QueueUrl=pair.url)
    with pytest.raises(desk.sqs.exceptions.ClientError):
        redrive("refund", desk.system)
    assert read_depth(desk.sqs, pair.dead_url).all == 1


def test_one_unreadable_message_is_discarded(desk: Desk) -> None:
    pair = desk.system.queues["notification"]
    desk.put(pair.dead_url, "poison", MESSAGES[0])
    shown = redrive("notification", desk.system, dry_run=True).lines
    poison = next(line.split()[0] for line in shown if "names no record" in line)
    assert discard("notification", poison, desk.system).facts["record"] == "names no record of ours"
    assert desk.bodies(pair.dead_url) == ['{"ref": "R0", "attempt": 1}']
    with pytest.raises(OpsError, match="no message"):
        discard("notification", poison, desk.system)


def test_what_a_message_says_is_not_shown(desk: Desk) -> None:
    desk.put(desk.system.queues["refund"].dead_url, {"ref": "R1", "otp": "654321", "inboxId": 7}, "654321")
    report = redrive("refund", desk.system, dry_run=True)
    assert "654321" not in f"{report.lines}{report.facts}"
    assert [line.partition("  ")[2] for line in report.lines[:-1]] == ["ref R1", "names no record of ours"]


def test_one_message_is_redriven_by_its_id(desk: Desk) -> None:
    pair = desk.system.queues["inquiry"]
    desk.put(pair.dead_url, *MESSAGES[:3])
    second = redrive("inquiry", desk.system, dry_run=True).lines[1].split()[0]
    assert redrive("inquiry", desk.system, message=second, dry_run=True).lines == [
        f"{second}  ref R1",
        "1 would be redriven",
    ]
    assert redrive("inquiry", desk.system, message=second).facts["redriven"] == [second]
    assert desk.bodies(pair.url) == ['{"ref": "R1", "attempt": 1}']
    assert read_depth(desk.sqs, pair.dead_url).waiting == 2
    for dry_run in (True, False):
        with pytest.raises(OpsError, match=f"no message {second}"):
            redrive("inquiry", desk.system, message=second, dry_run=dry_run)


def test_an_unknown_queue(desk: Desk) -> None:
    with pytest.raises(OpsError, match="there is no queue x; there are notification, refund, inquiry"):
        redrive("x", desk.system)
