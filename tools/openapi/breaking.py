"""Whether docs/openapi.json breaks callers of the published one. docs/openapi.md explains the rules.

docs/openapi-published.json is what callers have; `publish` replaces it. No tool that is kept and reads OpenAPI 3.1 is
on PyPI or npm for every machine (decision 0047).
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tools.openapi.__main__ import DOCUMENT
from tools.openapi.compatible_schemas import Break, Rule, SchemaPair, Use
from tools.openapi.json_values import Json, as_list, as_object

PUBLISHED = DOCUMENT.with_name("openapi-published.json")
_SUCCESS = ("2", "3")


def find_breaks(published: Path = PUBLISHED, document: Path = DOCUMENT) -> list[Break]:
    """Return what breaks callers of the published document. Raises ValueError for a file that is no JSON."""
    before, now = json.loads(published.read_text("utf-8")), json.loads(document.read_text("utf-8"))
    return list(dict.fromkeys(_Comparison(before, now).run()))


class _Comparison:
    def __init__(self, before: Json, now: Json) -> None:
        self._before, self._now = before, now
        self._old, self._new = _resolver(before), _resolver(now)
        self._schemas = SchemaPair(self._old, self._new)

    def run(self) -> Iterator[Break]:
        paths = as_object(self._now["paths"])
        for path, methods in as_object(self._before["paths"]).items():
            if path not in paths:
                yield Break(Rule.ROUTE_REMOVED, path)
                continue
            for method, operation in as_object(methods).items():
                place = f"{method.upper()} {path}"
                following = as_object(paths[path]).get(method)
                if following is None:
                    yield Break(Rule.METHOD_REMOVED, place)
                else:
                    yield from self._operation(as_object(operation), as_object(following), place)

    def _operation(self, before: Json, now: Json, place: str) -> Iterator[Break]:
        if before["operationId"] != now["operationId"]:
            yield Break(Rule.OPERATION_RENAMED, place)
        ways = self._security(self._now, now)
        if any(way not in ways for way in self._security(self._before, before)):
            yield Break(Rule.SECURITY_CHANGED, place)
        yield from self._parameters(before, now, place)
        yield from self._body(before, now, place)
        yield from self._responses(before, now, place)

    def _security(self, document: Json, operation: Json) -> list[Json]:
        """Return the ways in which a caller may prove itself, one of which is enough."""
        # An empty list and one empty way both say "anybody".
        named = as_list(operation.get("security", document.get("security", []))) or [{}]
        schemes = as_object(as_object(document["components"]).get("securitySchemes", {}))
        told = ("type", "in", "name", "scheme", "x-amazon-apigateway-authtype")
        return [
            {
                one: {key: value for key, value in as_object(schemes[one]).items() if key in told}
                for one in as_object(way)
            }
            for way in named
        ]

    def _parameters(self, before: Json, now: Json, place: str) -> Iterator[Break]:
        had, has = _parameters(before, self._old), _parameters(now, self._new)
        for key, parameter in has.items():
            if parameter.get("required") and not had.get(key, {}).get("required"):
                yield Break(Rule.PARAMETER_REQUIRED, f"{place} {key[1]}")
        for key, parameter in had.items():
            if key not in has:
                yield Break(Rule.PARAMETER_REMOVED, f"{place} {key[1]}")
                continue
            schemas = as_object(parameter["schema"]), as_object(has[key]["schema"])
            yield from self._schemas.compare(*schemas, f"{place} {key[1]}", Use.WRITTEN)

    def _body(self, before: Json, now: Json, place: str) -> Iterator[Break]:
        had, has = as_object(before.get("requestBody", {})), as_object(now.get("requestBody", {}))
        if had and not has:
            yield Break(Rule.BODY_REMOVED, place)
        if has.get("required") and not had.get("required"):
            yield Break(Rule.BODY_REQUIRED, place)
        if had and has:
            yield from self._contents(had, has, f"{place} request", Use.WRITTEN)

    def _responses(self, before: Json, now: Json, place: str) -> Iterator[Break]:
        had, has = as_object(before["responses"]), as_object(now["responses"])
        for status in has.keys() - had.keys():
            if status.startswith(_SUCCESS):
                yield Break(Rule.SUCCESS_ADDED, f"{place} {status}")
        for status, answer in had.items():
            if status not in has:
                yield Break(Rule.STATUS_REMOVED, f"{place} {status}")
                continue
            old, new = self._old(as_object(answer)), self._new(as_object(has[status]))
            yield from self._headers(old, new, f"{place} {status}")
            yield from self._contents(old, new, f"{place} {status}", Use.READ)

    def _headers(self, before: Json, now: Json, place: str) -> Iterator[Break]:
        headers = {name.lower() for name in as_object(now.get("headers", {}))}
        for name in as_object(before.get("headers", {})):
            if name.lower() not in headers:
                yield Break(Rule.HEADER_REMOVED, f"{place} {name}")

    def _contents(self, before: Json, now: Json, place: str, use: Use) -> Iterator[Break]:
        had, has = as_object(before.get("content", {})), as_object(now.get("content", {}))
        for media, content in had.items():
            if media not in has:
                yield Break(Rule.MEDIA_TYPE_REMOVED, f"{place} {media}")
                continue
            schemas = as_object(as_object(content)["schema"]), as_object(as_object(has[media])["schema"])
            yield from self._schemas.compare(*schemas, place, use)


def _parameters(operation: Json, resolve: Callable[[Json], Json]) -> Mapping[tuple[str, str], Json]:
    found = [resolve(as_object(parameter)) for parameter in as_list(operation.get("parameters", []))]
    return {(str(one["in"]), str(one["name"])): one for one in found}


def _resolver(document: Json) -> Callable[[Json], Json]:
    def resolve(part: Json) -> Json:
        if "$ref" not in part:
            return part
        found: object = document
        for step in str(part["$ref"]).removeprefix("#/").split("/"):
            found = as_object(found)[step]
        return {**as_object(found), **{name: value for name, value in part.items() if name != "$ref"}}

    return resolve
