"""The kinds of warnings: what is judged, who is told, what makes what needless, and when nobody is told."""

from mumian.brain.warnings.kinds.judged import PLACES, Message, WarningSpec, check_warning
from mumian.brain.warnings.kinds.routes import (
    MaintenanceWindowSpec,
    Match,
    Receiver,
    WarningInhibitionSpec,
    WarningRouteSpec,
    check_inhibition,
    check_route,
    check_window,
)
from mumian.kernel.declarations.kinds import Kind

__all__ = [
    "KINDS",
    "PLACES",
    "MaintenanceWindowSpec",
    "Match",
    "Message",
    "Receiver",
    "WarningInhibitionSpec",
    "WarningRouteSpec",
    "WarningSpec",
]

KINDS = [
    Kind("Warning", WarningSpec, "A warning rule: lines over a vital sign, with hysteresis and duration.", check_warning),
    Kind("WarningRoute", WarningRouteSpec, "Who is told of which warnings, when, and who else when nobody answers.", check_route),
    Kind("WarningInhibition", WarningInhibitionSpec, "Warnings that say nothing new while another stands.", check_inhibition),
    Kind("MaintenanceWindow", MaintenanceWindowSpec, "When nobody is told of certain warnings.", check_window),
]
