"""What is the merchant's own: the issuer of his access tokens, and the address and the key of his webhooks."""

import base64
from functools import cache

from tools.local_cloud.issuer import AUDIENCE, Issuer

ISSUER = "https://login.example/"
JWKS_PATH = "/jwks"
WEBHOOK_PATH = "/webhooks"
WEBHOOK_KEYS_AT = "webhook"  # in Secrets Manager
WEBHOOK_LOG = "WebhookLog"
WEBHOOK_KEY = "whsec_" + base64.b64encode(b"a key of the bench, 32 bytes long").decode()


@cache
def issuer() -> Issuer:
    """Return the issuer of this process; its key is new."""
    return Issuer(ISSUER)


def authoriser_environment(aws: str) -> dict[str, str]:
    """Return the variables of AuthoriseCall; the issuer's keys are at AWS's address, where no TLS is needed."""
    return {
        "JWT_ISSUER": ISSUER,
        "JWT_AUDIENCE": AUDIENCE,
        "JWT_JWKS_URL": aws + JWKS_PATH,
        "JWT_SCOPE_PREFIX": "direct-debit/",
    }


def webhook_environment(receiver: str, trusted: str) -> dict[str, str]:
    """Return the variables of DeliverWebhook; `trusted` is a file of authorities."""
    return {
        "WEBHOOK_URL": receiver + WEBHOOK_PATH,
        "WEBHOOK_SECRET_ID": WEBHOOK_KEYS_AT,
        "WEBHOOK_LOG_TABLE": WEBHOOK_LOG,
        "WEBHOOK_QUEUE_URL": "https://sqs.example/1/webhooks",
        "WEBHOOK_DEAD_QUEUE_URL": "https://sqs.example/1/webhooks-dead",
        "WEBHOOK_PRIVATE_NETWORKS": "true",
        "SSL_CERT_FILE": trusted,
    }
