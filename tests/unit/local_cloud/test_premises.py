import socket
from pathlib import Path

import pytest

from tools.local_cloud.failure import LocalCloudError
from tools.local_cloud.premises import Premises, forget_data, settled
from tools.local_cloud.processes import LOOPBACK, free_port


def usual_ports() -> dict[str, int]:
    """Ports of the services that are free on this machine now."""
    return {name: free_port() for name in ("aws", "simulator", "shop")}


def test_a_checkout_has_the_same_addresses_and_keys_at_every_start(tmp_path: Path) -> None:
    usual = usual_ports()
    with settled(keep_data=False, folder=tmp_path, usual=usual) as first:
        pass
    with settled(keep_data=False, folder=tmp_path, usual=usual_ports()) as second:
        pass
    assert first.ports == usual == second.ports
    assert second.credentials.secret() == first.credentials.secret()
    assert (second.caller_key, second.api_id) == (first.caller_key, first.api_id)
    assert (tmp_path / "identity.json").stat().st_mode & 0o077 == 0


def test_another_checkout_beside_it_has_other_ports_and_keeps_those(tmp_path: Path) -> None:
    usual = usual_ports()
    with socket.create_server((LOOPBACK, usual["aws"])):
        with settled(keep_data=False, folder=tmp_path, usual=usual) as beside:
            pass
        assert beside.ports["aws"] != usual["aws"]
        assert beside.ports["shop"] == usual["shop"]
    with settled(keep_data=False, folder=tmp_path, usual=usual) as alone:
        assert alone.ports == beside.ports


def test_a_second_run_of_a_checkout_does_not_move_the_first_ones_ports(tmp_path: Path) -> None:
    usual = usual_ports()
    with settled(keep_data=False, folder=tmp_path, usual=usual) as first:
        pass
    with (
        socket.create_server((LOOPBACK, first.ports["shop"])),
        settled(keep_data=False, folder=tmp_path, usual=usual) as second,
    ):
        assert second.ports["shop"] != first.ports["shop"]
    with settled(keep_data=False, folder=tmp_path, usual=usual) as third:
        assert third.ports == first.ports


def test_kept_data_belong_to_one_run_at_a_time(tmp_path: Path) -> None:
    with settled(keep_data=True, folder=tmp_path, usual=usual_ports()) as first:
        assert first.data is not None
        (first.data / "state").mkdir()
        with (
            pytest.raises(LocalCloudError, match="another `make run KEEP=1`"),
            settled(keep_data=True, folder=tmp_path, usual=usual_ports()),
        ):
            raise AssertionError("two runs keep one folder")
        with pytest.raises(LocalCloudError, match="another `make run KEEP=1`"):
            forget_data(tmp_path)
        with settled(keep_data=False, folder=tmp_path, usual=usual_ports()) as beside:
            assert beside.data is None
    with settled(keep_data=True, folder=tmp_path, usual=usual_ports()) as later:
        assert later.data == first.data
        assert later.data is not None
        assert (later.data / "state").is_dir()
    forget_data(tmp_path)
    assert not (tmp_path / "data").exists()
    forget_data(tmp_path)  # nothing is there any more


def test_an_identity_that_can_not_be_read_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "identity.json").write_text('{"credentials": {"clientId": "from an older checkout"}}')
    with settled(keep_data=False, folder=tmp_path, usual=usual_ports()) as first:
        pass
    with settled(keep_data=False, folder=tmp_path, usual=usual_ports()) as second:
        assert second.caller_key == first.caller_key


def test_a_test_stack_is_nobodys() -> None:
    one, other = Premises(), Premises()
    assert set(one.ports.values()) == {0}
    assert one.data is None
    assert one.sources is None
    assert (one.api_id, one.caller_key) != (other.api_id, other.caller_key)
