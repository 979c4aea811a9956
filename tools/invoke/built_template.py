"""The build that a local invocation uses: where a function's code and layers lie, and how long it may take."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from tools.local_cloud import sam
from tools.local_cloud.checkout import LOCAL
from tools.local_cloud.failure import LocalCloudError

_NAME = "invoke.json"


@dataclass(frozen=True, slots=True)
class BuiltFunction:
    """A function of the build: its folders and its time limit in seconds."""

    name: str
    code: Path
    layers: tuple[Path, ...]
    handler: str
    timeout: int


@dataclass(frozen=True, slots=True)
class BuiltTemplate:
    """A finished `sam build`."""

    folder: Path
    content: dict[str, Any]

    def function(self, name: str) -> BuiltFunction:
        """A function by its logical id. Raises LocalCloudError that names all of them when there is none."""
        resources = self.content["Resources"]
        functions = [key for key, value in resources.items() if value["Type"] == "AWS::Serverless::Function"]
        if name not in functions:
            raise LocalCloudError(f"FN={name} is no function of the template; there are {', '.join(sorted(functions))}")
        common = self.content["Globals"]["Function"]
        own = resources[name]["Properties"]
        layers = own.get("Layers", common["Layers"])
        return BuiltFunction(
            name=name,
            code=self.folder / own["CodeUri"],
            layers=tuple(self.folder / resources[layer["Ref"]]["Properties"]["ContentUri"] for layer in layers),
            handler=own.get("Handler", common["Handler"]),
            timeout=int(own.get("Timeout", common["Timeout"])),
        )

    def for_sam_local(self, variables: dict[str, str]) -> Path:
        """Write the template for `sam local`: it hands on no variable that a template does not declare, so the ones
        that lead to the emulator are declared here. Returns its path, beside the built folders that it refers to.
        """
        content = json.loads(json.dumps(self.content))
        declared = content["Globals"]["Function"]["Environment"]["Variables"]
        for name in variables:
            declared.setdefault(name, "")
        path = self.folder / _NAME
        path.write_text(json.dumps(content))
        return path


def build() -> BuiltTemplate:
    """Build the template (quick when nothing changed) and read the result. Raises LocalCloudError.

    The build is used through a link of a constant name, so that a debugger finds the sources where it was told.
    """
    LOCAL.mkdir(exist_ok=True)
    folder = sam.build(LOCAL / "invoke-build.log")
    link = LOCAL / "invoke"
    link.unlink(missing_ok=True)
    link.symlink_to(folder, target_is_directory=True)
    return BuiltTemplate(link, yaml_parse((link / "template.yaml").read_text()))
