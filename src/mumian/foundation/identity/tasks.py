"""Offers identity at start."""

from starlette.requests import Request

from mumian.foundation.identity.api import Identity, authenticate
from mumian.kernel.platform import Platform
from mumian.kernel.web.idempotency import CallerCheck

_OWN = "/api/v1/foundation/identity/"


def register(platform: Platform) -> None:
    """Offer `Identity`, and tell for whom answers to repeated requests may be kept."""
    platform.provide(Identity, Identity(platform))
    platform.provide(CallerCheck, CallerCheck(lambda request: _keeper(platform, request)))


async def _keeper(platform: Platform, request: Request) -> str | None:
    """Identity's own requests carry passwords and their answers secrets: of these nothing is kept, not even a digest."""
    if request.url.path.startswith(_OWN):
        return None
    caller = await authenticate(platform, request.scope["headers"], request.method)
    return None if caller.anonymous else caller.actor.id
