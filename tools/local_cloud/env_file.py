"""The files by which others use the running stack; they go with it.

`.local/env.json` is for a function outside the emulator (`sam local --env-vars`, tools/invoke), `.local/env` for a
shell that is the merchant's backend, `.local/env.ops` for one that is the operator's.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from shlex import quote

from tools.local_cloud.checkout import LOCAL
from tools.local_cloud.issuer import CLIENT
from tools.local_cloud.resources import stack_resources
from tools.local_cloud.stack import LocalStack

ENV_FILE = LOCAL / "env.json"
SHOP_ENV = LOCAL / "env"
OPS_ENV = LOCAL / "env.ops"


@contextlib.contextmanager
def env_file(stack: LocalStack, path: Path = ENV_FILE) -> Iterator[Path]:
    """Write the variables of the deployed functions, and how to reach the emulator; the file goes with the stack.

    One group is for all ("Parameters", as `sam local` calls it); a function that has others, or another value of one,
    has a group of its own beside it, under its name in the template. A second stack of the same checkout takes the
    file over.
    """
    client = stack.cloud.functions()
    deployed = {
        function: client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        for function, name in stack_resources(stack.cloud, stack.name).physical_ids("AWS::Lambda::Function").items()
    }
    common = deployed["BindAccount"]
    own = {
        function: {name: value for name, value in variables.items() if common.get(name) != value}
        for function, variables in deployed.items()
    }
    groups = {"Parameters": common | stack.cloud.environment(), **{name: group for name, group in own.items() if group}}
    with _kept(path, json.dumps(groups, indent=2, sort_keys=True) + "\n"):
        yield path


@contextlib.contextmanager
def shell_files(stack: LocalStack, shop: Path = SHOP_ENV, ops: Path = OPS_ENV) -> Iterator[None]:
    """Write one file for the merchant's shell and one for the operator's, to be read by `. FILE`."""
    with _kept(shop, exports(shop_variables(stack))), _kept(ops, exports(ops_variables(stack))):
        yield


def shop_variables(stack: LocalStack) -> Mapping[str, str]:
    """Return what a merchant's backend, and its docs' commands, need: the API, its keys, the simulator, the shop."""
    told = {"API": stack.api_url, "SIMULATOR": stack.simulator_url, "SHOP": stack.shop_url}
    if stack.auth_mode == "JWT":
        return {
            **told,
            "TOKEN_URL": stack.issuer.token_url,
            "CLIENT_ID": CLIENT,
            "CLIENT_SECRET": stack.issuer.secret,
        }
    return {
        **told,
        "AWS_REGION": stack.cloud.region,
        "AWS_ACCESS_KEY_ID": stack.caller_key.key_id,
        "AWS_SECRET_ACCESS_KEY": stack.caller_key.secret,
        "AWS_SESSION_TOKEN": "",
    }


def ops_variables(stack: LocalStack) -> Mapping[str, str]:
    """Return what the operator's command line, and AWS's own, need to reach this stack."""
    return {**stack.cloud.environment(), "AWS_SESSION_TOKEN": "", "DIRECT_DEBIT_STACK": stack.name}


def exports(variables: Mapping[str, str]) -> str:
    """Return shell text that exports these variables."""
    return "".join(f"export {name}={quote(value)}\n" for name, value in variables.items())


@contextlib.contextmanager
def _kept(path: Path, content: str) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(content)
    try:
        yield
    finally:
        if path.exists() and path.read_text() == content:
            path.unlink()
