"""What is known of a shipped package's vulnerabilities counts; that nothing can be known is said, and no fault."""

import json

import pytest

from tools.audit.places import ScanFailed
from tools.audit.vulnerabilities import REASONS, judge, read_accepted, read_answers

CLEAN = {"name": "idna", "version": "3.20", "vulns": []}
SKIPPED = {"name": "cffi", "skip_reason": "Dependency not found on PyPI and could not be audited: cffi (2.1.1)"}
FLAWED = {"name": "urllib3", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"], "aliases": []}]}


def said(*packages: object) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


@pytest.mark.parametrize(
    ("text", "complained"),
    [
        ("", "Traceback\nrequests.exceptions.ConnectionError: HTTPSConnectionPool(host='pypi.org', port=443)"),
        ("", "ERROR:pip_audit._cli:Could not connect to PyPI's vulnerability feed"),
        (said(), ""),
        (said(SKIPPED, SKIPPED), ""),
    ],
)
def test_without_data_it_says_so_and_does_not_fail(text: str, complained: str) -> None:
    verdict = judge(read_answers(text, complained), {})
    assert verdict.faults == ()
    assert verdict.summary.startswith("NOT LOOKED AT")


def test_a_fault_of_pip_audits_own_is_not_taken_for_a_missing_network() -> None:
    with pytest.raises(ScanFailed, match="unrecognized arguments"):
        read_answers("", "pip-audit: error: unrecognized arguments: --jsom")


def test_clean_packages_pass_and_those_of_which_nothing_is_known_are_counted() -> None:
    verdict = judge(read_answers(said(CLEAN, SKIPPED), ""), {})
    assert verdict.faults == ()
    assert verdict.summary == "pip-audit: 1 packages looked up, 1 of which nothing is known"


def test_an_advisory_is_a_fault_until_it_is_mended_or_explained() -> None:
    answers = read_answers(said(CLEAN, FLAWED), "")
    assert judge(answers, {}).faults == ("urllib3 2.0: PYSEC-1, mended in 2.1",)
    assert judge(answers, {"PYSEC-1": "not called here"}).faults == ()


def test_a_reason_for_what_is_found_no_more_is_a_fault() -> None:
    (fault,) = judge(read_answers(said(CLEAN), ""), {"PYSEC-1": "not called here"}).faults
    assert "PYSEC-1 is found no more" in fault


def test_our_reasons_are_read_and_have_words() -> None:
    assert read_accepted(REASONS.read_text("utf-8")) == {}
    with pytest.raises(ValueError, match="reason"):
        read_accepted('[[accepted]]\nid = "PYSEC-1"\nreason = " "\n')
