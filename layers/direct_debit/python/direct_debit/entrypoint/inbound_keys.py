"""The keys that verify DOKU's calls, as the secret has them."""

from direct_debit.adapters.credentials import CredentialSource, InboundSecret
from direct_debit.adapters.doku_inbound import InboundKeys


def read_inbound_keys(credentials: CredentialSource[InboundSecret], *, previous: bool) -> InboundKeys:
    """Return the keys that verify DOKU's calls: the current secret's, and the `previous` one's during its overlap."""
    current = credentials.current()
    before = credentials.overlapping() if previous else None
    both = [current] if before is None else [current, before]
    return InboundKeys(
        client_id=current.client_id,
        client_key=current.doku_client_key,
        secret_keys=[one.secret_key for one in both],
        doku_public_keys=[one.doku_public_key for one in both],
        issued_token_keys=[one.issued_token_key for one in both],
        are_in_use=before is None and credentials.is_confirmed(),
    )
