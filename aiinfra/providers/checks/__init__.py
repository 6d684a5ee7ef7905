"""The checks of a provider config, one matter a module; each yields the faults that it finds."""
