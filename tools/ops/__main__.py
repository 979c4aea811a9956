"""The operator's command line.

./ops COMMAND ... [--stack NAME] [--region REGION] [--endpoint-url URL] [--json]
(`make ops ARGS="..."` is the same, but make turns every status other than 0 into 2)

The stack is DIRECT_DEBIT_STACK's, the region AWS_REGION's or AWS_DEFAULT_REGION's, unless they are given.

Status 0: done. 1: not done, the reason is told. 2: wrong command line. 3: done, and something waits for a person.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from direct_debit.application.errors import DirectDebitError, RecordUnreadable
from tools.ops.copy_secret import copy_secret
from tools.ops.doctor import doctor
from tools.ops.explain_binding import explain_binding
from tools.ops.explain_payment import explain_payment
from tools.ops.export import FORMATS, KINDS, STATES, Export, export
from tools.ops.failure import OpsError
from tools.ops.forget import forget
from tools.ops.onboard import FromDoku, onboard
from tools.ops.queues import show_queues
from tools.ops.redrive import discard, redrive
from tools.ops.redrive_refund import redrive_refund
from tools.ops.report import FAILED, Report, escape
from tools.ops.reseal import reseal
from tools.ops.resolve import resolve
from tools.ops.review import close_notification, close_reversal, close_review, review
from tools.ops.revoke import revoke
from tools.ops.rotate import How, rotate
from tools.ops.secret_content import KEYS
from tools.ops.stream_failures import discard_failure, stream_failures
from tools.ops.system import System, find_system
from tools.ops.webhooks import replay, resend, show_webhooks

type Command = Callable[[argparse.Namespace, System], Report]

_DAY = "a day in Jakarta, YYYY-MM-DD"
_QUEUES = ("notification", "refund", "inquiry", "webhook")


def main(arguments: Sequence[str] | None = None, find: Callable[..., System] = find_system) -> int:
    """Run one command; returns the exit status."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.stack is None:
        parser.error("which stack? --stack NAME or DIRECT_DEBIT_STACK; for that of `make run`: . .local/env.ops")
    command: Command = given.command
    try:
        system = find(given.stack, endpoint=given.endpoint_url, region=given.region)
        report = command(given, system)
    except OpsError as error:
        return _fail(str(error), as_json=given.json)
    except RecordUnreadable as error:
        return _fail(f"{error.detail} ({error.fault})", as_json=given.json)
    except DirectDebitError as error:
        return _fail(f"{error.detail}; try again", as_json=given.json)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return _fail(f"AWS answered {code} to {error.operation_name}", as_json=given.json)
    except BotoCoreError as error:
        return _fail(f"AWS could not be reached: {error}", as_json=given.json)
    if given.json or report.lines:
        print(json.dumps(report.facts, indent=2) if given.json else "\n".join(map(escape, report.lines)))
    return report.status


