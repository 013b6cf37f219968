"""The composition root: finds all components and puts them together into one running city."""

from mumian.app.platform import create_platform as create_platform
from mumian.app.web import create_asgi as create_asgi
