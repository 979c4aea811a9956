"""Secrets of Secrets Manager, by the rules of AWS that matter here: versions, their labels, their time of creation.

tests/integration/adapters/test_secret_versions.py holds it against moto.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from mypy_boto3_secretsmanager import SecretsManagerClient

    from direct_debit.application.ports.time_and_chance import Clock

_CURRENT, _PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"


class FakeSecretsManager:
    """The secret starts without a value. Times are the clock's, in whole seconds as AWS tells them in its headers."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._versions: dict[str, tuple[str, datetime]] = {}
        self._labels: dict[str, str] = {}

    @property
    def client(self) -> SecretsManagerClient:
        """It, as the client of boto3 that it stands for."""
        return cast("SecretsManagerClient", self)

    def text(self, label: str = _CURRENT) -> str:
        """What the version with this label holds."""
        return self._versions[self._labels[label]][0]

    def labels(self) -> Mapping[str, str]:
        """The versions by their labels."""
        return dict(self._labels)

    def get_secret_value(self, **asked: str) -> Mapping[str, object]:
        """Read one version, by its id or its label."""
        version_id = asked.get("VersionId") or self._labels.get(asked.get("VersionStage", _CURRENT))
        if version_id is None or version_id not in self._versions:
            raise _refused("ResourceNotFoundException", "GetSecretValue")
        text, created = self._versions[version_id]
        return {
            "VersionId": version_id,
            "SecretString": text,
            "CreatedDate": created,
            "ResponseMetadata": {"HTTPHeaders": {"date": f"{self._clock.now():%a, %d %b %Y %H:%M:%S GMT}"}},
        }

    def put_secret_value(self, **given: object) -> Mapping[str, str]:
        """Add a version."""
        version_id = f"version-{len(self._versions) + 1}"
        self._versions[version_id] = (str(given["SecretString"]), self._clock.now())
        for label in cast("Sequence[str]", given.get("VersionStages", (_CURRENT,))):
            self._give(label, version_id)
        return {"VersionId": version_id}

    def update_secret_version_stage(self, **asked: str) -> Mapping[str, str]:
        """Take a label from a version."""
        label = asked["VersionStage"]
        if self._labels.get(label) != asked["RemoveFromVersionId"]:
            raise _refused("InvalidParameterException", "UpdateSecretVersionStage")
        del self._labels[label]
        return {}

    def list_secret_version_ids(self, **asked: object) -> Mapping[str, object]:
        """List the versions; those without a label too, if they are asked for."""
        listed = [
            {
                "VersionId": version_id,
                "CreatedDate": created,
                "VersionStages": [label for label, one in self._labels.items() if one == version_id],
            }
            for version_id, (_, created) in self._versions.items()
        ]
        return {"Versions": [one for one in listed if one["VersionStages"] or asked.get("IncludeDeprecated")]}

    def _give(self, label: str, version_id: str) -> None:
        if label == _CURRENT and _CURRENT in self._labels:
            self._labels[_PREVIOUS] = self._labels[_CURRENT]
        self._labels[label] = version_id


class SeveralSecrets:
    """Secrets by their ids. Whoever reads one is noted in `read`, in order."""

    def __init__(self, secrets: Mapping[str, FakeSecretsManager]) -> None:
        self._secrets = secrets
        self.read: list[str] = []

    @property
    def client(self) -> SecretsManagerClient:
        """They, as the client of boto3 that they stand for."""
        return cast("SecretsManagerClient", self)

    def get_secret_value(self, **asked: str) -> Mapping[str, object]:
        """Read one version."""
        self.read.append(asked["SecretId"])
        return self._secrets[asked["SecretId"]].get_secret_value(**asked)

    def put_secret_value(self, **given: object) -> Mapping[str, str]:
        """Add a version."""
        return self._secrets[str(given["SecretId"])].put_secret_value(**given)

    def update_secret_version_stage(self, **asked: str) -> Mapping[str, str]:
        """Take a label from a version."""
        return self._secrets[asked["SecretId"]].update_secret_version_stage(**asked)

    def list_secret_version_ids(self, **asked: object) -> Mapping[str, object]:
        """List the versions of one."""
        return self._secrets[str(asked["SecretId"])].list_secret_version_ids(**asked)


def _refused(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, operation)