def _fail(reason: str, *, as_json: bool) -> int:
    print(json.dumps({"error": reason}) if as_json else f"not done: {escape(reason)}", file=sys.stderr)
    return FAILED


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--stack",
        default=os.environ.get("DIRECT_DEBIT_STACK") or None,
        help="the stack's name (or DIRECT_DEBIT_STACK; `. .local/env.ops` sets it for the stack of `make run`)",
    )
    # AWS's newer tools read AWS_REGION first, boto3 reads AWS_DEFAULT_REGION only.
    shared.add_argument(
        "--region",
        default=os.environ.get("AWS_REGION") or None,
        help="where the stack is (or AWS_REGION, AWS_DEFAULT_REGION, the profile's)",
    )
    shared.add_argument("--endpoint-url", help="where AWS is, for a local cloud")
    shared.add_argument("--json", action="store_true", help="print a JSON document")

    parser = argparse.ArgumentParser(
        prog="ops",
        description="Look at a deployed stack, and set going again what has stopped.",
        epilog="Status 0: done. 1: not done. 2: wrong command line. 3: something waits for a person.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, text: str, command: Command) -> argparse.ArgumentParser:
        found = commands.add_parser(name, parents=[shared], help=text, description=text)
        found.set_defaults(command=command)
        return found

    one = add("explain", "what a payment is, why, and what comes next", lambda a, s: explain_payment(a.ref, s))
    one.add_argument("ref", metavar="REF", help="partnerReferenceNo")
    one = add("explain-binding", "the same for a link", lambda a, s: explain_binding(a.id, s))
    one.add_argument("id", metavar="ID", help="bindingId")
    add("review", "what waits for a person", lambda _, s: review(s))
    one = add(
        "close-notification", "take a quarantined notification off the list", lambda a, s: close_notification(a.id, s)
    )
    one.add_argument("id", metavar="ID")
    one = add("close-reversal", "take a reversed payment off the list", lambda a, s: close_reversal(a.ref, s))
    one.add_argument("ref", metavar="REF", help="partnerReferenceNo")
    one = add("close-review", "take a payment that needed a person off the list", lambda a, s: close_review(a.ref, s))
    one.add_argument("ref", metavar="REF", help="partnerReferenceNo")
    add("queues", "depth of the queues and their dead-letter queues", lambda _, s: show_queues(s))
    one = add(
        "redrive",
        "give dead letters back to their queue",
        lambda a, s: redrive(a.queue, s, message=a.message, dry_run=a.dry_run),
    )
    one.add_argument("queue", choices=_QUEUES)
    one.add_argument("message", metavar="MESSAGE_ID", nargs="?", help="this one only, as --dry-run shows it")
    one.add_argument("--dry-run", action="store_true", help="only show them, by their ids")
    one = add("discard", "delete one unreadable dead letter", lambda a, s: discard(a.queue, a.message, s))
    one.add_argument("queue", choices=_QUEUES)
    one.add_argument("message", metavar="MESSAGE_ID", help="as `redrive --dry-run` shows it")
    one = add(
        "redrive-refund",
        "start a refund again that needs a review, or that DOKU refused",
        lambda a, s: redrive_refund(a.ref, s),
    )
    one.add_argument("ref", metavar="REF", help="partnerReferenceNo of its payment")
    one = add("resolve", "ask DOKU for a payment's status now", lambda a, s: resolve(a.ref, s))
    one.add_argument("ref", metavar="REF", help="partnerReferenceNo")
    one = add(
        "stream-failures",
        "changes that were not published",
        lambda a, s: stream_failures(s, redrive=a.redrive) if a.discard is None else discard_failure(a.discard, s),
    )
    way = one.add_mutually_exclusive_group()
    way.add_argument("--redrive", action="store_true", help="give them to the outbox again")
    way.add_argument("--discard", metavar="MESSAGE_ID", help="delete one that names no record")
    _add_export(add("export", "all payments or links of some days, as CSV or JSON Lines", _export))
    one = add(
        "webhooks", "each try to deliver the events of a payment or link", lambda a, s: show_webhooks(a.subject, s)
    )
    one.add_argument("subject", metavar="REF", help="partnerReferenceNo, or bindingId")
    one = add("resend", "send one event as a webhook once more", lambda a, s: resend(a.id, s, send=a.send))
    one.add_argument("id", metavar="EVENT_ID", help="eventId, or webhook-id")
    one.add_argument("--send", action="store_true", help="do it; otherwise it is only shown")
    _add_forget(
        add(
            "forget",
            "keep a customer's money records without the customer",
            lambda a, s: forget(a.customer, s, dry_run=a.dry_run, reviewed=a.reviewed, notices=a.notices),
        )
    )
    one = add(
        "replay",
        "send all events of a range of time as webhooks once more",
        lambda a, s: replay(a.begin, a.end, s, send=a.send),
    )
    one.add_argument("begin", metavar="FROM", help="a time, UTC: 2026-03-02 or 2026-03-02T09:00:00Z")
    one.add_argument("end", metavar="TO", help="likewise; not included")
    one.add_argument("--send", action="store_true", help="do it; otherwise they are only counted")
    _add_secret(add)
    return parser


def _add_secret(add: Callable[[str, str, Command], argparse.ArgumentParser]) -> None:
    """The commands about the secret. No value of it is ever an argument: `ps` and the shell's history would show it."""
    one = add(
        "onboard",
        "fill the secret: make the keys, and tell what to register at DOKU",
        lambda a, s: onboard(
            FromDoku(
                client_id=a.client_id,
                client_key=a.doku_client_key,
                secret_key=a.secret_key,
                public_key=a.doku_public_key,
            ),
            s,
        ),
    )
    one.add_argument("--client-id", metavar="ID", help="DOKU's name for the merchant")
    one.add_argument("--secret-key", metavar="FILE", help="the file that has DOKU's secret key; - is standard input")
    one.add_argument("--doku-public-key", metavar="FILE", help="the file that has DOKU's public key (PEM)")
    one.add_argument("--doku-client-key", metavar="ID", help="X-CLIENT-KEY of DOKU's calls, if it is not the client id")
    one = add(
        "rotate",
        "replace a key of the secret, so that nothing is refused",
        lambda a, s: rotate(a.key, s, How(source=a.source, now=a.now, anew=a.anew)),
    )
    one.add_argument("key", metavar="KEY", choices=KEYS, help=", ".join(KEYS))
    one.add_argument(
        "--from", dest="source", metavar="FILE", help="the file that has the new value; - is standard input"
    )
    one.add_argument(
        "--now", action="store_true", help="although an earlier rotation has not settled: a key has leaked"
    )
    one.add_argument("--anew", action="store_true", help="make another pair instead of the one that is kept aside")
    one = add("revoke", "end what was replaced of a key, and try it", lambda a, s: revoke(a.key, s))
    one.add_argument("key", metavar="KEY", choices=KEYS, help=", ".join(KEYS))
    add("reseal", "seal anew what an older data key has sealed (reads both tables)", lambda _, s: reseal(s))
    one = add(
        "copy-secret",
        "put what is in use into the secret of the other layout",
        lambda a, s: copy_secret(s, now=a.now),
    )
    one.add_argument("--now", action="store_true", help="although an earlier rotation has not settled")
    add("doctor", "is the secret whole, and does it fit DOKU and the doors", lambda _, s: doctor(s))


def _add_forget(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("customer", metavar="CUSTOMER", help="customerId; every link of it has to be unlinked before")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be kept, or what stands against it")
    parser.add_argument("--reviewed", action="store_true", help="also payments that wait for a person, who has looked")
    parser.add_argument(
        "--notices", action="store_true", help="also notifications kept by earlier releases (reads the whole table)"
    )


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--from", dest="first", metavar="DAY", type=date.fromisoformat, required=True, help=_DAY)
    parser.add_argument("--to", dest="last", metavar="DAY", type=date.fromisoformat, help="the last day; else one day")
    parser.add_argument("--state", choices=STATES, metavar="STATE", help="only records in this state")
    parser.add_argument("--format", choices=FORMATS, default="csv")
    parser.add_argument("--output", type=Path, metavar="FILE", help="else to standard output")


def _export(given: argparse.Namespace, system: System) -> Report:
    if given.json and given.output is None:
        raise OpsError("--json tells about a file: name it by --output")
    wanted = Export(
        kind=given.kind,
        first=given.first,
        last=given.last or given.first,
        state=given.state,
        format=given.format,
        path=given.output,
    )
    return export(wanted, system)


if __name__ == "__main__":
    sys.exit(main())
