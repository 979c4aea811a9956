"""The template's API once more, with other parameters, beside the stack's own and over the same functions."""

import contextlib
import json
from collections.abc import Iterator, Mapping

from tests.template.translation import translated
from tools.local_cloud.stack import LocalStack

# What of the template makes an API.
OF_THE_API = (
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::Stage",
    "AWS::Lambda::Permission",
)


@contextlib.contextmanager
def api_beside(stack: LocalStack, name: str, **parameters: str) -> Iterator[str]:
    """Deploy the API with these parameters as a stack of this name; yields the API's id, and removes it at the end."""
    cloudformation = stack.cloud.cloudformation()
    aliases = {
        output.removesuffix("Alias") + "Aliaslive": arn
        for output, arn in stack.outputs.items()
        if output.endswith("Alias")
    }
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=_template(aliases, parameters),
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value} for key, value in ({**aliases, "DomainName": ""}).items()
        ],
    )
    try:
        cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
        made = cloudformation.describe_stack_resource(StackName=name, LogicalResourceId="Api")
        yield made["StackResourceDetail"]["PhysicalResourceId"]
    finally:
        cloudformation.delete_stack(StackName=name)


def address_of(stack: LocalStack, api_id: str) -> str:
    """Where an API is called."""
    return f"{stack.cloud.endpoint}/_aws/execute-api/{api_id}/v1"


def _template(aliases: Mapping[str, str], chosen: Mapping[str, str]) -> str:
    """The template's API alone, over functions that are there: `aliases` are their logical ids."""
    template = translated(**chosen)
    parts = {
        name: {**{key: value for key, value in resource.items() if key != "DependsOn"}, "Properties": properties}
        for name, resource in template["Resources"].items()
        if resource["Type"] in OF_THE_API
        and (
            properties := {
                k: v for k, v in resource["Properties"].items() if k not in {"AccessLogSetting", "MethodSettings"}
            }
        )
    }
    parameters = {name: {"Type": "String"} for name in (*aliases, "DomainName")}
    conditions = {"HasCustomDomain": template["Conditions"]["HasCustomDomain"]}
    return json.dumps({"Parameters": parameters, "Conditions": conditions, "Resources": parts})
