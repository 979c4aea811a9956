"""What has to stand in DOKU's back office."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.deploy.public_routes import BINDING_NOTIFICATION, PAYMENT_NOTIFICATION, TOKEN
from tools.ops.report import align
from tools.ops.secret_content import Content
from tools.ops.system import System


@dataclass(frozen=True, slots=True)
class Registration:
    """The public half of the merchant's key, its name, and the addresses that DOKU calls."""

    public_key: str
    fingerprint: str
    urls: Mapping[str, str]

    @property
    def facts(self) -> Mapping[str, object]:
        """For programs."""
        return {"merchantPublicKey": self.public_key, "merchantPublicKeySha256": self.fingerprint, "urls": self.urls}

    @property
    def lines(self) -> Sequence[str]:
        """For reading: the key can be copied as it stands."""
        rows = [(f"  {name}", url) for name, url in self.urls.items()]
        key = ["  public key of the merchant:", *self.public_key.strip().splitlines()]
        return ["register in DOKU's back office:", *align(rows), *key, f"  (its SHA-256: {self.fingerprint})"]


def list_registration(system: System, content: Content) -> Registration:
    """Return what DOKU has to know of this stack."""
    base = system.environment.settings.public_base_url
    return Registration(
        content.merchant_public_key,
        content.merchant_fingerprint,
        {
            "token URL": base + TOKEN,
            "payment notification URL": base + PAYMENT_NOTIFICATION,
            "binding notification URL": base + BINDING_NOTIFICATION,
        },
    )
