"""Runs detect-secrets over files, in .tools/audit, without network. Reads their names, prints JSON: name → findings.

A finding has its kind, its line and the SHA-1 of what was found, as detect-secrets keeps baselines; never the text.
"""

import json
import sys
from collections.abc import Iterable

from detect_secrets import SecretsCollection
from detect_secrets.core.potential_secret import PotentialSecret
from detect_secrets.core.scan import scan_line
from detect_secrets.settings import transient_settings

# The services whose keys could come here, and what looks like a key of any.
DETECTORS = (
    "AWSKeyDetector",
    "Base64HighEntropyString",
    "BasicAuthDetector",
    "GitHubTokenDetector",
    "GitLabTokenDetector",
    "HexHighEntropyString",
    "JwtTokenDetector",
    "KeywordDetector",
    "NpmDetector",
    "PrivateKeyDetector",
    "PypiTokenDetector",
    "SlackDetector",
)
# Made up, and in two pieces, so that it is not found where it stands.
_CANARY = 'key = "AKIA' + 'Q7RZ2M5XK9TB4WPD"'
# It would try at its service whether a key that it found works, and so send it out.
_VERIFICATION = "detect_secrets.filters.common.is_ignored_due_to_verification_policies"


def _describe(secrets: Iterable[PotentialSecret]) -> list[dict[str, str | int]]:
    ordered = sorted(secrets, key=lambda one: (one.line_number, one.type, one.secret_hash))
    return [{"kind": one.type, "line": one.line_number, "hash": one.secret_hash} for one in ordered]


def main() -> int:
    """Scan the files whose names come on standard input, one a line; exit status 1 where a planted key is not found."""
    found = SecretsCollection()
    with transient_settings({"plugins_used": [{"name": name} for name in DETECTORS]}) as settings:
        settings.disable_filters(_VERIFICATION)
        if not any(scan_line(_CANARY)):
            print("a key that was planted is not found: the scan is blind", file=sys.stderr)
            return 1
        names = sys.stdin.read().splitlines()
        for name in names:
            found.scan_file(name)
    print(json.dumps({name: _describe(found.data.get(name, ())) for name in names}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
