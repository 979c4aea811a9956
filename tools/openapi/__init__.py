"""docs/openapi.json, docs/errors.md and the problems' pages, from the route table, the models and recorded answers."""
