"""Workflows that wait for a record.

The one module, complete_task, is a part of the use cases of payments, links and the outbox.
"""
