"""What the tests of the webhooks share."""

from tests.integration.doku_snap.conftest import certificate

__all__ = ["certificate"]
