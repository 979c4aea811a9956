"""How a process of the application begins, before anything else of it is loaded."""
