import json
from pathlib import Path

import pytest

from tools.invoke.functions import Functions, read_functions
from tools.local_cloud.checkout import ROOT
from tools.local_cloud.failure import LocalCloudError

CONTENT = {
    "Globals": {
        "Function": {
            "Handler": "handler.handler",
            "Timeout": 28,
            "Layers": [{"Ref": "Packages"}, {"Ref": "OurLayer"}],
            "Environment": {"Variables": {"BINDINGS_TABLE": {"Ref": "Bindings"}}},
        }
    },
    "Resources": {
        "Bindings": {"Type": "AWS::DynamoDB::Table"},
        "Packages": {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": "layers/dependencies"}},
        "OurLayer": {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": "layers/ours/python"}},
        "BindAccount": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "functions/bind"}},
        "ProcessRefund": {
            "Type": "AWS::Serverless::Function",
            "Properties": {"CodeUri": "functions/refund", "Timeout": 60, "Layers": [{"Ref": "Packages"}]},
        },
    },
}


@pytest.fixture
def functions(tmp_path: Path) -> Functions:
    return Functions(json.loads(json.dumps(CONTENT)), tmp_path)


def test_a_function_has_its_own_sources_and_those_that_all_share(functions: Functions) -> None:
    function = functions.find("BindAccount")
    assert function.code == functions.root / "functions/bind"
    assert function.layers == (functions.root / "layers/ours/python",)
    assert (function.handler, function.timeout) == ("handler.handler", 28)
    assert functions.find("ProcessRefund").timeout == 60


def test_a_wrong_name_is_answered_with_the_right_ones(functions: Functions) -> None:
    with pytest.raises(LocalCloudError, match="there are BindAccount, ProcessRefund"):
        functions.find("bind_account")


def test_sam_gets_a_template_of_this_checkout_that_declares_the_way_to_the_emulator(functions: Functions) -> None:
    packages = functions.root / ".local/packages"
    made = json.loads(functions.for_sam_local(packages, ["AWS_ENDPOINT_URL", "BINDINGS_TABLE"]))
    declared = made["Globals"]["Function"]["Environment"]["Variables"]
    assert declared == {"BINDINGS_TABLE": {"Ref": "Bindings"}, "AWS_ENDPOINT_URL": ""}
    own = made["Resources"]["BindAccount"]["Properties"]
    assert own["CodeUri"] == str(functions.root)
    assert own["Environment"]["Variables"] == {
        "FUNCTION_SOURCES": "/var/task/functions/bind:/var/task/layers/ours/python:/var/task/.local/packages"
    }
    assert functions.content == CONTENT


def test_sam_has_no_layer_to_make_an_image_of(functions: Functions) -> None:
    made = functions.for_sam_local(functions.root / ".local/packages", [])
    assert "Layer" not in made


def test_the_sources_of_every_function_are_there() -> None:
    functions = read_functions()
    for name in functions.names():
        function = functions.find(name)
        assert (function.code / "handler.py").is_file(), name
        assert [layer.parent.parent.name for layer in function.layers] == ["layers", "layers"], name
        assert all((layer / layer.parent.name).is_dir() for layer in function.layers), name
    assert (ROOT / "tools/invoke/container_entry.py").is_file()
