"""The application: what is created once, which layers are around it and which addresses it answers."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from mpc_api import __version__, docs_routes, failures, generate_routes, health_routes, languages, metrics_routes
from mpc_api.boundary import Boundary, Faults
from mpc_api.caching import Cached
from mpc_api.drain import Drain
from mpc_api.gate import Gate
from mpc_api.gateway import Gateway
from mpc_api.generation import Call, Generation
from mpc_api.health import looks
from mpc_api.keys import Key, Keys
from mpc_api.kinds import AnyKind
from mpc_api.quotas import Quotas
from mpc_api.redis_link import RedisLink
from mpc_api.settings import Settings

EXPOSED = ("X-Request-ID", "Retry-After", "RateLimit", "RateLimit-Policy")


def service(settings: Settings, drain: Drain) -> ASGIApp:
    """The whole service; `drain` is shared with the server, which begins it on a signal."""
    link = _link(settings)
    quotas = Quotas(link)
    return surround(routes(settings, drain, link, quotas), settings, drain, quotas)


def routes(settings: Settings, drain: Drain, link: RedisLink | None, quotas: Quotas) -> FastAPI:
    """The addresses it answers, without the layers around them."""

    async def admit(kind: AnyKind, call: Call) -> None:
        """One item of a batch counts like a request of its own."""
        if isinstance(call.identity, Key):
            call.identity.require(kind.name)
            await quotas.admit(call.identity)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        gateway = Gateway(settings.gateway_url, settings.gateway_key, timeout=settings.request_timeout)
        generation = Generation(
            gateway.ask, settings.models, timeout=settings.request_timeout, secret=settings.gateway_key.encode()
        )
        cached = Cached(generation.generate, generation.model, link=link, quotas=quotas, seconds=settings.cache_seconds)
        app.state.cached = cached
        app.state.generate = cached.generate
        app.state.admit = admit
        app.state.looks = looks(gateway.http, settings.gateway_url, link)
        if link is not None:
            link.open()
        loading = asyncio.create_task(_load(gateway, link))
        yield
        await cached.settled()
        await loading
        await gateway.close()
        if link is not None:
            await link.close()

    app = FastAPI(
        title="MPC-API",
        version=__version__,
        docs_url=None,  # both pages would load their scripts from the internet; ours is below
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.settings = settings
    app.state.drain = drain
    for routes in (health_routes, metrics_routes, docs_routes, generate_routes):
        app.include_router(routes.router)
    failures.install(app)
    app.add_middleware(Faults)
    return app


def surround(app: FastAPI, settings: Settings, drain: Drain, quotas: Quotas) -> ASGIApp:
    """The application with its layers, the outermost first.

    They stand around FastAPI and not in it: what the cache answers passes none of FastAPI's own.
    """
    keys = Keys(settings.keys)
    inner: ASGIApp = Gate(app, state=app.state, keys=keys, quotas=quotas, body_timeout=settings.body_timeout)
    if settings.cors_origins:
        inner = CORSMiddleware(
            inner,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "Cache-Control", "X-Request-ID"],
            expose_headers=EXPOSED,
        )
    return Boundary(inner, drain=drain, max_in_flight=settings.max_in_flight)


async def _load(gateway: Gateway, link: RedisLink | None) -> None:
    """Load what the start did not wait for."""
    await asyncio.gather(gateway.client(), asyncio.to_thread(languages.load))
    if link is not None:
        await link.loaded()
    # It stays for good: looking for garbage in it stopped every request for 40 ms, more than once a second under load.
    gc.freeze()


def _link(settings: Settings) -> RedisLink | None:
    if not settings.redis_url:
        return None
    return RedisLink(settings.redis_url, settings.redis_password, timeout=settings.redis_timeout)
