"""Events for whoever has no bus: signed requests to the merchant's own address."""
