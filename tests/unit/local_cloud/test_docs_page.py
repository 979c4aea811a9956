"""The documentation's page is made of what was locked, and a stack runs without it."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest

from tools import docs_bundle
from tools.local_cloud import docs_page


def test_another_package_than_the_locked_one_is_refused(tmp_path: Path) -> None:
    package = tmp_path / "rapidoc.tgz"
    with tarfile.open(package, "w:gz") as archive:
        member = tarfile.TarInfo("package/dist/rapidoc-min.js")
        archive.addfile(member, io.BytesIO(b""))
    with pytest.raises(ValueError, match="is not what was locked"):
        docs_bundle.read_bundle(package)


def test_without_npm_the_stack_runs_and_says_why_there_is_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Path:
        raise subprocess.CalledProcessError(1, ["npm", "pack"])

    monkeypatch.setattr(docs_page, "fetch_bundle", refuse)
    with docs_page.docs_page("http://127.0.0.1:1/v1") as told:
        assert told.startswith("none: ")
