"""The stack's own keys: new ones while the old are still accepted, and the end of the old ones."""
