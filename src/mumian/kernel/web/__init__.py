"""Web plumbing: what every endpoint shares — problems, languages, paging, idempotency, live events."""

from mumian.kernel.web.dependencies import PlatformDep as PlatformDep
from mumian.kernel.web.paging import Page as Page
