"""Compiling: what a subscription says becomes what it asks for, the form of what is told, and the attributes it watches."""

from collections.abc import Mapping
from typing import Any

from mumian.foundation.context.rules import parameters, selection, texts
from mumian.foundation.context.rules.asks import Ask
from mumian.foundation.context.rules.names import Names
from mumian.foundation.context.rules.query import parse
from mumian.foundation.context.rules.rendering import Form
from mumian.foundation.context.rules.subscription import format_of


def compiled(body: Mapping[str, Any], names: Names) -> tuple[Ask, Form, frozenset[str] | None]:
    """The ask, form and watched attributes (addresses) of a checked subscription; raises BadRequestData."""
    watched = body.get("watchedAttributes")
    addresses = None if watched is None else frozenset(names.expand(texts.name(w, "watchedAttributes")) for w in watched)
    geo = parameters.geo(parameters.geo_parameters(body["geoQ"]), names.expand) if "geoQ" in body else None
    ask = Ask(
        parameters.selectors(body.get("entities", [])),
        parse(body["q"], names.expand) if "q" in body else None,
        geo,
        selection.parse(body["scopeQ"], "scopeQ") if "scopeQ" in body else None,
        names=names,
    )
    return ask, _form(body, names), addresses


def _form(body: Mapping[str, Any], names: Names) -> Form:
    notification = body["notification"]
    query = {name: ",".join(notification[name]) for name in ("pick", "omit") if name in notification}
    if "attributes" in notification:
        query["attrs"] = ",".join(notification["attributes"])
    pick, omit = parameters.projection(query, names)
    datasets = body.get("datasetId")
    listed = None if datasets is None else frozenset(datasets if isinstance(datasets, list) else [datasets])
    return Form(format_of(body), bool(notification.get("sysAttrs")), pick, omit, body.get("lang"), listed)
