"""The licences of what is shipped: docs/licences.md, from the locks; only those that are allowed.

python -m tools.audit.licences            # write docs/licences.md
python -m tools.audit.licences --check    # exit 1 when it would change, or a licence is not allowed
"""

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.audit.verdict import Verdict
from tools.local_cloud.checkout import ROOT

PAGE: Final = ROOT / "docs" / "licences.md"
LAYER: Final = ROOT / "layers" / "dependencies" / "requirements.txt"
PYTHON_CLIENT: Final = ROOT / "clients" / "python" / "pyproject.toml"
TYPESCRIPT_CLIENT: Final = ROOT / "clients" / "typescript" / "package-lock.json"

# What may be shipped, by SPDX identifier: licences that ask for no more than their text and notices to be kept (MPL-2.0
# also for its own files to stay open, which are not changed here).
ALLOWED: Final = frozenset(
    {"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MPL-2.0", "PSF-2.0", "Unlicense"}
)
# What a package says in other words.
_IN_OTHER_WORDS: Final[Mapping[str, str]] = {
    "Apache License 2.0": "Apache-2.0",
    "Dual License": "Apache-2.0 OR BSD-3-Clause",  # python-dateutil: its LICENSE file has both
    "MIT License": "MIT",
}
_HEAD = """# Licences

What is shipped, and under which licence: written by `make licences` from the locks, compared by `make check`, which
also refuses a licence that is not on the list of those allowed (`tools/audit/licences.py`). The project itself is under
the [MIT licence](../LICENSE).
"""
_PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ \\;]+)", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z0-9.+-]+")


@dataclass(frozen=True, slots=True)
class Package:
    """A package that is shipped: its name, its version as locked, its licence as it says (SPDX)."""

    name: str
    version: str
    licence: str


class WrongEnvironment(Exception):
    """What is installed here is not what is locked; the text says what to do."""


def list_layer() -> tuple[Package, ...]:
    """Return what the dependencies layer has. Raises WrongEnvironment."""
    return tuple(_describe(one["name"], one["version"]) for one in _PINNED.finditer(LAYER.read_text("utf-8")))


def list_python_client() -> tuple[Package, ...]:
    """Return what the Python client brings with it, in the versions that it is tested with. Raises WrongEnvironment."""
    wanted = tomllib.loads(PYTHON_CLIENT.read_text("utf-8"))["project"]["dependencies"]
    found: dict[str, Package] = {}
    queue = [Requirement(one).name for one in wanted]
    while queue:
        name = canonicalize_name(queue.pop())
        if name not in found:
            installed = _find(name)
            found[name] = Package(name, installed.version, read_licence(installed))
            queue += _needed(installed)
    return tuple(found[name] for name in sorted(found))


def _needed(installed: Distribution) -> Iterator[str]:
    for text in installed.requires or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement.name


def list_typescript_client() -> tuple[Package, ...]:
    """Return what the TypeScript client brings with it, as its lock says."""
    locked: dict[str, dict[str, object]] = json.loads(TYPESCRIPT_CLIENT.read_text("utf-8"))["packages"]
    return tuple(
        Package(path.rpartition("node_modules/")[2], str(one["version"]), str(one.get("license", "unknown")))
        for path, one in sorted(locked.items())
        if path and not one.get("dev")
    )


def _describe(name: str, version: str) -> Package:
    installed = _find(name)
    if installed.version != version:
        raise WrongEnvironment(f"{name} {version} is locked, and {installed.version} is installed: run `make setup`")
    return Package(canonicalize_name(name), version, read_licence(installed))


def _find(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError as error:
        raise WrongEnvironment(f"{name} is not installed: run `make setup`") from error


def read_licence(installed: Distribution) -> str:
    """Return what a package declares: its licence expression, or else its field `License`; `unknown` without both."""
    declared = installed.metadata.get("License-Expression") or installed.metadata.get("License") or "unknown"
    return _IN_OTHER_WORDS.get(declared, declared)


def is_allowed(licence: str) -> bool:
    """Whether an SPDX expression leaves us an allowed licence: one of those joined by OR, all joined by AND."""
    return any(
        all(set(_WORD.findall(part)) <= ALLOWED and part.strip() for part in choice.split(" AND "))
        for choice in licence.strip("()").split(" OR ")
    )


def write_page(sections: Mapping[str, Sequence[Package]]) -> str:
    """Return the text of docs/licences.md."""
    lines = [_HEAD]
    for title, packages in sections.items():
        lines += [f"## {title}", "", "| package | version | licence |", "|---|---|---|"]
        lines += [f"| {one.name} | {one.version} | {one.licence} |" for one in packages]
        lines.append("")
    return "\n".join(lines)


def list_all() -> dict[str, tuple[Package, ...]]:
    """Return what is shipped, by the headings of the page. Raises WrongEnvironment."""
    return {
        "The functions' layer": list_layer(),
        "The Python client": list_python_client(),
        "The TypeScript client": list_typescript_client(),
    }


def find_refused(packages: Iterable[Package]) -> list[str]:
    """Name the packages whose licence is not allowed."""
    return [
        f"{one.name} {one.version} is under {one.licence}, which is not allowed (tools/audit/licences.py)"
        for one in packages
        if not is_allowed(one.licence)
    ]


def check_licences() -> Verdict:
    """Judge the licences, and whether the page is as the locks have it."""
    try:
        sections = list_all()
    except WrongEnvironment as error:
        return Verdict("licences", "not read", (str(error),))
    packages = [one for section in sections.values() for one in section]
    faults = find_refused(packages)
    if not PAGE.is_file() or PAGE.read_text("utf-8") != write_page(sections):
        faults.append("docs/licences.md is not as the locks have it: run `make licences`")
    kinds = sorted({one.licence for one in packages})
    return Verdict("licences", f"{len(packages)} packages are shipped, under {', '.join(kinds)}", tuple(faults))


def main() -> int:
    """Write or check the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the page would change")
    if not parser.parse_args().check:
        PAGE.write_text(write_page(list_all()), "utf-8")
    verdict = check_licences()
    print("\n".join([f"licences: {verdict.summary}", *verdict.faults]))
    return 1 if verdict.faults else 0


if __name__ == "__main__":
    sys.exit(main())
