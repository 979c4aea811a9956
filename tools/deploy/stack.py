"""The deployed stack as CloudFormation tells it."""

from collections.abc import Mapping
from dataclasses import dataclass

from botocore.exceptions import ClientError

from tools.deploy.clients import Clients


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack that exists."""

    name: str
    status: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]
    tags: Mapping[str, str]


def find_stack(clients: Clients, name: str) -> Stack | None:
    """Return the stack; None when there is none of this name."""
    try:
        found = clients.cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError" and "does not exist" in str(error):
            return None
        raise
    stack = found[0]
    return Stack(
        name,
        stack["StackStatus"],
        {one.get("ParameterKey", ""): one.get("ParameterValue", "") for one in stack.get("Parameters", [])},
        {one.get("OutputKey", ""): one.get("OutputValue", "") for one in stack.get("Outputs", [])},
        {one["Key"]: one["Value"] for one in stack.get("Tags", [])},
    )


def function_names(clients: Clients, stack: str) -> dict[str, str]:
    """Logical id of each function of the stack, and its name."""
    pages = clients.cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::Lambda::Function" and "PhysicalResourceId" in resource
    }
