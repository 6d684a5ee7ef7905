"""The process: settings in, one uvicorn worker out. Exits 0 after a drain, 2 when the settings are wrong."""

import logging
import os
import sys

import uvicorn

from mpc_api import logs
from mpc_api.app import service
from mpc_api.drain import Drain
from mpc_api.protocol import BoundedProtocol
from mpc_api.reading import SettingsError
from mpc_api.server import DrainingServer
from mpc_api.settings import Settings

# Longer than any proxy in front keeps an idle connection, so that the proxy closes first and never
# sends a request into a closing connection.
KEEP_ALIVE_SECONDS = 75


def main() -> None:
    logs.configure("info")
    try:
        settings = Settings.load(os.environ)
    except SettingsError as error:
        logging.getLogger("mpc_api").error("settings_invalid", extra={"fields": {"reason": str(error)}})  # noqa: TRY400
        sys.exit(2)
    logs.configure(settings.log_level, settings.log_format)
    BoundedProtocol.head_timeout = settings.body_timeout
    drain = Drain()
    config = uvicorn.Config(
        service(settings, drain),
        host="0.0.0.0",  # inside a container: the published port decides who gets in
        port=settings.port,
        loop="uvloop",
        http=BoundedProtocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=5,
    )
    DrainingServer(config, drain, patience=settings.request_timeout + 5).run()
