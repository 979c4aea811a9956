import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools.local_cloud.launcher import LiveSources, give_caller_key, with_live_sources, with_shared_layers


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("functions/pay/handler.py", "functions/verify_pay/handler.py", "layers/shop/python/shop/__init__.py"):
        file = tmp_path / "checkout" / name
        file.parent.mkdir(parents=True)
        file.write_text(f"NAME = {name!r}\n")
    return tmp_path / "checkout"


def edit(file: Path) -> None:
    """Change a file as an editor does, a second later than anything before."""
    file.write_text(file.read_text() + "# edited\n")
    later = file.stat().st_mtime_ns + 10**9
    os.utime(file, ns=(later, later))


def content(archive: bytes | None) -> dict[str, str]:
    assert archive is not None
    with zipfile.ZipFile(io.BytesIO(archive)) as found:
        return {name: found.read(name).decode() for name in found.namelist()}


def test_a_functions_code_is_its_folder_as_it_is_now(checkout: Path) -> None:
    live = LiveSources(checkout)
    assert "functions/pay/" in content(live.archive("stack-pay"))["handler.py"]
    # A longer name that ends the same is another function.
    assert "functions/verify_pay/" in content(live.archive("stack-verify-pay"))["handler.py"]
    edit(checkout / "functions/pay/handler.py")
    assert content(live.archive("stack-pay"))["handler.py"].endswith("# edited\n")
    assert live.archive("stack-unknown") is None


@pytest.mark.parametrize(
    "change",
    [
        lambda root: edit(root / "functions/pay/handler.py"),
        lambda root: edit(root / "layers/shop/python/shop/__init__.py"),
        lambda root: (root / "layers/shop/python/shop/new.py").touch(),
        lambda root: (root / "functions/verify_pay/handler.py").unlink(),
    ],
)
def test_the_stamp_tells_of_every_change(checkout: Path, change: Callable[[Path], object]) -> None:
    live = LiveSources(checkout)
    before = live.stamp()
    assert live.stamp() == before
    change(checkout)
    assert live.stamp() != before


class Worker:
    def __init__(self) -> None:
        self.code_zip = b"deployed"
        self.killed = 0

    def kill(self) -> None:
        self.killed += 1


def test_a_worker_begins_anew_after_an_edit_and_not_before(checkout: Path) -> None:
    worker = Worker()
    answers = iter(["spawn", "reused", "reused", "reused"])
    acquire = with_live_sources(lambda *_, **__: (worker, next(answers)), LiveSources(checkout))

    def acquired() -> tuple[int, str]:
        found, _ = acquire("stack-pay", {}, b"deployed", qualifier="live")
        assert found is worker
        return worker.killed, content(worker.code_zip)["handler.py"]

    assert acquired() == (0, "NAME = 'functions/pay/handler.py'\n")
    assert acquired()[0] == 0
    edit(checkout / "functions/pay/handler.py")
    assert acquired() == (1, "NAME = 'functions/pay/handler.py'\n# edited\n")
    assert acquired()[0] == 1


def test_no_worker_is_no_worker(checkout: Path) -> None:
    acquire = with_live_sources(lambda *_, **__: (None, "func_cap"), LiveSources(checkout))
    assert acquire("stack-pay", {}, b"") == (None, "func_cap")


def test_a_layers_sources_are_found_before_what_was_built(checkout: Path, tmp_path: Path) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as built:
        built.writestr("python/shop/__init__.py", "")
        built.writestr("python/data/table.json", "{}")
    resolve = with_shared_layers(lambda _: archive.getvalue(), tmp_path / "layers", LiveSources(checkout))
    (pointer,) = content(resolve("arn")).values()
    folders = [line.split("'")[1] for line in pointer.splitlines()]
    # The last one is put in front of the others.
    assert folders[-1] == str(checkout / "layers/shop/python")
    assert (Path(folders[0]) / "data/table.json").is_file()


def test_the_first_access_key_is_the_given_one_and_the_next_is_not() -> None:
    class Iam:
        _access_keys: dict[str, dict[str, str]] = {}  # noqa: RUF012 - the emulator's is a module's
        _IAM_HANDLERS: dict[str, Any] = {}  # noqa: RUF012 - as above

        @staticmethod
        def _gen_access_key_id() -> str:
            return "AKIARANDOM"

        @classmethod
        def _create_access_key(cls, _: object) -> str:
            key = cls._gen_access_key_id()
            cls._access_keys[key] = {"SecretAccessKey": "random"}
            return key

    give_caller_key(Iam, "AKIAGIVEN", "given")
    create = Iam._IAM_HANDLERS["CreateAccessKey"]
    assert [create({}), create({})] == ["AKIAGIVEN", "AKIARANDOM"]
    assert Iam._access_keys == {
        "AKIAGIVEN": {"SecretAccessKey": "given"},
        "AKIARANDOM": {"SecretAccessKey": "random"},
    }
