"""What API Gateway answers by itself, as template.yaml writes it: for the documents, which have no other words for it.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.deploy.template import member, read_template

TEMPLATE = Path(__file__).parent.parent / "template.yaml"
# Kinds that only a deployment with access tokens (AuthMode JWT) answers.
OF_ACCESS_TOKENS = frozenset({"UNAUTHORIZED", "AUTHORIZER_FAILURE"})
_VARIABLE = re.compile(r'"?\$context\.[A-Za-z.]+"?')


@dataclass(frozen=True, slots=True)
class GatewayAnswer:
    """One answer: API Gateway's name of its kind, its status (None where several kinds fall back to it), its text."""

    kind: str
    status: int | None
    type: str
    title: str
    detail: str

    @property
    def slug(self) -> str:
        """Return what names it among the problems."""
        return self.type.rsplit("/", 1)[1]


def read_gateway_answers(template: Path = TEMPLATE) -> Sequence[GatewayAnswer]:
    """Return the answers in the template's order."""
    answers = member(read_template(template), "Resources", "Api", "Properties", "GatewayResponses")
    return [_read(kind, str(member(answers, kind, "ResponseTemplates")["application/json"])) for kind in answers]


def _read(kind: str, text: str) -> GatewayAnswer:
    body = json.loads(_VARIABLE.sub('""', text))
    return GatewayAnswer(kind, body.get("status"), body["type"], body["title"], body["detail"])
