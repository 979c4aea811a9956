from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from direct_debit.adapters.credentials import Credentials, FixedCredentials
from direct_debit.adapters.vault import AesGcmVault, UnsealFailed
from direct_debit.application.ports.vault import Vault
from tests.fakes.credentials import CREDENTIALS
from tests.fakes.ids import SeededIds

ROTATED = replace(CREDENTIALS, token_keys={"k2": b"2" * 32}, active_token_key="k2")


def vault(current: Credentials = CREDENTIALS, previous: Credentials | None = None) -> Vault:
    return AesGcmVault(FixedCredentials(current, previous), SeededIds())


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_what_was_sealed_is_unsealed_for_its_owner(plaintext: str, owner: str) -> None:
    here = vault()
    assert here.unseal(here.seal(plaintext, owner), owner) == plaintext


def test_another_owner_gets_nothing() -> None:
    here = vault()
    sealed = here.seal("token", "binding-1")
    with pytest.raises(UnsealFailed) as error:
        here.unseal(sealed, "binding-2")
    assert "token" not in str(error.value).replace("text", "")


def test_each_sealing_is_different_and_names_its_key() -> None:
    here = vault()
    first, second = here.seal("token", "b"), here.seal("token", "b")
    assert first != second
    assert first.split(".")[0] == second.split(".")[0] == "k1"
    assert first.split(".")[1] != second.split(".")[1]
    assert "token" not in first


@pytest.mark.parametrize("part", [0, 1, 2])
def test_no_part_can_be_altered(part: int) -> None:
    here = vault()
    parts = here.seal("token", "b").split(".")
    parts[part] = ("B" if parts[part][0] == "A" else "A") + parts[part][1:]
    with pytest.raises(UnsealFailed):
        here.unseal(".".join(parts), "b")


@pytest.mark.parametrize("text", ["", "k1", "k1.", "k1..", "k1.AAAA.AAAA", "k1.!.?", "k1.é.é", "nobody.AAAA.AAAA"])
def test_what_was_never_sealed_is_refused(text: str) -> None:
    with pytest.raises(UnsealFailed):
        vault().unseal(text, "b")


def test_after_a_rotation_old_texts_open_and_new_ones_use_the_new_key() -> None:
    old = vault().seal("token", "b")
    both = replace(CREDENTIALS, token_keys={**CREDENTIALS.token_keys, **ROTATED.token_keys}, active_token_key="k2")
    here = vault(both)
    assert here.unseal(old, "b") == "token"
    assert here.seal("token", "b").startswith("k2.")


def test_a_key_that_only_the_previous_secret_has_still_opens() -> None:
    old = vault().seal("token", "b")
    assert vault(ROTATED, CREDENTIALS).unseal(old, "b") == "token"
    with pytest.raises(UnsealFailed, match="the key of this text is not in the secret"):
        vault(ROTATED).unseal(old, "b")


class RotatesBehindOurBack(FixedCredentials):
    """Keeps an old version until it is told to read anew."""

    def __init__(self) -> None:
        super().__init__(CREDENTIALS)
        self.refreshed = 0

    def current(self) -> Credentials:
        return ROTATED if self.refreshed else CREDENTIALS

    def refresh(self) -> bool:
        self.refreshed += 1
        return self.refreshed == 1


def test_a_text_sealed_elsewhere_with_a_newer_key_is_read_after_a_refresh() -> None:
    newer = vault(ROTATED).seal("token", "b")
    source = RotatesBehindOurBack()
    here = AesGcmVault(source, SeededIds())
    assert here.unseal(newer, "b") == "token"
    assert source.refreshed == 1


def test_fingerprints_are_equal_for_equal_text_and_depend_on_the_pepper() -> None:
    first = vault().fingerprint("6281234567890")
    assert first == vault().fingerprint("6281234567890")
    assert first != vault().fingerprint("6281234567891")
    assert first != vault(replace(CREDENTIALS, phone_pepper=b"x" * 32)).fingerprint("6281234567890")
    assert len(first) == 64
    assert set(first) <= set("0123456789abcdef")
