"""How many things a template may have, and how long some of its texts may be; AWS says so while it deploys.

A policy is measured as it stands in the translated template, white space apart, as IAM does: names that are resolved
later make it longer or shorter by a little, so that each bound has room.

Sources: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html (200 parameters, 200
outputs, 500 resources, a template of 1 MB, its description of 1,024 bytes);
https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html (a description of 256 characters);
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html (1,024);
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (a role's own policies 10,240 characters
together, a managed one 6,144); https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html (the policy of
an API 8,192 bytes).
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

type Json = Mapping[str, Any]

PARAMETERS = OUTPUTS = 200
RESOURCES = 500
TEMPLATE_BYTES = 1_000_000
TEMPLATE_DESCRIPTION = 1024
_ROOM = 0.75  # of a policy: what it names is resolved later


def find_beyond(template: Json) -> Iterator[str]:
    """Say what in a translated template is more, or longer, than AWS takes."""
    counts = {"Parameters": PARAMETERS, "Outputs": OUTPUTS, "Resources": RESOURCES}
    yield from (f"{name}: {len(template[name])}" for name, most in counts.items() if len(template[name]) > most)
    if (size := _size(template)) > TEMPLATE_BYTES:
        yield f"the template: {size}"
    if len(str(template.get("Description", "")).encode()) > TEMPLATE_DESCRIPTION:
        yield "its description"
    for name, resource in template["Resources"].items():
        length, most = _measure(resource["Type"], resource.get("Properties", {}))
        if length > most:
            yield f"{name}: {length}"


def _measure(kind: str, properties: Json) -> tuple[int, float]:
    """How long a resource's bounded text is, and how long it may be."""
    match kind:
        case "AWS::Lambda::Function":
            return len(properties.get("Description", "")), 256
        case "AWS::CloudWatch::Alarm":
            return len(properties.get("AlarmDescription", "")), 1024
        case "AWS::IAM::Role":
            return sum(_size(one["PolicyDocument"]) for one in properties.get("Policies", ())), 10_240 * _ROOM
        case "AWS::IAM::ManagedPolicy":
            return _size(properties["PolicyDocument"]), 6_144 * _ROOM
        case "AWS::ApiGateway::RestApi":
            return _size(properties.get("Body", {}).get("x-amazon-apigateway-policy", {})), 8_192 * _ROOM
    return 0, 0


def _size(value: object) -> int:
    return len(json.dumps(value, separators=(",", ":")).encode())
