"""The repositories over two DynamoDB tables (design section 6)."""
