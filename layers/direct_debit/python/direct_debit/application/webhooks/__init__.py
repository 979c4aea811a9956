"""Events for whoever has no bus: signed requests to the merchant's own address.

The use case is deliver_webhook; sign_webhook and webhook are parts of it.
"""
