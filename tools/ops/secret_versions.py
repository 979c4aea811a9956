"""The versions of the secret, as Secrets Manager keeps them. What they hold is in no repr, and goes to no output.

AWSCURRENT is in use, AWSPREVIOUS overlaps with it for a while, AWSPENDING holds a key that DOKU does not know yet and
that no function reads. A version without a label is in use for nobody, and may be readable for some time.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import ClientError

from tools.ops.failure import OpsError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import GetSecretValueResponseTypeDef

type Stage = Literal["AWSCURRENT", "AWSPREVIOUS", "AWSPENDING"]

_NOT_THERE = "ResourceNotFoundException"
_OLDER = 10  # versions without a label that are looked at
_LISTED = 100  # at once; AWS keeps hardly more


@dataclass(frozen=True, slots=True)
class Version:
    """One version. `read_at` is AWS's time at the reading (UTC, whole seconds), where its answer told it."""

    id: str
    created_at: datetime
    text: str = field(repr=False)
    read_at: datetime | None = None


class SecretVersions:
    """The versions of one secret. Every method raises botocore's errors where AWS refuses or does not answer."""

    def __init__(self, client: "SecretsManagerClient", secret_id: str) -> None:
        self._client = client
        self.secret_id = secret_id

    def read(self, stage: Stage) -> Version | None:
        """Return the version with this label; None where there is none."""
        try:
            return _version(self._client.get_secret_value(SecretId=self.secret_id, VersionStage=stage))
        except ClientError as error:
            if error.response["Error"]["Code"] == _NOT_THERE:
                return None
            raise

    def read_current(self) -> Version:
        """Return the version in use. Raises OpsError where the secret has no value yet."""
        version = self.read("AWSCURRENT")
        if version is None:
            raise OpsError("the secret has no value yet: ./ops onboard fills it")
        return version

    def read_unlabelled(self) -> list[Version]:
        """Return the versions that no label names any more and that AWS still has, the newest first, ten at most."""
        answer = self._client.list_secret_version_ids(
            SecretId=self.secret_id, IncludeDeprecated=True, MaxResults=_LISTED
        )
        listed = [one for one in answer["Versions"] if not one.get("VersionStages")]
        listed.sort(key=lambda one: one["CreatedDate"], reverse=True)
        found = (self._read_by_id(one["VersionId"]) for one in listed[:_OLDER])
        return [one for one in found if one is not None]

    def _read_by_id(self, version_id: str) -> Version | None:
        try:
            return _version(self._client.get_secret_value(SecretId=self.secret_id, VersionId=version_id))
        except ClientError as error:
            if error.response["Error"]["Code"] == _NOT_THERE:
                return None  # AWS has just deleted it
            raise

    def put(self, text: str, *, after: Version | None) -> Version:
        """Put a new version into use; the one before it becomes AWSPREVIOUS.

        `after` is the version in use as it was read. Raises OpsError where somebody else has put another one since.
        """
        made = self._client.put_secret_value(SecretId=self.secret_id, SecretString=text)["VersionId"]
        current, previous = self.read("AWSCURRENT"), self.read("AWSPREVIOUS")
        before = None if previous is None else previous.id
        if current is None or current.id != made or before != (None if after is None else after.id):
            raise OpsError(
                "somebody else changed the secret at the same time, and one change may have undone the other: "
                "./ops doctor, then look at what is in use"
            )
        return current

    def put_pending(self, text: str) -> None:
        """Keep a text aside as AWSPENDING, in the place of the one before: AWS moves the label."""
        self._client.put_secret_value(SecretId=self.secret_id, SecretString=text, VersionStages=["AWSPENDING"])

    def end(self, stage: Literal["AWSPREVIOUS", "AWSPENDING"]) -> bool:
        """Take the label from the version that has it; False where none had it."""
        version = self.read(stage)
        if version is None:
            return False
        self._client.update_secret_version_stage(
            SecretId=self.secret_id, VersionStage=stage, RemoveFromVersionId=version.id
        )
        return True


def _version(answer: "GetSecretValueResponseTypeDef") -> Version:
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return Version(
        id=answer["VersionId"],
        created_at=answer["CreatedDate"].astimezone(UTC),
        text=answer.get("SecretString", ""),
        read_at=read_date(headers.get("date")),
    )


def read_date(header: str | None) -> datetime | None:
    """Return the time of an HTTP `Date` header; None for none, or for what is no time."""
    try:
        return None if header is None else parsedate_to_datetime(header).astimezone(UTC)
    except ValueError:
        return None
