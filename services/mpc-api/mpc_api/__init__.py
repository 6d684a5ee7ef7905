"""MPC-API: video scripts, thumbnail prompts and metadata over HTTP."""

__version__ = "0.1.0"
