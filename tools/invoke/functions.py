"""The functions of the template, as they are invoked on this machine: from the sources, not from a build."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.deploy.template import read_template
from tools.local_cloud.checkout import ROOT, TEMPLATE
from tools.local_cloud.failure import LocalCloudError

_TASK_ROOT = "/var/task"  # where Lambda, and SAM's container, has a function's code
_ENTRY = "tools/invoke/container_entry.handler"


@dataclass(frozen=True, slots=True)
class Function:
    """A function: where its own sources and its layers' lie (absolute), and its time limit in seconds."""

    name: str
    code: Path
    layers: tuple[Path, ...]
    handler: str
    timeout: int


@dataclass(frozen=True, slots=True)
class Functions:
    """The template, read."""

    content: dict[str, Any]
    root: Path

    def names(self) -> list[str]:
        """The logical ids of all functions."""
        resources = self.content["Resources"]
        return sorted(key for key, value in resources.items() if value["Type"] == "AWS::Serverless::Function")

    def find(self, name: str) -> Function:
        """A function by its logical id. Raises LocalCloudError that names all of them when there is none."""
        if name not in self.names():
            raise LocalCloudError(f"FN={name} is no function of the template; there are {', '.join(self.names())}")
        resources, common = self.content["Resources"], self.content["Globals"]["Function"]
        own = resources[name]["Properties"]
        layers = [resources[layer["Ref"]]["Properties"]["ContentUri"] for layer in own.get("Layers", common["Layers"])]
        return Function(
            name=name,
            code=self.root / own["CodeUri"],
            # The third-party packages are no sources: see dependencies.py.
            layers=tuple(self.root / layer for layer in layers if not layer.endswith("dependencies")),
            handler=own.get("Handler", common["Handler"]),
            timeout=int(own.get("Timeout", common["Timeout"])),
        )

    def for_sam_local(self, packages: Path, variables: Iterable[str]) -> str:
        """Return the template for `sam local`: each function's code is the checkout itself, without layers.

        SAM makes an image of a function's layers at each invocation, and names it by their logical ids: an edit would
        cost a new image, and another checkout's would be used. `sam local` hands on no variable that a template does
        not declare, so those that lead to the emulator are declared here. `packages` is a folder of the checkout.
        """
        content = json.loads(json.dumps(self.content))
        common = content["Globals"]["Function"]
        del common["Layers"]
        for name in variables:
            common["Environment"]["Variables"].setdefault(name, "")
        resources = content["Resources"]
        for name in self.names():
            function = self.find(name)
            sources = [self._in_container(folder) for folder in (function.code, *function.layers, packages)]
            own = resources[name]["Properties"]
            own.pop("Layers", None)
            own.update(CodeUri=str(self.root), Handler=_ENTRY)
            own.setdefault("Environment", {}).setdefault("Variables", {})["FUNCTION_SOURCES"] = ":".join(sources)
        content["Resources"] = {
            name: resource
            for name, resource in resources.items()
            if resource["Type"] != "AWS::Serverless::LayerVersion"
        }
        return json.dumps(content)

    def _in_container(self, folder: Path) -> str:
        return f"{_TASK_ROOT}/{folder.relative_to(self.root).as_posix()}"


def read_functions(template: Path = TEMPLATE, root: Path = ROOT) -> Functions:
    """Read the template of this checkout."""
    return Functions(dict(read_template(template)), root)
