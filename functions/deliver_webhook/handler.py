"""WebhookQueue: send an event to the merchant's address, signed, until it is taken."""

from direct_debit.entrypoint.webhooks import open_webhook_door

handler = open_webhook_door("deliver_webhook")
