"""Links between customers and their accounts.

Use cases are bind_account, return_from_binding, get_binding, get_balance, list_bindings, unbind_account,
confirm_unbinding, and resolve_binding for the sweep; advance_binding, find_binding, not_active, prove_binding,
release_account, result and unbinding are parts of them.
"""
