"""template.yaml by checkov's rules; what is refused and stays has a reason in template.toml.

checkov gets the template as `sam build` writes it for CloudFormation, without the anchors that say once what repeats:
it reads no mapping that is merged into another.
"""

import json
import re
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, cast

from tools.audit.places import build_environment, digest_of, recall, remember, run_inside, tool_digest
from tools.audit.verdict import Verdict
from tools.deploy.template import read_template
from tools.local_cloud.checkout import TEMPLATE

REASONS: Final = Path(__file__).parent / "template.toml"
KINDS: Final = ("wrong", "decided", "open")
_ENVIRONMENT, _SCRIPT = "checkov", "checkov_template.py"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a rule refuses: its id and name, the resource (`AWS::SQS::Queue.NotificationQueue`), where it begins."""

    check: str
    name: str
    resource: str
    line: int


@dataclass(frozen=True, slots=True)
class Reason:
    """Why refusals stay: the rule is wrong here, we decided otherwise, or it is still open."""

    check: str
    resources: tuple[str, ...]
    kind: str
    reason: str

    def covers(self, refusal: Refusal) -> bool:
        """Whether the reason speaks of this refusal; resources may be patterns as of a shell."""
        return self.check == refusal.check and any(fnmatchcase(refusal.resource, one) for one in self.resources)


@dataclass(frozen=True, slots=True)
class Scan:
    """What checkov said of a template."""

    passed: int
    resources: int
    refusals: tuple[Refusal, ...]


def scan_template() -> Verdict:
    """Scan template.yaml and judge what is found. Raises ScanFailed."""
    return judge(run_checkov(TEMPLATE), read_reasons(REASONS.read_text("utf-8")))


def run_checkov(template: Path) -> Scan:
    """Return what checkov says; at once where neither the template nor checkov has changed. Raises ScanFailed."""
    build_environment(_ENVIRONMENT)
    state = f"{tool_digest(_ENVIRONMENT, _SCRIPT)} {digest_of(template)}"
    known = recall(_ENVIRONMENT)
    if state not in known:
        with tempfile.TemporaryDirectory() as folder:
            written_out = Path(folder) / "template.json"
            written_out.write_text(json.dumps(read_template(template)), "utf-8")
            known = {state: run_inside(_ENVIRONMENT, _SCRIPT, [str(written_out)])}
        remember(_ENVIRONMENT, known)
    return _read_scan(cast("dict[str, object]", known[state]), template.read_text("utf-8"))


def _read_scan(found: dict[str, object], text: str) -> Scan:
    failed = cast("list[dict[str, str]]", found["failed"])
    return Scan(
        passed=int(str(found["passed"])),
        resources=int(str(found["resources"])),
        refusals=tuple(
            Refusal(one["check"], one["name"], one["resource"], line_of(one["resource"], text)) for one in failed
        ),
    )


def line_of(resource: str, text: str) -> int:
    """The line of a template's text where a resource begins; 1 for one that the text does not name."""
    begin = re.search(rf"^  {re.escape(resource.rpartition('.')[2])}:", text, re.MULTILINE)
    return 1 + text.count("\n", 0, begin.start()) if begin else 1


def read_reasons(text: str) -> tuple[Reason, ...]:
    """Read template.toml. Raises ValueError for a kind that is none, and for a reason without words."""
    reasons = tuple(
        Reason(one["check"], tuple(one["resources"]), one["kind"], one["reason"].strip())
        for one in tomllib.loads(text)["accepted"]
    )
    for reason in reasons:
        if reason.kind not in KINDS or not reason.reason:
            raise ValueError(f"{reason.check}: a kind of {KINDS} and a reason are needed")
    return reasons


def judge(scan: Scan, reasons: Sequence[Reason]) -> Verdict:
    """What is refused without a reason, and the reasons that speak of nothing any more."""
    kinds: Counter[str] = Counter()
    unexplained = []
    for refusal in scan.refusals:
        reason = next((one for one in reasons if one.covers(refusal)), None)
        if reason is None:
            unexplained.append(
                f"template.yaml:{refusal.line}: {refusal.check} {refusal.resource}: {refusal.name}"
                f" (mend it, or say why not in {REASONS.name})"
            )
        else:
            kinds[reason.kind] += 1
    counts = f"the rule is wrong: {kinds['wrong']}, decided otherwise: {kinds['decided']}, open: {kinds['open']}"
    return Verdict(
        "template",
        f"checkov: {scan.passed} passed, {sum(kinds.values())} refused with a reason ({counts}),"
        f" {len(unexplained)} without one; {scan.resources} resources",
        (*unexplained, *_stale(scan, reasons)),
    )


def _stale(scan: Scan, reasons: Sequence[Reason]) -> Iterator[str]:
    for reason in reasons:
        for pattern in reason.resources:
            one = Reason(reason.check, (pattern,), reason.kind, reason.reason)
            if not any(map(one.covers, scan.refusals)):
                yield f"{REASONS.name}: {reason.check} {pattern} is refused no more; take the reason out"
