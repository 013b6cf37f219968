"""Errors of context, named after the error types of NGSI-LD (ETSI GS CIM 009, 5.5.2 and 6.3.2)."""

from mumian.kernel.errors import Conflict, Fault, Invalid, Malformed, MumianError, NotFound, Unavailable


class BadRequestData(Invalid):
    """The request holds something that does not follow the rules of NGSI-LD; `faults` name it."""

    key = "context.bad_request"

    @classmethod
    def field(cls, field: str, key: str, **values: object) -> "BadRequestData":
        """An error about a single field, its message named by translation key."""
        return cls(Fault(field, key, dict(values)))


class InvalidRequest(Malformed):
    """The request is no JSON, or asks in a way that the operation does not know."""

    key = "context.invalid_request"


class AlreadyExists(Conflict):
    """There is one of that id; values: `name`."""

    key = "context.already_exists"


class ResourceNotFound(NotFound):
    """There is none of that id; values: `kind`, `name`."""

    key = "context.not_found"


class OperationNotSupported(MumianError):
    """The standard knows this, this platform does not do it; values: `reason`."""

    key = "context.not_supported"


class LdContextNotAvailable(Unavailable):
    """A remote @context cannot be had here; values: `address`."""

    key = "context.no_context"


class NoTenants(MumianError):
    """The request names a tenant; there is one city and no tenants."""

    key = "context.no_tenants"


class TooComplexQuery(MumianError):
    """The query asks for more than is looked at in one request; values: `limit`."""

    key = "context.too_complex"


class MediaType(MumianError):
    """The body is of a media type that is not taken; values: `given`."""

    key = "context.media_type"


class NotAcceptable(MumianError):
    """No representation that the request accepts can be given; values: `given`."""

    key = "context.not_acceptable"


class LengthRequired(MumianError):
    """The request does not say how long its body is."""

    key = "context.length"


class NotAllowed(MumianError):
    """The resource is there and does not do this; values: `path`, `method`."""

    key = "error.method"
