"""What is shown of a record, by whichever operation."""
