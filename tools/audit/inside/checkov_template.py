"""Runs checkov over a template; runs in .tools/checkov, without network. Prints JSON: passed, resources, failed."""

import json
import logging
import sys

from checkov.cloudformation.runner import Runner
from checkov.runner_filter import RunnerFilter


def main() -> int:
    """Scan the file that is named; exit status 1 where it can not be read."""
    logging.disable(logging.WARNING)
    report = Runner().run(
        root_folder=None, files=[sys.argv[1]], runner_filter=RunnerFilter(framework=["cloudformation"])
    )
    if report.parsing_errors or not report.passed_checks:
        print(f"checkov can not read {sys.argv[1]}", file=sys.stderr)
        return 1
    failed = [{"check": one.check_id, "name": one.check_name, "resource": one.resource} for one in report.failed_checks]
    print(json.dumps({"passed": len(report.passed_checks), "resources": len(report.resources), "failed": failed}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
