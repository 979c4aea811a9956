"""The TypeScript client against the deployed stack: Node's own test runner, through a proxy that loses answers."""

import subprocess

import pytest

from tests.e2e.losing_proxy import losing_proxy
from tools.clients import TYPESCRIPT, build_typescript
from tools.local_cloud.stack import LocalStack
from tools.node import find_node, with_node

pytestmark = pytest.mark.e2e


def test_the_journey(stack: LocalStack) -> None:
    stack.simulator.control("dials/clear", {})
    build_typescript()
    with losing_proxy(stack.api_url) as proxy:
        told = {
            "API": proxy.url,
            "SIMULATOR": stack.simulator_url,
            "AWS_REGION": stack.cloud.region,
            "AWS_ACCESS_KEY_ID": stack.caller_key.key_id,
            "AWS_SECRET_ACCESS_KEY": stack.caller_key.secret,
        }
        done = subprocess.run(
            [find_node(), "--test", "dist/test/e2e/journey.test.js"],
            cwd=TYPESCRIPT,
            env=with_node() | told,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
        assert proxy.is_idle
