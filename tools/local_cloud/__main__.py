"""The command line of the local cloud.

python -m tools.local_cloud run [--once] [--keep]    bring everything up, walk the journey, serve until Ctrl-C (or end);
                                                     [--auth JWT]: callers bring access tokens of a local issuer
python -m tools.local_cloud logs [FUNCTION]          what the functions of the running stack log, as it comes
python -m tools.local_cloud forget                   remove what `run --keep` has kept
python -m tools.local_cloud validate                 sam validate --lint
"""

import argparse
import contextlib
import signal
import sys
import threading
from datetime import UTC, datetime, timedelta
from types import FrameType
from urllib.parse import urljoin

from tools.deploy.target import read_target
from tools.invoke.running_stack import read_running_stack
from tools.local_cloud import logs, sam
from tools.local_cloud.aws import Cloud
from tools.local_cloud.checkout import ROOT, SAM_CONFIG
from tools.local_cloud.docs_page import docs_page
from tools.local_cloud.env_file import OPS_ENV, SHOP_ENV, env_file, shell_files
from tools.local_cloud.failure import LocalCloudError
from tools.local_cloud.journey import Journey, Step
from tools.local_cloud.premises import USUAL_PORTS, Premises, forget_data, settled
from tools.local_cloud.progress import Progress
from tools.local_cloud.report import table
from tools.local_cloud.run_folder import LAST_FAILURE
from tools.local_cloud.stack import LocalStack, local_stack

_LOG_AGE = timedelta(minutes=10)


def main() -> int:
    """Parse the arguments and do it; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.local_cloud", description="The whole stack on one machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    run_parser = commands.add_parser("run", help="bring everything up and walk one customer's journey")
    run_parser.add_argument("--once", action="store_true", help="end after the journey; non-zero if a step failed")
    run_parser.add_argument("--keep", action="store_true", help="keep what is stored over restarts")
    run_parser.add_argument("--auth", choices=["AWS_IAM", "JWT"], default="AWS_IAM", help="how callers are authorised")
    logs_parser = commands.add_parser("logs", help="what the functions of the running stack log, as it comes")
    logs_parser.add_argument("function", nargs="?", help="e.g. MakePayment; all without it")
    logs_parser.add_argument("--once", action="store_true", help="show what is there, and end")
    commands.add_parser("forget", help="remove what `run --keep` has kept")
    commands.add_parser("validate", help="sam validate --lint")
    arguments = parser.parse_args()
    if arguments.command == "validate":
        return sam.validate()

    # TERM ends like Ctrl-C: every block is left in order and no process stays. INT too: a shell that starts us in the
    # background has it ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt_once)
    try:
        match arguments.command:
            case "logs":
                return _logs(arguments.function, once=arguments.once)
            case "forget":
                forget_data()
                return 0
            case _:
                return _run(once=arguments.once, keep=arguments.keep, auth_mode=arguments.auth)
    except LocalCloudError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(*, once: bool, keep: bool, auth_mode: str) -> int:
    progress = Progress()
    with settled(keep_data=keep) as premises:
        goes_on = premises.has_memory and not once
        try:
            with (
                local_stack(progress, {"AuthMode": auth_mode}, premises) as stack,
                env_file(stack),
                shell_files(stack),
                docs_page(stack.api_url) as docs,
            ):
                if goes_on:
                    progress.say("here are the data of the last run; no journey is walked")
                elif not _walk(stack, progress) and once:
                    return 1
                print(_tell(stack, premises, docs), flush=True)
                if once:
                    return 0
                wait_for_the_end()
        except LocalCloudError as error:
            raise LocalCloudError(f"{error}\nLogs: {LAST_FAILURE}") from error
    progress.say("ended; nothing runs any more")
    return 0


def wait_for_the_end() -> None:
    """Wait until Ctrl-C. Here it is no interruption: the run has done what it was for, and ends in order."""
    with contextlib.suppress(KeyboardInterrupt):
        print("Ctrl-C ends it.", flush=True)
        threading.Event().wait()


def _walk(stack: LocalStack, progress: Progress) -> bool:
    """Walk the journey and show it; returns whether it came to its end."""

    def report(step: Step) -> None:
        progress.say(f"{step.name}: {step.failure or step.state or step.status}")

    steps = Journey(stack, report).walk()
    print(table(steps), flush=True)
    return steps[-1].failure is None


def _tell(stack: LocalStack, premises: Premises, docs: str) -> str:
    """Where everything is, and how to use it from another terminal."""
    lines = [
        "",
        f"API        {stack.api_url}  ({_tell_auth(stack)})",
        f"Simulator  {stack.simulator_url}  (DOKU and the bank: ledger, requests; magic values: docs/testing.md)",
        f"Demo shop  {stack.shop_url}  (where customers come back to)",
        f"Docs       {docs}  (every route, and what each error means)",
        f"Webhooks   {stack.webhooks.url}  (what it took: {urljoin(stack.webhooks.url, '/')})",
        f"AWS        {stack.cloud.endpoint}",
        "",
    ]
    moved = sorted(name for name, port in premises.ports.items() if port != USUAL_PORTS[name])
    if moved:
        lines += [f"Not on the usual ports, which were taken: {', '.join(moved)}.", ""]
    data = "kept until the next `make run KEEP=1`" if premises.data else "gone at the end (`make run KEEP=1` keeps it)"
    shop, ops = SHOP_ENV.relative_to(ROOT), OPS_ENV.relative_to(ROOT)
    lines += [
        "In another terminal, in this folder:",
        f"  . {shop}        you are the shop: API with its keys, SIMULATOR, SHOP, as docs/integrate.md uses them",
        f"  . {ops}    you are the operator: ./ops review",
        "  make logs           what the functions log, as it comes; FN=MakePayment for one",
        f"An edit below functions/ or layers/ shows at the next request. What is stored is {data}.",
    ]
    return "\n".join(lines)


def _tell_auth(stack: LocalStack) -> str:
    if stack.auth_mode == "JWT":
        return f"Bearer tokens of {stack.issuer.token_url}, client credentials"
    return f"SigV4, service execute-api, region {stack.cloud.region}"


def _logs(function: str | None, *, once: bool) -> int:
    wanted = None if function is None else logs.find_operation(function)
    variables = read_running_stack().variables
    client = Cloud(variables["AWS_ENDPOINT_URL"], variables["AWS_REGION"]).logs()
    name = read_target(SAM_CONFIG, "local").stack
    lines = logs.follow(client, name, since=datetime.now(UTC) - _LOG_AGE, once=once)
    logs.show(lines, lambda text: print(text, flush=True), wanted)
    return 0


def interrupt_once(_number: int, _frame: FrameType | None) -> None:
    """End what is under way, by KeyboardInterrupt; a second signal would interrupt the ending, and is not heard."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
