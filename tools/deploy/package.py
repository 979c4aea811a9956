"""`sam build` and `sam package`: the template with its code in a bucket."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from tools.deploy.template import Node, node
from tools.local_cloud import sam


def package(
    built: Path, folder: Path, *, prefix: str, bucket: str | None, environment: Mapping[str, str], log: Path
) -> Node:
    """Upload the built code and return the template that names it; without `bucket`, SAM's own bucket is used.

    Raises LocalCloudError with SAM's last words.
    """
    output = folder / "packaged.json"
    sam.run_sam(
        "package",
        *("--template-file", str(built / "template.yaml"), "--output-template-file", str(output), "--use-json"),
        *(("--s3-bucket", bucket) if bucket else ("--resolve-s3",)),
        *("--s3-prefix", prefix, "--no-progressbar"),
        environment=dict(environment),
        log=log,
    )
    return node(json.loads(output.read_text("utf-8")))


def caller_environment(region: str) -> dict[str, str]:
    """The variables with which SAM is who this shell is at AWS."""
    own = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    return own | {"AWS_DEFAULT_REGION": region, "AWS_REGION": region}
