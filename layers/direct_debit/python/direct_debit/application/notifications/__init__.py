"""What DOKU tells by itself.

Use cases are accept_notification and process_notification; inbound_ports and notices are parts of them.
"""
