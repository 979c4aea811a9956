"""What a deployed stack consists of, by the names of the template."""

from collections.abc import Mapping
from dataclasses import dataclass

from tools.local_cloud.aws import Cloud


@dataclass(frozen=True, slots=True)
class StackResources:
    """The resources of a stack: type → logical id → physical id."""

    by_type: Mapping[str, Mapping[str, str]]

    def physical_ids(self, kind: str) -> Mapping[str, str]:
        """Logical id → physical id of all resources of a CloudFormation type."""
        return self.by_type.get(kind, {})


def stack_resources(cloud: Cloud, stack: str) -> StackResources:
    """Read the resources of a deployed stack. Raises botocore's error when there is no such stack."""
    found: dict[str, dict[str, str]] = {}
    pages = cloud.cloudformation().get_paginator("list_stack_resources").paginate(StackName=stack)
    for resource in (resource for page in pages for resource in page["StackResourceSummaries"]):
        physical = resource.get("PhysicalResourceId")
        if physical:
            found.setdefault(resource["ResourceType"], {})[resource["LogicalResourceId"]] = physical
    return StackResources(found)
