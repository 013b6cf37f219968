"""What can go wrong when someone comes in or wants to act."""

from mumian.kernel.errors import Conflict, Forbidden, TooMany, Unauthenticated


class BadCredentials(Unauthenticated):
    """Login and password do not fit, or the account is closed; which of these is never told."""

    key = "identity.bad_credentials"


class BadToken(Unauthenticated):
    """The bearer token is unknown, expired or revoked."""

    key = "identity.bad_token"


class WaitBeforeRetry(TooMany):
    """Too many attempts for this login; values: `seconds`."""

    key = "identity.wait"


class CrossSite(Forbidden):
    """A browser's change that came from another site, or does not say where it came from."""

    key = "identity.cross_site"


class PasswordFirst(Forbidden):
    """The one-time password must be replaced before anything else."""

    key = "identity.password_first"


class LoginTaken(Conflict):
    """Another person has this login; values: `login`."""

    key = "identity.login_taken"
