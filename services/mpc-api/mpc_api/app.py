"""The application: what is created once, which layers are around it and which addresses it answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from mpc_api import __version__, failures, generate_routes, health_routes
from mpc_api.boundary import Boundary
from mpc_api.drain import Drain
from mpc_api.gateway import Gateway
from mpc_api.generation import Call, Generation
from mpc_api.health import GatewayHealth
from mpc_api.keys import Keys
from mpc_api.kinds import AnyKind
from mpc_api.settings import Settings


def create_app(settings: Settings, drain: Drain) -> FastAPI:
    """The service; `drain` is shared with the server, which begins it on a signal."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        gateway = Gateway(settings.gateway_url, settings.gateway_key, timeout=settings.request_timeout)
        generation = Generation(
            gateway.ask, settings.models, timeout=settings.request_timeout, secret=settings.gateway_key.encode()
        )
        app.state.generate = generation.generate
        app.state.admit = admit_all
        app.state.health = GatewayHealth(gateway.http, settings.gateway_url)
        loading = asyncio.create_task(gateway.client())
        yield
        await loading
        await gateway.close()

    app = FastAPI(
        title="MPC-API",
        version=__version__,
        docs_url=None,  # both pages load their scripts from the internet
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.settings = settings
    app.state.drain = drain
    app.state.keys = Keys(settings.api_key)
    app.include_router(health_routes.router)
    app.include_router(generate_routes.router)
    failures.install(app)
    app.add_middleware(Boundary, drain=drain)
    return app


async def admit_all(_kind: AnyKind, _call: Call) -> None:
    """Whether one item of a batch may run: raises ApiError when not."""
