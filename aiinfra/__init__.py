"""From an empty directory to a healthy AI backend."""

__version__ = "0.1.0"
