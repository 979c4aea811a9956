"""Known vulnerabilities of what is shipped, by pip-audit from PyPI's data; out of reach, that is said, and no fault."""

import json
import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.audit.licences import LAYER
from tools.audit.places import ScanFailed, build_environment, python_of
from tools.audit.verdict import Verdict
from tools.local_cloud.checkout import ROOT

REASONS: Final = Path(__file__).parent / "vulnerabilities.toml"
_ENVIRONMENT = "audit"
_TIMEOUT_SECONDS = 5
# What pip-audit's words have where the data could not be fetched: the library's errors, and its own sentence.
_UNREACHABLE: Final = ("requests.exceptions.", "Could not connect to")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the data says of a package: None where it says nothing; else advisories, id → versions that mend it."""

    package: str
    advisories: Mapping[str, Sequence[str]] | None


def audit_packages() -> Verdict:
    """Audit the layer's packages. Raises ScanFailed where pip-audit can not be built, or fails by itself."""
    build_environment(_ENVIRONMENT)
    accepted = read_accepted(REASONS.read_text("utf-8"))
    done = subprocess.run(
        [
            *(str(python_of(_ENVIRONMENT)), "-m", "pip_audit", "--requirement", str(LAYER), "--require-hashes"),
            *("--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", str(_TIMEOUT_SECONDS)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return judge(read_answers(done.stdout, done.stderr), accepted)


def read_answers(said: str, complained: str) -> tuple[Answer, ...]:
    """Read pip-audit's document; nothing where it had no network. Raises ScanFailed with its words otherwise."""
    try:
        packages = json.loads(said)["dependencies"]
    except ValueError as error:
        if any(sign in complained for sign in _UNREACHABLE):
            return ()
        raise ScanFailed(f"pip-audit: {complained.strip()[-2000:]}") from error
    return tuple(
        Answer(
            f"{one['name']} {one.get('version', '')}".strip(),
            None if "skip_reason" in one else {flaw["id"]: tuple(flaw["fix_versions"]) for flaw in one["vulns"]},
        )
        for one in packages
    )


def read_accepted(text: str) -> dict[str, str]:
    """Read vulnerabilities.toml: advisory → reason. Raises ValueError where there is none."""
    accepted = {one["id"]: one["reason"].strip() for one in tomllib.loads(text).get("accepted", ())}
    if not all(accepted.values()):
        raise ValueError("a reason is missing")
    return accepted


def judge(answers: Sequence[Answer], accepted: Mapping[str, str]) -> Verdict:
    """Name the advisories without a reason, and how much was looked at."""
    known = [one for one in answers if one.advisories is not None]
    if not known:
        return Verdict("vulnerabilities", "NOT LOOKED AT: PyPI's data of vulnerabilities can not be reached from here")
    faults, found = [], set()
    for one in known:
        for flaw, mended in (one.advisories or {}).items():
            found.add(flaw)
            if flaw not in accepted:
                faults.append(f"{one.package}: {flaw}, mended in {', '.join(mended) or 'no version yet'}")
    faults += [f"{REASONS.name}: {flaw} is found no more; take it out" for flaw in accepted if flaw not in found]
    unknown = f", {len(answers) - len(known)} of which nothing is known" if len(known) < len(answers) else ""
    return Verdict("vulnerabilities", f"pip-audit: {len(known)} packages looked up{unknown}", tuple(faults))
