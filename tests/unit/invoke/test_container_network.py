"""The network of a call of `sam local`, with a Docker command line that notes what it is asked."""

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from tools.invoke.container_network import CALL_VARIABLE, container_network
from tools.local_cloud.failure import LocalCloudError

DOCKER = """#!/usr/bin/env python3
import json, pathlib, sys
home = pathlib.Path(__file__).parent
words = sys.argv[1:]
with (home / "asked").open("a") as asked:
    print(*words, file=asked)
networks = json.loads((home / "networks").read_text())
containers = json.loads((home / "containers").read_text())
if words[:2] == ["network", "create"]:
    if (home / "refuse").exists():
        sys.exit("no more address pools")
    networks.append(words[2])
elif words[:2] == ["network", "rm"]:
    networks.remove(words[2])
elif words[:2] == ["network", "ls"]:
    wanted = words[-1].removeprefix("name=").strip("^$") if "--quiet" in words else ""
    print(*[one for one in networks if wanted in one], sep="\\n")
elif words[:2] == ["network", "inspect"]:
    print((home / "gateway").read_text())
elif words[0] == "ps":
    print(*containers, sep="\\n")
elif words[0] == "inspect":
    for one, variables in containers.items():
        print(one, json.dumps(variables))
elif words[0] == "rm":
    containers = {one: variables for one, variables in containers.items() if one not in words}
(home / "networks").write_text(json.dumps(networks))
(home / "containers").write_text(json.dumps(containers))
"""
NOBODY = 2**22 + 1  # above the highest process id
pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="macOS has one loopback address only")


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "docker"
    program.write_text(DOCKER)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    (tmp_path / "networks").write_text("[]")
    (tmp_path / "containers").write_text("{}")
    (tmp_path / "gateway").write_text("127.0.0.3 ")
    return tmp_path


def read(docker: Path, name: str) -> object:
    return json.loads((docker / name).read_text())


def made_for(name: str) -> list[str]:
    return [f"{CALL_VARIABLE}={name}"]


def test_an_engine_on_this_machine_reaches_us_at_its_gateway(docker: Path) -> None:
    with container_network([]) as network:
        assert network.address == "127.0.0.3"
        assert read(docker, "networks") == [network.name]
    assert read(docker, "networks") == []


@pytest.mark.parametrize("gateway", ["203.0.113.1 ", ""], ids=["elsewhere", "none"])
def test_an_engine_on_another_machine_knows_the_way_itself(docker: Path, gateway: str) -> None:
    (docker / "gateway").write_text(gateway)
    with container_network([1]) as network:
        assert network.address is None


def test_its_containers_go_with_it_and_nobody_elses(docker: Path) -> None:
    with container_network([]) as network:
        containers = {"a": made_for(network.name), "b": made_for("other"), "c": None, "d": made_for(network.name)}
        (docker / "containers").write_text(json.dumps(containers))
    assert read(docker, "containers") == {"b": made_for("other"), "c": None}


def test_they_go_when_the_call_ends_by_an_error(docker: Path) -> None:
    with pytest.raises(KeyboardInterrupt), container_network([]):
        raise KeyboardInterrupt
    assert read(docker, "networks") == []


def test_what_killed_calls_have_left_is_removed_by_the_next(docker: Path) -> None:
    mine, dead, half = (f"direct-debit-invoke-{pid}-ab12" for pid in (os.getpid(), NOBODY, NOBODY + 1))
    (docker / "networks").write_text(json.dumps([mine, dead, "bridge"]))
    (docker / "containers").write_text(json.dumps({"a": made_for(mine), "b": made_for(dead), "c": made_for(half)}))
    with container_network([]):
        assert read(docker, "containers") == {"a": made_for(mine)}
    assert read(docker, "networks") == [mine, "bridge"]


def test_an_engine_that_refuses_is_quoted(docker: Path) -> None:
    (docker / "refuse").touch()
    with (
        pytest.raises(LocalCloudError, match="docker network create failed: no more address pools"),
        container_network([]),
    ):
        pass
