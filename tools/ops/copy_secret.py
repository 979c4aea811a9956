"""Put what is in use into the secret of the other layout, while a stack changes from the one to the other."""

from direct_debit.adapters.credentials import read_fields
from tools.ops.failure import OpsError
from tools.ops.in_use import read_in_use, require_settled, with_notice_keys
from tools.ops.report import DONE, Report
from tools.ops.system import System
from tools.secret_fields import NOTICES


def copy_secret(system: System, *, now: bool) -> Report:
    """Let the secret of the other layout have the same keys. May be repeated; a key that was rotated since goes along.

    The version before does not: what a replaced key proves is refused once the layout has changed. Raises OpsError,
    also while it may still be met, unless that may happen `now`.
    """
    other = system.other_secret
    if other is None:
        raise OpsError(
            "there is the secret of one layout only: deploy with SecretLayoutChanges true first "
            "(docs/operations.md, One secret or three)"
        )
    secret = read_in_use(system)
    if not now:
        require_settled(secret, system, "copy")
    before = other.read()
    known = {} if before is None else {name: one for name, one in read_fields(before.text).items() if name in NOTICES}
    put = other.put(with_notice_keys(secret.content, other, known).text, after=before)
    is_changed = before is None or put.held != before.held
    to = "the three secrets" if other.is_split else "the one secret"
    lines = [
        f"{to} now have the keys in use" if is_changed else f"{to} had the keys in use already",
        f"then deploy with SecretLayout {'three' if other.is_split else 'one'}",
    ]
    return Report({"copied": is_changed, "dataKeysCarriedOver": list(secret.carried)}, lines, DONE)
