"""Every function of the template is measured by `make bench`, or it says why not."""

from tests.benchmarks.speed.scenes import NO_SCENE, SCENES
from tools.invoke.functions import read_functions


def test_every_function_has_a_scene_or_a_reason_for_none() -> None:
    functions = set(read_functions().names())
    missing = sorted(functions - SCENES.keys() - NO_SCENE.keys())
    assert missing == [], "a new function needs a scene in tests/benchmarks/speed/scenes.py, or its reason in NO_SCENE"
    gone = sorted((SCENES.keys() | NO_SCENE.keys()) - functions)
    assert gone == [], "no such function of the template"
    assert SCENES.keys().isdisjoint(NO_SCENE)
