"""Generic mutation of domain and application: one small change at a time, which some test has to notice."""
