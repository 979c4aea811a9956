"""The examples of clients/, as they stand there, against the deployed stack. The bank's ledger judges."""

import base64
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.shop import OTP, Shop, new_phone, new_ref
from tests.patience import PATIENCE_SECONDS
from tools.clients import PYTHON, TYPESCRIPT, build_typescript, read_examples
from tools.local_cloud.bank_pages import walk
from tools.local_cloud.checkout import ROOT
from tools.local_cloud.stack import LocalStack
from tools.node import find_node

pytestmark = pytest.mark.e2e

CLIENTS = ROOT / "clients"
SEND = "send the browser to "


def curl_signs() -> bool:
    """Whether there is a curl that can sign."""
    found = shutil.which("curl")
    return found is not None and "--aws-sigv4" in _read([found, "--help", "all"])


def php_signs() -> bool:
    """Whether there is a PHP whose curl can sign."""
    found = shutil.which("php")
    return found is not None and _read([found, "-r", "echo defined('CURLOPT_AWS_SIGV4') ? 'yes' : 'no';"]) == "yes"


def _find(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text)
    return found and found[0]


def _read(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


needs_curl = pytest.mark.skipif(not curl_signs(), reason="this machine has no curl that signs (7.75 or later)")
needs_php = pytest.mark.skipif(not php_signs(), reason="this machine has no PHP 8.2 with its curl extension")


def live(stack: LocalStack, command: list[str], codes: list[str], example: str = "") -> list[str]:
    """Run a journey, play its customer, and return the lines that it printed.

    Its phone and reference are those that an example names, else those of its variables.
    """
    ref = _find(r"\bF[0-9A-F]{12}\b", example) or new_ref()
    phone = _find(r"\b62\d{9,}\b", example) or new_phone()
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(PYTHON.parent),
        "PYTHONUNBUFFERED": "1",  # else the address at which the customer is waited for stays in its buffer
        "LC_ALL": "C.UTF-8",
        "API": stack.api_url,
        "AWS_REGION": stack.cloud.region,
        "AWS_ACCESS_KEY_ID": stack.caller_key.key_id,
        "AWS_SECRET_ACCESS_KEY": stack.caller_key.secret,
        "CUSTOMER": "CUST-" + secrets.token_hex(6).upper(),
        "PHONE": phone,
        "REFERENCE": ref,
    }
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env=environment, text=True, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        running.stdin.write("".join(f"{code}\n" for code in codes))
        running.stdin.close()
        lines = []
        for line in running.stdout:
            lines.append(line.strip())
            if line.startswith(SEND):
                answers = {"phone": phone, "otp": OTP, "pin": "123456"}
                back = walk(line.strip().removeprefix(SEND), answers, f"{stack.api_url}/bindings/return/")
                assert stack.unsigned().call("GET", back.removeprefix(stack.api_url)).status == 302
        status = running.wait(PATIENCE_SECONDS)
    assert status == 0, lines
    assert Shop(stack).entries(ref) == ["debit", "refund"]
    return lines


def read_example(page: Path, language: str) -> str:
    """The page's blocks of code in a language, with the names that the local stack knows instead of the page's."""
    example = "\n".join(read_examples(page, language))
    for written, local in (
        ("shop.example", "merchant.example"),
        ("CUST-1001", "CUST-" + secrets.token_hex(6).upper()),
        ("62857957868761", new_phone()),
        ("INV202608010", new_ref()),
    ):
        assert written in example
        example = example.replace(written, local)
    return example


