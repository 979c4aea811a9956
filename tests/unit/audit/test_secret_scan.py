"""What looks like a secret needs a reason; a whole kind is accepted in made-up data only."""

import pytest

from tools.audit.places import tracked_files
from tools.audit.secret_scan import REASONS, Finding, judge, read_reasons

FOUND = Finding("layers/a.py", 4, "Secret Keyword", "aa11")
TEXT = """
[[unscanned]]
files = ["*.lock"]
reason = "hashes"

[[accepted]]
files = ["layers/a.py"]
kind = "Secret Keyword"
hashes = ["aa11"]
reason = "a metric's name"
"""
FILES = ("layers/a.py", "x.lock")


def test_what_has_a_reason_passes_and_what_is_not_scanned_is_counted() -> None:
    verdict = judge(FILES, [FOUND], read_reasons(TEXT))
    assert verdict.faults == ()
    assert "1 of 2 files scanned, 1 findings with a reason" in verdict.summary


@pytest.mark.parametrize(
    "other",
    [
        Finding("layers/a.py", 5, "Secret Keyword", "bb22"),
        Finding("layers/a.py", 5, "AWS Access Key", "aa11"),
        Finding("layers/b.py", 5, "Secret Keyword", "aa11"),
    ],
)
def test_another_one_is_told_by_place_kind_and_hash(other: Finding) -> None:
    (fault,) = judge(FILES, [FOUND, other], read_reasons(TEXT)).faults
    assert fault.startswith(f"{other.file}:5: {other.kind} (sha1 {other.hash})")


def test_what_is_found_no_more_is_a_fault() -> None:
    faults = judge(("layers/a.py",), [], read_reasons(TEXT)).faults
    assert [fault.split(": ", 1)[1] for fault in faults] == [
        "there is no *.lock; take it out",
        "Secret Keyword layers/a.py is found no more; take it out",
        "Secret Keyword aa11 is found no more; take it out",
    ]


def without_hashes(file: str) -> str:
    return TEXT.replace('hashes = ["aa11"]\n', "").replace("layers/a.py", file)


@pytest.mark.parametrize("file", ["tests/unit/test_a.py", "events/*.json", "clients/typescript/test/a.ts"])
def test_a_kind_is_accepted_in_made_up_data(file: str) -> None:
    findings = [Finding(file.replace("*", "a"), 1, "Secret Keyword", one) for one in ("aa11", "bb22")]
    assert judge([file.replace("*", "a"), "x.lock"], findings, read_reasons(without_hashes(file))).faults == ()


@pytest.mark.parametrize("file", ["layers/a.py", "tools/a.py", "template.yaml", "clients/python/src/a.py", "*"])
def test_elsewhere_each_finding_is_named(file: str) -> None:
    with pytest.raises(ValueError, match="name the hashes"):
        read_reasons(without_hashes(file))


def test_a_reason_has_words() -> None:
    with pytest.raises(ValueError, match="reason"):
        read_reasons(TEXT.replace("hashes = ", "hashes  = ").replace('"hashes"', '" "'))


def test_nothing_is_left_unscanned_but_locks_vectors_and_what_is_generated() -> None:
    reasons = read_reasons(REASONS.read_text("utf-8"))
    unscanned = {name for name in tracked_files() if not reasons.is_scanned(name)}
    generated = {"docs/openapi.json", "docs/openapi-published.json", "clients/typescript/src/openapi.ts"}
    left = {
        name
        for name in unscanned - generated - {"tools/audit/secrets.toml", "tests/benchmarks/speed/peers.txt"}
        if not name.endswith(("package-lock.json", "requirements.txt"))
        and not name.startswith(("requirements/", "tests/vectors/"))
    }
    assert left == set()
