"""The scans of `make check`, side by side: what is found without a reason fails.

python -m tools.audit                       # all of them
python -m tools.audit template secrets      # only these
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from tools.audit.licences import check_licences
from tools.audit.places import ScanFailed
from tools.audit.secret_scan import scan_secrets
from tools.audit.template_scan import scan_template
from tools.audit.verdict import Verdict
from tools.audit.vulnerabilities import audit_packages

SCANS: Final[Mapping[str, Callable[[], Verdict]]] = {
    "template": scan_template,
    "secrets": scan_secrets,
    "licences": check_licences,
    "vulnerabilities": audit_packages,
}


def main() -> int:
    """Run the scans that are named, or all; returns 1 where one found something or did not come to an end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scan", nargs="*", choices=list(SCANS), metavar="scan", help=", ".join(SCANS))
    names = parser.parse_args().scan or list(SCANS)
    with ThreadPoolExecutor() as pool:
        verdicts = list(pool.map(run, names))
    for verdict in verdicts:
        print(f"{verdict.scan}: {verdict.summary}")
        for fault in verdict.faults:
            print(f"  {fault}")
    return 1 if any(verdict.faults for verdict in verdicts) else 0


def run(name: str) -> Verdict:
    """Run one scan; that it did not come to an end is a fault as well."""
    try:
        return SCANS[name]()
    except ScanFailed as error:
        return Verdict(name, "did not come to an end", (str(error),))


if __name__ == "__main__":
    sys.exit(main())