def write_typescript_readme() -> tuple[Path, str]:
    """Return the program that the page's blocks are, and the blocks."""
    build_typescript()
    example = read_example(CLIENTS / "typescript" / "README.md", "ts")
    compiler = TYPESCRIPT / "node_modules" / "typescript" / "lib" / "typescript.js"
    program = TYPESCRIPT / "dist" / "readme.mjs"
    write = (
        "const ts = require(process.argv[1]); const options = { target: 'es2022', module: 'es2022' };"
        "process.stdout.write(ts.transpile(require('fs').readFileSync(0, 'utf8'), options));"
    )
    done = subprocess.run(
        [find_node(), "-e", write, str(compiler)], input=example, capture_output=True, text=True, check=True
    )
    codes = (
        "import { createInterface } from 'node:readline';\n"
        "const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();\n"
        "const askForTheCode = async () => (await lines.next()).value;\n"
    )
    program.write_text(codes + done.stdout.replace("doku-cimb-direct-debit-client", "./src/index.js"), "utf-8")
    return program, example


@pytest.fixture(scope="module")
def journeys(stack: LocalStack) -> Iterator[Mapping[str, Future[list[str]]]]:
    """Each example on its way, all at the same time: they mostly wait."""
    stack.simulator.control("dials/clear", {})
    in_python = read_example(CLIENTS / "python" / "README.md", "python")
    program, in_typescript = write_typescript_readme()
    with ThreadPoolExecutor() as pool:
        yield {
            "python": pool.submit(live, stack, [sys.executable, "-c", in_python], [OTP, OTP], in_python),
            "typescript": pool.submit(live, stack, [find_node(), str(program)], [OTP, OTP], in_typescript),
        } | {
            name: pool.submit(live, stack, [*command, str(CLIENTS / file)], codes)
            for name, is_there, command, file, codes in (
                ("curl", curl_signs(), ["bash"], "curl/journey.sh", [OTP, OTP]),
                ("php", php_signs(), ["php"], "php/journey.php", ["111111", OTP, OTP]),
            )
            if is_there
        }


@pytest.mark.parametrize("language", ["python", "typescript"])
def test_the_readme(journeys: Mapping[str, Future[list[str]]], language: str) -> None:
    assert journeys[language].result()[0].startswith(SEND)


@needs_curl
def test_curl(journeys: Mapping[str, Future[list[str]]]) -> None:
    lines = journeys["curl"].result()
    said = [line.rsplit(" ", 1)[-1] for line in lines if SEND not in line]
    assert said[-1] == "UNBOUND"
    assert re.fullmatch(r"F[0-9A-F]{12}", said[said.index("PAID") + 1])  # what was listed


@needs_php
def test_php(journeys: Mapping[str, Future[list[str]]]) -> None:
    lines = journeys["php"].result()
    states = [line.rsplit(" ", 1)[-1] for line in lines]
    wanted = ["ACTIVE", "OTP_PENDING", "PAID", "REFUNDED", "UNBIND_OTP_PENDING", "UNBOUND"]
    assert [state for state in states if state in wanted] == wanted
    assert any("otp-wrong" in line for line in lines)
    assert "1 listed" in lines


@needs_php
@pytest.mark.parametrize("signed_by", ["standardwebhooks", "the service"])
@pytest.mark.parametrize(
    ("changed", "accepted"),
    [("", True), ("other secret", True), ("body", False), ("secret", False), ("time", False)],
)
def test_php_verifies_webhooks(signed_by: str, changed: str, accepted: bool) -> None:
    vectors = json.loads((CLIENTS / "webhook-vectors.json").read_text("utf-8"))
    (vector,) = (one for one in vectors if one["signed_by"].startswith(signed_by))
    secret, body = vector["secret"], vector["body"] + " " * (changed == "body")
    other = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    known = {"secret": [other], "other secret": [other, secret]}.get(changed, [secret])
    now = int(vector["headers"]["webhook-timestamp"]) + 300 + (changed == "time")
    code = "require $argv[1]; echo json_encode(read_webhook(...json_decode($argv[2], true)));"
    given = json.dumps([body, vector["headers"], known, now])
    answered = _read([shutil.which("php") or "", "-r", code, "--", str(CLIENTS / "php" / "direct_debit.php"), given])
    assert json.loads(answered) == (json.loads(body) if accepted else None)
