"""The simulator over HTTP: API, pages for the customer, notifications to the merchant, controls."""
