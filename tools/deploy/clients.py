"""The clients of AWS that a deployment needs, with the credentials of whoever calls."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client

_CONFIG = Config(retries={"mode": "standard", "max_attempts": 6})


@dataclass(frozen=True, slots=True)
class Clients:
    """Typed clients of one account and region."""

    cloudformation: "CloudFormationClient"
    functions: "LambdaClient"
    s3: "S3Client"


def connect(region: str) -> Clients:
    """Clients with the usual credentials of this shell (profile, variables, role)."""
    session = boto3.Session(region_name=region)
    return Clients(
        session.client("cloudformation", config=_CONFIG),
        session.client("lambda", config=_CONFIG),
        session.client("s3", config=_CONFIG),
    )
