"""One verb per file: a plain function of a stack and of what it touches. None prints."""
