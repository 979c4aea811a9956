"""The environment variables of a function: all that have no default; and those of single functions."""

COMPLETE = {
    "BINDINGS_TABLE": "bindings",
    "TRANSACTIONS_TABLE": "transactions",
    "NOTIFICATION_QUEUE_URL": "https://sqs.example/1/n",
    "REFUND_RETRY_QUEUE_URL": "https://sqs.example/1/r",
    "STATUS_INQUIRY_QUEUE_URL": "https://sqs.example/1/s",
    "STREAM_FAILURE_QUEUE_URL": "https://sqs.example/1/f",
    "EVENT_BUS_NAME": "bus",
    "INBOUND_SECRET_ID": "secret",
    "SIGNING_SECRET_ID": "secret",
    "DATA_SECRET_ID": "secret",
    "DOKU_BASE_URL": "https://api-sandbox.doku.com",
    "PUBLIC_BASE_URL": "https://pay.example/v1/",
}

WEBHOOKS = {
    "WEBHOOK_URL": "https://shop.example/webhooks",
    "WEBHOOK_SECRET_ID": "webhook-secret",
    "WEBHOOK_LOG_TABLE": "webhook-log",
    "WEBHOOK_QUEUE_URL": "https://sqs.example/1/w",
    "WEBHOOK_DEAD_QUEUE_URL": "https://sqs.example/1/d",
}

ACCESS_TOKENS = {
    "JWT_ISSUER": "https://login.example/",
    "JWT_AUDIENCE": "direct-debit",
    "JWT_JWKS_URL": "https://login.example/jwks",
    "JWT_SCOPE_PREFIX": "direct-debit/",
}
