"""botocore's models of what the functions call, and no others, for the deployed layer (decision 0039).

A cold start spends a third of its time on reading what AWS can do: 57 operations of DynamoDB where five are used, and
the endpoints of 400 services. They are taken from the botocore that is locked for development; Lambda's own is of
about the same age, and an operation's model does not change but for additions.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from botocore.loaders import Loader

OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "dynamodb": ("GetItem", "PutItem", "Query", "TransactWriteItems", "UpdateItem"),
    "events": ("PutEvents",),
    "secretsmanager": ("GetSecretValue",),
    "sqs": ("ChangeMessageVisibility", "SendMessage"),
    "stepfunctions": ("SendTaskSuccess",),
}
"""What the adapters call, by service. A call that is not named here fails in the deployed application."""

_ENDPOINT_PREFIXES = {"stepfunctions": "states"}
_WHOLE = ("partitions", "sdk-default-configuration", "_retry")


def write_aws_data(folder: Path) -> None:
    """Write the models into a folder, as botocore's loader looks for them."""
    loader = Loader()
    for service, operations in OPERATIONS.items():
        version = loader.determine_latest_version(service, "service-2")
        place = folder / service / version
        place.mkdir(parents=True)
        model = loader.load_service_model(service, "service-2", version)
        _write(place / "service-2.json", trim_model(model, operations))
        _write(place / "endpoint-rule-set-1.json", loader.load_service_model(service, "endpoint-rule-set-1", version))
    for name in _WHOLE:
        _write(folder / f"{name}.json", loader.load_data(name))
    _write(folder / "endpoints.json", _trim_endpoints(loader.load_data("endpoints")))


def trim_model(model: Mapping[str, object], operations: tuple[str, ...]) -> Mapping[str, object]:
    """Return the model of a service with these operations, the shapes that they need, and no documentation."""
    all_operations, all_shapes = _as_mapping(model["operations"]), _as_mapping(model["shapes"])
    kept = {name: all_operations[name] for name in operations}
    wanted = list(_find_shapes(kept))
    shapes: dict[str, object] = {}
    while wanted:
        name = wanted.pop()
        if name not in shapes:
            shapes[name] = all_shapes[name]
            wanted.extend(_find_shapes(all_shapes[name]))
    # In the order of the original: the same bytes each time.
    ordered = {name: shapes[name] for name in all_shapes if name in shapes}
    trimmed = _without_documentation({**model, "operations": kept, "shapes": ordered})
    return _as_mapping(trimmed)


def _find_shapes(node: object) -> Iterator[str]:
    """Yield the names of the shapes that a part of a model refers to."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "shape" and isinstance(value, str):
                yield value
            else:
                yield from _find_shapes(value)
    elif isinstance(node, list):
        for value in node:
            yield from _find_shapes(value)


def _without_documentation(node: object) -> object:
    if isinstance(node, dict):
        return {
            name: _without_documentation(value)
            for name, value in node.items()
            if not (name == "documentation" and isinstance(value, str))
        }
    return [_without_documentation(value) for value in node] if isinstance(node, list) else node


def _trim_endpoints(endpoints: Mapping[str, object]) -> Mapping[str, object]:
    """Keep every partition and region, and of the services those that are used."""
    used = {_ENDPOINT_PREFIXES.get(service, service) for service in OPERATIONS}
    partitions = endpoints["partitions"]
    if not isinstance(partitions, list):
        raise TypeError("botocore's endpoints have another form now")
    trimmed = [
        {**partition, "services": {name: value for name, value in partition["services"].items() if name in used}}
        for partition in partitions
    ]
    return {**endpoints, "partitions": trimmed}


def _as_mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError("botocore's data have another form now")
    return value


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, separators=(",", ":")))
