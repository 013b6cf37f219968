"""Dependencies that endpoints ask for by type."""

from typing import Annotated

from fastapi import Depends, Request

from mumian.kernel.platform import Platform


def platform_of(request: Request) -> Platform:
    """The platform that serves this request."""
    platform: Platform = request.app.state.platform
    return platform


PlatformDep = Annotated[Platform, Depends(platform_of)]
