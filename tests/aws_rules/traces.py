"""What X-Ray is told by a stage of API Gateway, and by a function of its own accord.

A segment of the stage has `http.request` with the whole URL, the client's address and its user agent. A function with
active tracing makes segments with its name, its version and the request id; what else is in them, an SDK in the
function's code put there: calls with their addresses, annotations, metadata, errors with their texts.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-understanding-xray-traces.html;
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html;
https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html
"""

import re
from collections.abc import Iterable, Mapping

TRACING_PACKAGES = ("aws_xray_sdk", "aws_lambda_powertools.tracing", "opentelemetry", "ddtrace")


def recorded_by_traces(stage: Mapping[str, object], routes: Iterable[tuple[str, str]]) -> set[str]:
    """Return what a stage's traces have of requests: parts of paths, and who asked."""
    if stage.get("TracingEnabled", False) is False:
        return set()
    return {"client_ip", "user_agent"} | {part for _, path in routes for part in re.findall(r"{\w+}", path)}
