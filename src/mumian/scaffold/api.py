"""Scaffold, for the command line: begin a service, check services."""

from pathlib import Path

from mumian.scaffold.checking import Finding as Finding
from mumian.scaffold.checking import check_folder, installed
from mumian.scaffold.creation import create


def new_service(name: str, folder: Path | None = None) -> str:
    """Write a service that works; returns what to do next.

    Without `folder` it becomes one folder beside the other services of this checkout, its test below `tests/services/`; with
    `folder` a project of its own in `folder/name`, found by the entry point `mumian.services` once it is installed.
    Raises Invalid for a name that is no plain Python name, Conflict if something is there already.
    """
    return create(name, folder)


def check(path: Path | None = None) -> list[Finding]:
    """What is wrong with the service in the folder `path`, or with all installed services; empty when all is well."""
    return [finding for folder in ([path] if path else installed()) for finding in check_folder(folder)]
