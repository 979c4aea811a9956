"""How this program reaches the emulator: endpoint, region, root credentials, typed clients."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import boto3
from botocore.config import Config

from tools.local_cloud.cloudwatch import CloudWatch

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

# Fixed by the emulator: whoever signs with this key is root. Used for deploying and looking, never by the journey.
ROOT_KEY = "test"
ROOT_SECRET = "test"  # noqa: S105 - the emulator's published root key


@dataclass(frozen=True, slots=True)
class Cloud:
    """A running emulator."""

    endpoint: str
    region: str

    def environment(self) -> dict[str, str]:
        """The variables with which AWS tools reach the emulator, and nothing else of AWS."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_ACCESS_KEY_ID": ROOT_KEY,
            "AWS_SECRET_ACCESS_KEY": ROOT_SECRET,
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def _session(self) -> boto3.Session:
        return boto3.Session(aws_access_key_id=ROOT_KEY, aws_secret_access_key=ROOT_SECRET, region_name=self.region)

    @property
    def _config(self) -> Config:
        # A function may take its whole 60 s, a busy machine more; proxies have no business on the loopback interface.
        return Config(connect_timeout=60, read_timeout=300, retries={"max_attempts": 2}, proxies={})

    def cloudformation(self) -> "CloudFormationClient":
        """A root client of CloudFormation."""
        return self._session().client("cloudformation", endpoint_url=self.endpoint, config=self._config)

    def cloudwatch(self) -> CloudWatch:
        """A root client of CloudWatch."""
        # No stubs of it are installed: the part that is used is typed in cloudwatch.py.
        return cast("CloudWatch", self._session().client("cloudwatch", endpoint_url=self.endpoint, config=self._config))

    def dynamodb(self) -> "DynamoDBClient":
        """A root client of DynamoDB."""
        return self._session().client("dynamodb", endpoint_url=self.endpoint, config=self._config)

    def events(self) -> "EventBridgeClient":
        """A root client of EventBridge."""
        return self._session().client("events", endpoint_url=self.endpoint, config=self._config)

    def iam(self) -> "IAMClient":
        """A root client of IAM."""
        return self._session().client("iam", endpoint_url=self.endpoint, config=self._config)

    def functions(self, *, retries: int = 2) -> "LambdaClient":
        """A root client of Lambda, which repeats a call that was throttled or not answered so often."""
        config = self._config.merge(Config(retries={"max_attempts": retries}))
        return self._session().client("lambda", endpoint_url=self.endpoint, config=config)

    def logs(self) -> "CloudWatchLogsClient":
        """A root client of CloudWatch Logs."""
        return self._session().client("logs", endpoint_url=self.endpoint, config=self._config)

    def s3(self) -> "S3Client":
        """A root client of S3."""
        return self._session().client("s3", endpoint_url=self.endpoint, config=self._config)

    def secrets(self) -> "SecretsManagerClient":
        """A root client of Secrets Manager."""
        return self._session().client("secretsmanager", endpoint_url=self.endpoint, config=self._config)

    def sqs(self) -> "SQSClient":
        """A root client of SQS."""
        return self._session().client("sqs", endpoint_url=self.endpoint, config=self._config)

    def stepfunctions(self) -> "SFNClient":
        """A root client of Step Functions."""
        return self._session().client("stepfunctions", endpoint_url=self.endpoint, config=self._config)
