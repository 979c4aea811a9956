"""JSON, read with its types checked."""

type Json = dict[str, object]


def as_object(value: object) -> Json:
    """Return the value as an object. Raises TypeError where it is none."""
    if not isinstance(value, dict):
        raise TypeError("a JSON object was expected")
    return value


def as_list(value: object) -> list[object]:
    """Return the value as an array. Raises TypeError where it is none."""
    if not isinstance(value, list):
        raise TypeError("a JSON array was expected")
    return value


def refer(kind: str, name: str) -> Json:
    """Return a reference to a component, for example to one of the `schemas`."""
    return {"$ref": f"#/components/{kind}/{name}"}
