"""The Bruno collection walks the whole journey against the deployed stack, by Bruno's own command line."""

import json
from pathlib import Path

import pytest

from tools.bruno import COLLECTION, run_journey
from tools.local_cloud.journey import ledger
from tools.local_cloud.stack import LocalStack

pytestmark = pytest.mark.e2e


def test_the_journey(stack: LocalStack, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    variables = {
        "API": stack.api_url,
        "SIMULATOR": stack.simulator_url,
        "AWS_REGION": stack.cloud.region,
        "AWS_ACCESS_KEY_ID": stack.caller_key.key_id,
        "AWS_SECRET_ACCESS_KEY": stack.caller_key.secret,
    }
    done = run_journey(variables, report)
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = json.loads(report.read_text("utf-8"))
    requests = {path.stem[3:] for path in (COLLECTION / "journey").glob("[0-9]*.bru")}
    assert {result["name"] for result in run["results"]} == requests
    assert run["summary"]["totalTests"] == run["summary"]["passedTests"] >= len(requests)
    (pay,) = [result for result in run["results"] if result["name"] == "pay"]
    reference = pay["response"]["data"]["partnerReferenceNo"]
    assert sorted(str(one["kind"]) for one in ledger(stack) if one["reference"] == reference) == ["debit", "refund"]
