"""The command line of the local cloud.

python -m tools.local_cloud run [--once]    bring everything up, walk the journey, serve until Ctrl-C (or end)
python -m tools.local_cloud validate        sam validate --lint
"""

import argparse
import signal
import sys
import threading
from types import FrameType

from tools.local_cloud import sam
from tools.local_cloud.docs_page import docs_page
from tools.local_cloud.env_file import env_file
from tools.local_cloud.failure import LocalCloudError
from tools.local_cloud.journey import Journey, Step
from tools.local_cloud.progress import Progress
from tools.local_cloud.report import table
from tools.local_cloud.run_folder import LAST_FAILURE
from tools.local_cloud.stack import LocalStack, local_stack


def main() -> int:
    """Parse the arguments and do it; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.local_cloud", description="The whole stack on one machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    run_parser = commands.add_parser("run", help="bring everything up and walk one customer's journey")
    run_parser.add_argument("--once", action="store_true", help="end after the journey; non-zero if a step failed")
    commands.add_parser("validate", help="sam validate --lint")
    arguments = parser.parse_args()
    if arguments.command == "validate":
        return sam.validate()

    # TERM ends like Ctrl-C: every block is left in order and no process stays. INT too: a shell that starts us in the
    # background has it ignored.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    progress = Progress()
    try:
        with local_stack(progress) as stack, env_file(stack), docs_page(stack.api_url) as docs:
            return _run(stack, progress, docs, once=arguments.once)
    except LocalCloudError as error:
        print(f"{error}\nLogs: {LAST_FAILURE}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(stack: LocalStack, progress: Progress, docs: str, *, once: bool) -> int:
    def report(step: Step) -> None:
        progress.say(f"{step.name}: {step.failure or step.state or step.status}")

    steps = Journey(stack, report).walk()
    failed = steps[-1].failure is not None
    print(table(steps), flush=True)
    print(f"\nAPI        {stack.api_url}  (SigV4, service execute-api, region {stack.cloud.region})")
    print(f"Simulator  {stack.simulator_url}  (ledger: {stack.simulator_url}/_control/ledger)")
    print(f"AWS        {stack.cloud.endpoint}")
    print(f"Docs       {docs}  (every route, and what each error means)", flush=True)
    if once:
        return 1 if failed else 0
    # Keys of a throw-away user of an emulator on this machine: printed, so that one can call the API by hand.
    print(f"Caller     AWS_ACCESS_KEY_ID={stack.caller_key.key_id} AWS_SECRET_ACCESS_KEY={stack.caller_key.secret}")
    print("Ctrl-C ends it.", flush=True)
    threading.Event().wait()
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
