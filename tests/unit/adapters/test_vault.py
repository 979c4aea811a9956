from base64 import urlsafe_b64encode
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from direct_debit.adapters.credentials import Credentials, FixedCredentials
from direct_debit.adapters.vault import AesGcmVault
from direct_debit.application.ports.vault import SealedField, UnsealFailed, Vault
from tests.fakes.credentials import CREDENTIALS
from tests.fakes.ids import SeededIds

FIELD = SealedField.ACCESS_TOKEN
ROTATED = replace(CREDENTIALS, token_keys={"k2": b"2" * 32}, active_token_key="k2")


def vault(current: Credentials = CREDENTIALS, previous: Credentials | None = None) -> Vault:
    return AesGcmVault(FixedCredentials(current, previous), SeededIds())


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_what_was_sealed_is_unsealed_for_its_owner(plaintext: str, owner: str) -> None:
    here = vault()
    assert here.unseal(here.seal(plaintext, FIELD, owner), FIELD, owner) == plaintext


def test_another_owner_gets_nothing() -> None:
    here = vault()
    sealed = here.seal("token", FIELD, "binding-1")
    with pytest.raises(UnsealFailed) as error:
        here.unseal(sealed, FIELD, "binding-2")
    assert "token" not in str(error.value).replace("text", "")


def earlier(plaintext: str, owner: str) -> str:
    """A text as the versions before sealed it: for its owner alone."""
    nonce = b"n" * 12
    sealed = AESGCM(CREDENTIALS.token_keys["k1"]).encrypt(nonce, plaintext.encode(), owner.encode())
    return ".".join(["k1", *(urlsafe_b64encode(part).rstrip(b"=").decode() for part in (nonce, sealed))])


@pytest.mark.parametrize("made_for", SealedField)
@pytest.mark.parametrize("put_to", SealedField)
def test_a_text_opens_in_its_own_field_and_in_no_other(made_for: SealedField, put_to: SealedField) -> None:
    here = vault()
    sealed = here.seal("https://shop.example/", made_for, "b")
    if made_for is put_to:
        assert here.unseal(sealed, put_to, "b") == "https://shop.example/"
        return
    with pytest.raises(UnsealFailed):
        here.unseal(sealed, put_to, "b")
    # Nor without what binds it to its field.
    with pytest.raises(UnsealFailed):
        here.unseal(sealed.removeprefix("2."), put_to, "b")


def test_an_earlier_text_opens_for_its_owner_and_should_be_sealed_anew() -> None:
    here = vault()
    old = earlier("token", "b")
    assert here.unseal(old, FIELD, "b") == "token"
    with pytest.raises(UnsealFailed):
        here.unseal(old, FIELD, "another")
    assert here.is_outdated(old)
    assert not here.is_outdated(here.seal("token", FIELD, "b"))
    two = replace(CREDENTIALS, token_keys={**CREDENTIALS.token_keys, "k2": b"2" * 32}, active_token_key="k2")
    assert vault(two).is_outdated(here.seal("token", FIELD, "b"))


@pytest.mark.parametrize("field", [SealedField.LINK_PAGE, SealedField.UNLINK_PAGE])
def test_an_earlier_text_is_shown_as_a_page_only_where_it_is_one(field: SealedField) -> None:
    """An earlier text does not say for which field it was made: a token put there must not be read."""
    assert vault().unseal(earlier("https://bank.example/p", "b"), field, "b") == "https://bank.example/p"
    with pytest.raises(UnsealFailed):
        vault().unseal(earlier("eyJhbGciOi", "b"), field, "b")


def test_each_sealing_is_different_and_names_its_key() -> None:
    here = vault()
    first, second = here.seal("token", FIELD, "b"), here.seal("token", FIELD, "b")
    assert first != second
    assert first.split(".")[:2] == second.split(".")[:2] == ["2", "k1"]
    assert first.split(".")[2] != second.split(".")[2]
    assert "token" not in first


@pytest.mark.parametrize("part", [0, 1, 2, 3])
def test_no_part_can_be_altered(part: int) -> None:
    here = vault()
    parts = here.seal("token", FIELD, "b").split(".")
    parts[part] = ("B" if parts[part][0] == "A" else "A") + parts[part][1:]
    with pytest.raises(UnsealFailed):
        here.unseal(".".join(parts), FIELD, "b")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "k1",
        "k1.",
        "k1..",
        "k1.AAAA.AAAA",
        "k1.!.?",
        "2.k1.AAAA.AAAA",
        "2.k1.!.?",
        "....",
        "k1.é.é",
        "nobody.AAAA.AAAA",
    ],
)
def test_what_was_never_sealed_is_refused(text: str) -> None:
    with pytest.raises(UnsealFailed):
        vault().unseal(text, FIELD, "b")


def test_after_a_rotation_old_texts_open_and_new_ones_use_the_new_key() -> None:
    old = vault().seal("token", FIELD, "b")
    both = replace(CREDENTIALS, token_keys={**CREDENTIALS.token_keys, **ROTATED.token_keys}, active_token_key="k2")
    here = vault(both)
    assert here.unseal(old, FIELD, "b") == "token"
    assert here.seal("token", FIELD, "b").startswith("2.k2.")


def test_a_key_that_only_the_previous_secret_has_still_opens() -> None:
    old = vault().seal("token", FIELD, "b")
    assert vault(ROTATED, CREDENTIALS).unseal(old, FIELD, "b") == "token"
    with pytest.raises(UnsealFailed, match="the key of this text is not in the secret"):
        vault(ROTATED).unseal(old, FIELD, "b")


class RotatesBehindOurBack(FixedCredentials[Credentials]):
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
    newer = vault(ROTATED).seal("token", FIELD, "b")
    source = RotatesBehindOurBack()
    here = AesGcmVault(source, SeededIds())
    assert here.unseal(newer, FIELD, "b") == "token"
    assert source.refreshed == 1


def test_fingerprints_are_equal_for_equal_text_and_depend_on_the_pepper() -> None:
    first = vault().fingerprint("6281234567890")
    assert first == vault().fingerprint("6281234567890")
    assert first != vault().fingerprint("6281234567891")
    assert first != vault(replace(CREDENTIALS, phone_pepper=b"x" * 32)).fingerprint("6281234567890")
    assert len(first) == 64
    assert set(first) <= set("0123456789abcdef")
