"""The command that deploys.

make deploy TO=sandbox|production|local [SET="Name=value ..."] [YES=1] [BACK=1]
(or `python -m tools.deploy`, with the layers' folders on PYTHONPATH)

Status 0: deployed and proved. 1: not, the reason is told. 2: wrong command line.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from tools.deploy.account import check_account
from tools.deploy.address import first_values, found_values
from tools.deploy.approval import approve, approve_unasked
from tools.deploy.check_parameters import check_parameters
from tools.deploy.clients import connect
from tools.deploy.deployment import Deployer, Place
from tools.deploy.failure import DeployError
from tools.deploy.history import Deployment
from tools.deploy.package import caller_environment
from tools.deploy.parameters import resolve_parameters
from tools.deploy.proof import count_reached, find_doubts
from tools.deploy.public_routes import BINDING_NOTIFICATION, PAYMENT_NOTIFICATION, TOKEN, ask_routes
from tools.deploy.running_stack import find_running_place, kept_values
from tools.deploy.secret_layout import tell_kept_layout
from tools.deploy.stack import find_stack, function_names
from tools.deploy.stamp import stamps
from tools.deploy.target import ENVIRONMENTS, Target, read_target
from tools.deploy.template import read_template
from tools.local_cloud import sam
from tools.local_cloud.checkout import SAM_CONFIG, TEMPLATE
from tools.local_cloud.env_file import ENV_FILE
from tools.local_cloud.failure import LocalCloudError


def main(arguments: Sequence[str] | None = None, *, running: Path = ENV_FILE, config: Path = SAM_CONFIG) -> int:
    """Deploy, or go back; returns the exit status. `running` is the file that the running local stack has written."""
    given = _parser().parse_args(arguments)
    try:
        target = read_target(config, given.to, given.set)
        place = find_running_place(running) if target.environment == "local" else _aws(target.region)
        deployer = Deployer(place, approve_unasked if given.yes else approve, _say)
        deployment = deployer.go_back(target) if given.back else _deploy(deployer, target)
        _prove(place, target, deployment)
    except (DeployError, LocalCloudError) as error:
        return _fail(str(error))
    except ClientError as error:
        return _fail(f"AWS answered {error.response['Error']['Code']} to {error.operation_name}")
    except BotoCoreError as error:
        return _fail(f"AWS could not be reached: {error}")
    except KeyboardInterrupt:
        return _fail("interrupted; what CloudFormation has begun it goes on with: the same command looks again")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.deploy", description="Deploys the stack, and proves it.")
    parser.add_argument("--to", required=True, choices=ENVIRONMENTS, help="a table of samconfig.toml")
    parser.add_argument("--set", default="", help="parameters of this deployment: 'Name=value Name=value'")
    parser.add_argument("--yes", action="store_true", help="do not ask (refused where data would be lost)")
    parser.add_argument("--back", action="store_true", help="go back to the deployment before")
    return parser


def _aws(region: str) -> Place:
    return Place(connect(region), region, caller_environment(region), None, {}, poll=2.0)


def _deploy(deployer: Deployer, target: Target) -> Deployment:
    """Check, build and deploy; a first deployment is followed by one with the address that it brought."""
    source = read_template(TEMPLATE)
    stack = find_stack(deployer.place.clients, target.stack)
    is_local = target.environment == "local"
    found = kept_values(stack) if is_local else found_values(target, stack)
    values = resolve_parameters(source, target, found)
    check_parameters(source, target, values)
    if (told := tell_kept_layout(target, stack)) is not None:
        _say(told)
    if not is_local:
        check_account(deployer.place.clients, target.region, source, values)
    with tempfile.TemporaryDirectory(prefix="direct-debit-") as name:
        folder = Path(name)
        built = sam.build(folder / "build.log", values["Architecture"])
        if not sam.is_valid(built):
            raise DeployError("the template is not valid; nothing was deployed")
        packaged = deployer.pack(target, built, folder)
    if is_local or (stack is not None and stack.outputs):
        return deployer.deploy(target, packaged, found)
    _say("first deployment: tables unprotected and an address that nobody has, until the stack stands")
    deployer.deploy(first_values(target), packaged, found)
    created = find_stack(deployer.place.clients, target.stack)
    again = Deployer(deployer.place, lambda _: True, _say)
    return again.deploy(target, packaged, found_values(target, created))


def _prove(place: Place, target: Target, deployment: Deployment) -> None:
    """Say what callers reach now. Raises DeployError when that is not what was deployed."""
    template, values = deployment.template, deployment.parameters
    names = function_names(place.clients, target.stack)
    doubts = find_doubts(place.clients, names, stamps(template, values))
    if doubts:
        raise DeployError(
            "deployed, but callers do not reach it:\n"
            + "\n".join(f"  - {doubt.function}: {doubt.why}" for doubt in doubts)
            + "\nUntil then the old settings count there."
        )
    print(f"live is what was deployed, in code and configuration, at {len(names)} of {len(names)} functions")
    for name, value in target.given.items():
        print(f"{name}={value}: at {count_reached(template, values, name)} functions")
    _show_routes(values["PublicBaseUrl"], values.get("DokuSourceCidrs", ""))
    _show_registration(values["PublicBaseUrl"])


def _show_routes(base_url: str, sources: str) -> None:
    answers = ask_routes(base_url, only_sources=bool(sources))
    problems = [f"  - {answer.path} {answer.problem}" for answer in answers if answer.problem]
    if problems:
        raise DeployError("deployed, but DOKU's routes do not answer:\n" + "\n".join(problems))
    for answer in answers:
        print(answer.describe())


def _show_registration(base_url: str) -> None:
    print("Register at DOKU (back office), and the public half of merchantPrivateKey:")
    for what, path in (
        ("token", TOKEN),
        ("payment notification", PAYMENT_NOTIFICATION),
        ("binding notification", BINDING_NOTIFICATION),
    ):
        print(f"  {what:<20} {base_url}{path}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _fail(reason: str) -> int:
    print(f"not done: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
