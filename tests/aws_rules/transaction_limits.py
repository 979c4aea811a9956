"""What a transaction may hold: at most 100 actions, no item twice, at most 4 MB of items.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""

MOST_ACTIONS = 100
LARGEST_TRANSACTION = 4 * 1024 * 1024
