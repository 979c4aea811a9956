"""Every function of the template is measured by `make bench`."""

from tests.benchmarks.speed.scenes import SCENES
from tools.invoke.functions import read_functions


def test_every_function_has_a_scene() -> None:
    functions = set(read_functions().names())
    missing = sorted(functions - SCENES.keys())
    assert missing == [], "a new function needs a scene in tests/benchmarks/speed/scenes.py"
    assert sorted(SCENES.keys() - functions) == [], "no such function of the template"
