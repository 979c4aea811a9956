"""npm's packages are installed wherever they are needed first: by make, or by a test whose output is captured."""

import sys
from pathlib import Path

import pytest

from tools import node


def test_packages_are_installed_while_standard_error_is_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """As where pytest captures: `make test` in an empty clone, with no `make check` before."""
    program = "import pathlib, sys; pathlib.Path('node_modules').mkdir(); print('npm says', *sys.argv[1:])"
    monkeypatch.setattr(node, "find_npm", lambda: [sys.executable, "-c", program])
    monkeypatch.setattr(sys, "stderr", _NoFile())
    (tmp_path / "package-lock.json").write_text("{}")
    node.install_packages(tmp_path)
    told = capfd.readouterr()
    assert told.out == ""
    assert told.err.startswith("npm says ci")
    node.install_packages(tmp_path)
    assert capfd.readouterr().err == ""


class _NoFile:
    def write(self, _: str) -> int:
        raise AssertionError("nobody writes here")

    def flush(self) -> None:
        raise AssertionError("nobody writes here")
