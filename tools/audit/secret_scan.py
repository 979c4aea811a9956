"""Secrets in the repository's files, by detect-secrets; what only looks like one has a reason in secrets.toml."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, cast

from tools.audit.places import build_environment, digest_of, recall, remember, run_inside, tool_digest, tracked_files
from tools.audit.verdict import Verdict
from tools.local_cloud.checkout import ROOT

REASONS: Final = Path(__file__).parent / "secrets.toml"
# Where a whole kind may be accepted. Everywhere else each finding is, by its hash, so that the next one is seen.
MADE_UP: Final = ("tests/*", "events/*", "docs/events/*", "clients/*/test*/*", "tools/openapi/recordings.json")
_ENVIRONMENT, _SCRIPT = "audit", "find_secrets.py"


@dataclass(frozen=True, slots=True)
class Finding:
    """What looks like a secret: where, of which kind, and its SHA-1 as detect-secrets writes it; never the text."""

    file: str
    line: int
    kind: str
    hash: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why what was found is no secret: in these files, of this kind, these hashes (none: any, in made-up data only)."""

    files: tuple[str, ...]
    kind: str
    hashes: frozenset[str]
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Whether the reason speaks of this finding."""
        return (
            self.kind == finding.kind
            and any(fnmatchcase(finding.file, one) for one in self.files)
            and (not self.hashes or finding.hash in self.hashes)
        )


@dataclass(frozen=True, slots=True)
class Reasons:
    """secrets.toml: the files that are not scanned, and what is accepted in the others."""

    unscanned: Mapping[str, str]
    accepted: tuple[Reason, ...]

    def is_scanned(self, file: str) -> bool:
        """Whether a file is looked at."""
        return not any(fnmatchcase(file, one) for one in self.unscanned)


def scan_secrets() -> Verdict:
    """Scan the files of this checkout and judge what is found. Raises ScanFailed."""
    reasons = read_reasons(REASONS.read_text("utf-8"))
    files = tracked_files()
    scanned = [file for file in files if reasons.is_scanned(file)]
    return judge(files, find_secrets(scanned), reasons)


def find_secrets(files: Sequence[str]) -> tuple[Finding, ...]:
    """Return what looks like a secret; files that have not changed since the last time are not read again."""
    build_environment(_ENVIRONMENT)
    tool = tool_digest(_ENVIRONMENT, _SCRIPT)
    known = recall("secrets")
    states = {file: f"{tool} {file} {digest_of(ROOT / file)}" for file in files}
    new = [file for file, state in states.items() if state not in known]
    found = cast("dict[str, object]", run_inside(_ENVIRONMENT, _SCRIPT, [], "\n".join(new))) if new else {}
    now = {state: found[file] if file in found else known[state] for file, state in states.items()}
    remember("secrets", now)
    return tuple(
        Finding(file, int(str(one["line"])), one["kind"], one["hash"])
        for file, state in states.items()
        for one in cast("list[dict[str, str]]", now[state])
    )


def read_reasons(text: str) -> Reasons:
    """Read secrets.toml. Raises ValueError for a reason without words, and for a whole kind outside of made-up data."""
    document = tomllib.loads(text)
    unscanned = {file: one["reason"].strip() for one in document["unscanned"] for file in one["files"]}
    accepted = tuple(
        Reason(tuple(one["files"]), one["kind"], frozenset(one.get("hashes", ())), one["reason"].strip())
        for one in document["accepted"]
    )
    for reason in accepted:
        if not reason.hashes and not all(_is_made_up(file) for file in reason.files):
            raise ValueError(f"{', '.join(reason.files)}: name the hashes that are accepted")
    if not all([*unscanned.values(), *(one.reason for one in accepted)]):
        raise ValueError("a reason is missing")
    return Reasons(unscanned, accepted)


def _is_made_up(file: str) -> bool:
    return any(fnmatchcase(file, pattern) for pattern in MADE_UP)


def judge(files: Sequence[str], findings: Iterable[Finding], reasons: Reasons) -> Verdict:
    """What looks like a secret without a reason, and the reasons that speak of nothing any more."""
    findings = tuple(findings)
    unexplained = [
        f"{one.file}:{one.line}: {one.kind} (sha1 {one.hash}): take it out and replace it where it counts;"
        f" if it is none, say why in {REASONS.name}"
        for one in findings
        if not any(reason.covers(one) for reason in reasons.accepted)
    ]
    return Verdict(
        "secrets",
        f"detect-secrets: {sum(map(reasons.is_scanned, files))} of {len(files)} files scanned,"
        f" {len(findings) - len(unexplained)} findings with a reason, {len(unexplained)} without one",
        (*unexplained, *_stale(files, findings, reasons)),
    )


def _stale(files: Sequence[str], findings: Sequence[Finding], reasons: Reasons) -> Iterator[str]:
    for pattern in reasons.unscanned:
        if not any(fnmatchcase(file, pattern) for file in files):
            yield f"{REASONS.name}: there is no {pattern}; take it out"
    for reason in reasons.accepted:
        covered = [one for one in findings if reason.covers(one)]
        left = [file for file in reason.files if not any(fnmatchcase(one.file, file) for one in covered)]
        left += sorted(reason.hashes - {one.hash for one in covered})
        for name in left:
            yield f"{REASONS.name}: {reason.kind} {name} is found no more; take it out"
