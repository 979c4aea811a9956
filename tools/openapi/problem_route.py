"""GET /problems/{slug}: the pages that problems' `type` opens."""

from direct_debit.entrypoint.errors import PROBLEMS
from tools.openapi.gateway import refer_gateway
from tools.openapi.headers import REQUEST_ID
from tools.openapi.json_values import Json
from tools.openapi.security import NOBODY

_PAGE: Json = {"text/html; charset=utf-8": {"schema": {"type": "string"}}}


def problem_path() -> dict[str, Json]:
    """Return the route."""
    operation: Json = {
        "operationId": "explain_problem",
        "tags": ["problems"],
        "summary": "Explain a problem",
        "description": "A page for people: when the problem happens, what to do, and how the answer looks.",
        "security": NOBODY,
        "parameters": [
            {
                "name": "slug",
                "in": "path",
                "required": True,
                "description": "The last part of the problem's `type`.",
                "example": "otp-wrong",
                "schema": {"type": "string", "enum": sorted(PROBLEMS)},
            }
        ],
        "responses": {
            "200": {"description": "The page.", "headers": REQUEST_ID, "content": _PAGE},
            "404": {
                "description": "No such problem; a page with all of them.",
                "headers": REQUEST_ID,
                "content": _PAGE,
            },
            "429": refer_gateway(429),
            "504": refer_gateway(504),
        },
    }
    return {"/problems/{slug}": {"get": operation}}
