"""The deployments so far, so that one can go back: what was deployed, beside the code it needs.

A deployed template carries its own id and that of the deployment before (`Metadata`), so the stack itself says which
one it is, whatever died on the way. What an id stands for (template, parameters) lies in the bucket of the code.
"""

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from botocore.exceptions import ClientError

from tools.deploy.clients import Clients
from tools.deploy.failure import DeployError
from tools.deploy.template import Node, member, node

_MARK = "Deployment"
_BUCKET = re.compile(r"s3://([^/\"]+)/")


@dataclass(frozen=True, slots=True)
class Deployment:
    """What one deployment deploys. `before` is the id of the one that it replaces; None for the first."""

    id: str
    before: str | None
    template: Node
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the deployments of a stack lie."""

    clients: Clients
    region: str
    bucket: str
    prefix: str

    def put(self, deployment: Deployment) -> str:
        """Keep a deployment; returns the address of its template for CloudFormation."""
        body = {
            "template": deployment.template,
            "parameters": dict(deployment.parameters),
            "before": deployment.before,
        }
        self._write(f"{deployment.id}.json", body)
        return self._write(f"{deployment.id}.template", deployment.template)

    def get(self, deployment_id: str) -> tuple[Deployment, str]:
        """Return a deployment and the address of its template. Raises DeployError when it is not there any more."""
        try:
            found = self.clients.s3.get_object(Bucket=self.bucket, Key=self._key(f"{deployment_id}.json"))
        except ClientError as error:
            code = error.response["Error"]["Code"]
            raise DeployError(
                f"the deployment {deployment_id} can not be read from {self.bucket} ({code}): deploy its commit instead"
            ) from None
        body = json.loads(found["Body"].read())
        before = body["before"]
        deployment = Deployment(deployment_id, before, node(body["template"]), dict(body["parameters"]))
        return deployment, self._address(f"{deployment_id}.template")

    def _write(self, name: str, content: object) -> str:
        self.clients.s3.put_object(
            Bucket=self.bucket, Key=self._key(name), Body=json.dumps(content).encode(), ContentType="application/json"
        )
        return self._address(name)

    def _key(self, name: str) -> str:
        return f"{self.prefix}/deployments/{name}"

    def _address(self, name: str) -> str:
        return f"https://s3.{self.region}.amazonaws.com/{self.bucket}/{self._key(name)}"


def mark(template: Node, before: str | None, parameters: Mapping[str, str]) -> Deployment:
    """Give a new deployment its id, and write it into the template."""
    deployment_id = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ-%f}"
    marked = cast("dict[str, dict[str, object]]", copy.deepcopy(template))
    marked.setdefault("Metadata", {})[_MARK] = {"Id": deployment_id, "Before": before or ""}
    return Deployment(deployment_id, before, marked, parameters)


def read_deployed(clients: Clients, stack: str) -> Node:
    """The template that the stack was deployed with."""
    body: object = clients.cloudformation.get_template(StackName=stack, TemplateStage="Original")["TemplateBody"]
    return node(json.loads(body)) if isinstance(body, str) and body.startswith("{") else node(body)


def read_mark(template: Node) -> tuple[str | None, str | None]:
    """The ids of the deployment that a template is, and of the one before; None where it was not deployed by this."""
    marked = member(template, "Metadata", _MARK)
    return str(marked.get("Id") or "") or None, str(marked.get("Before") or "") or None


def find_bucket(template: Node) -> str:
    """The bucket in which a packaged template's code lies. Raises DeployError."""
    match = _BUCKET.search(json.dumps(template))
    if match is None:
        raise DeployError("the deployed template names no bucket; it was not deployed by `make deploy`")
    return match[1]
