"""What the build compiles ahead is what a start would compile, and is used by a start only."""

import builtins
import dataclasses
import marshal
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType

import pytest

from direct_debit.domain import money
from direct_debit.starting import compiled
from tools.local_cloud.checkout import ROOT
from tools.local_cloud.compiling import compile_ahead
from tools.local_cloud.failure import LocalCloudError


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_build(tmp_path_factory.mktemp("build"))


def make_build(folder: Path) -> Path:
    """What `sam build` leaves of our own layers."""
    for layer, name in (("DokuSnapLayer", "doku_snap"), ("DirectDebitLayer", "direct_debit")):
        source = ROOT / "layers" / name / "python" / name
        shutil.copytree(source, folder / layer / "python" / name, ignore=shutil.ignore_patterns("__pycache__"))
    compile_ahead(folder)
    return folder


def file_of(build: Path) -> Path:
    return build / "DirectDebitLayer/python/direct_debit/starting/compiled.marshal"


@pytest.fixture
def started(build: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A start with the build's file; yields the texts that are compiled all the same."""
    texts: list[str] = []
    execute = builtins.exec

    def note(source: str | CodeType, *names: dict[str, object]) -> None:
        texts.extend([source] if isinstance(source, str) else [])
        execute(source, *names)

    monkeypatch.setattr(builtins, "exec", note)
    monkeypatch.setattr(compiled, "COMPILED", str(file_of(build)))
    compiled.use_compiled()
    yield texts
    compiled.stop_using_compiled()


def load_again(module: ModuleType) -> ModuleType:
    """Another copy of a module."""
    spec = spec_from_file_location(module.__name__ + "_again", str(module.__file__))
    assert spec is not None
    assert spec.loader is not None
    made = module_from_spec(spec)
    sys.modules[made.__name__] = made
    try:
        spec.loader.exec_module(made)
    finally:
        del sys.modules[made.__name__]
    return made


def test_methods_that_the_build_has_compiled_are_not_compiled_again_and_do_the_same(started: list[str]) -> None:
    again = load_again(money)
    assert started == []
    amount = again.Amount.parse("10000.00")
    assert amount == again.Amount.parse("10000.00")
    assert hash(amount) == hash(money.Amount.parse("10000.00"))
    assert repr(amount) == repr(money.Amount.parse("10000.00"))
    with pytest.raises(FrozenInstanceError):
        amount.value = 1
    assert again.Amount.__init__.__code__ == money.Amount.__init__.__code__


def test_methods_that_the_build_has_not_met_are_compiled(started: list[str]) -> None:
    @dataclass(frozen=True, slots=True)
    class Unmet:
        of_this_test_alone: int

    assert len(started) == 1
    assert Unmet(1) == Unmet(1) != Unmet(2)


def test_each_expression_is_what_it_would_be_compiled_to(build: Path) -> None:
    content = file_of(build).read_bytes()
    assert content.startswith(compiled.VERSION)
    _, patterns = marshal.loads(content[len(compiled.VERSION) :])  # noqa: S302 - this test's own build wrote the file a moment ago
    assert len(patterns) > 100
    compiler = vars(re)["_compiler"]
    make = vars(compiler)["_sre"].compile
    assert [key for key, asked in patterns.items() if make(*asked) != compiler.compile(*key)] == []


@pytest.mark.usefixtures("started")
def test_expressions_of_the_build_and_others_match_as_ever() -> None:
    re.purge()
    assert re.compile("401\\d\\d00").fullmatch("4017300")
    assert re.compile("of this test (alone|never)", re.IGNORECASE).fullmatch("Of this test ALONE")
    with pytest.raises(re.error):
        re.compile("(")


WHOLE = marshal.dumps(({b"digest": b"code"}, {("a", 0): []}))


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"\0" + compiled.VERSION[1:] + WHOLE,
        *(compiled.VERSION + WHOLE[:length] for length in range(len(WHOLE))),
        compiled.VERSION + b"?" + WHOLE,
    ],
)
def test_without_a_whole_file_of_this_version_all_is_as_ever(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "compiled.marshal"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setattr(compiled, "COMPILED", str(file))
    before = vars(re)["_compiler"].compile
    compiled.use_compiled()
    assert "exec" not in vars(dataclasses)
    assert vars(re)["_compiler"].compile is before


def test_after_the_start_all_is_as_ever(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "COMPILED", str(file_of(build)))
    before = vars(re)["_compiler"].compile
    compiled.use_compiled()
    assert "exec" in vars(dataclasses)
    assert vars(re)["_compiler"].compile is not before
    compiled.stop_using_compiled()
    assert "exec" not in vars(dataclasses)
    assert vars(re)["_compiler"].compile is before


def test_the_bytes_are_the_same_each_time(build: Path, tmp_path: Path) -> None:
    assert file_of(make_build(tmp_path)).read_bytes() == file_of(build).read_bytes()


def test_a_build_that_can_not_be_loaded_says_so(tmp_path: Path) -> None:
    for layer, name in (("DokuSnapLayer", "doku_snap"), ("DirectDebitLayer", "direct_debit")):
        package = tmp_path / layer / "python" / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("import nothing_like_that\n")
    with pytest.raises(LocalCloudError, match="nothing_like_that"):
        compile_ahead(tmp_path)


def test_a_build_of_one_function_has_no_layers_to_look_at(tmp_path: Path) -> None:
    compile_ahead(tmp_path)
    assert list(tmp_path.iterdir()) == []
