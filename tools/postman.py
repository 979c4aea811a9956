"""Makes a Postman collection of docs/openapi.json by Postman's own converter: `make postman`.

The import in its window uses the same program. What it can not know is set here: requests get the document's examples
and no random values, and the collection signs with AWS Signature V4 instead of an API key.
"""

import json
import sys
from pathlib import Path
from typing import Any

from tools.npm_tools import ROOT, run_tool

DOCUMENT = ROOT / "docs" / "openapi.json"
COLLECTION = ROOT / ".local" / "postman-collection.json"
# Postman's window calls the first two "Parameter generation" and "Enable optional parameters".
OPTIONS = "parametersResolution=Example,enableOptionalParameters=false,folderStrategy=Tags,optimizeConversion=false"
_SIGNING = {
    "accessKey": "{{accessKeyId}}",
    "secretKey": "{{secretAccessKey}}",
    "sessionToken": "{{sessionToken}}",
    "region": "{{region}}",
    "service": "execute-api",
}
_VARIABLES = ("accessKeyId", "secretAccessKey", "sessionToken", "region")


def convert(collection: Path, *, options: str = OPTIONS) -> dict[str, Any]:
    """Return what Postman's import makes of the document. Raises RuntimeError with the converter's words."""
    script = "openapi-to-postmanv2/bin/openapi2postmanv2.js"
    done = run_tool("postman", script, ["-s", DOCUMENT, "-o", collection, "-O", options])
    if done.returncode != 0 or not collection.is_file():
        raise RuntimeError(done.stdout + done.stderr)
    converted: dict[str, Any] = json.loads(collection.read_text("utf-8"))
    return converted


def sign_by_aws(collection: dict[str, Any]) -> dict[str, Any]:
    """Return the collection with AWS Signature V4 for all requests that had the API key."""
    pairs = [{"key": key, "value": value, "type": "string"} for key, value in _SIGNING.items()]
    variables = [*collection.get("variable", []), *({"key": name, "value": ""} for name in _VARIABLES)]
    signed = {**collection, "auth": {"type": "awsv4", "awsv4": pairs}, "variable": variables}
    return {**signed, "item": [_as_the_collection(item) for item in collection["item"]]}


def _as_the_collection(item: dict[str, Any]) -> dict[str, Any]:
    """Take an API key off a request, and off those in a folder."""
    if "item" in item:
        return {**item, "item": [_as_the_collection(inner) for inner in item["item"]]}
    request = item["request"]
    if (request.get("auth") or {}).get("type") != "apikey":
        return item
    return {**item, "request": {**request, "auth": None}}


def main() -> int:
    """Write the collection."""
    COLLECTION.parent.mkdir(exist_ok=True)
    COLLECTION.write_text(json.dumps(sign_by_aws(convert(COLLECTION)), indent=1) + "\n", "utf-8")
    print(f"{COLLECTION.relative_to(ROOT)}: import it in Postman, and fill its variables")
    return 0


if __name__ == "__main__":
    sys.exit(main())
