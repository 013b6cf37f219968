"""The start script: short, plain POSIX, with a help that names every way in."""

import subprocess

from tests.laws.sources import ROOT

RUN = ROOT / "run"


def test_the_script_is_plain_posix_and_short() -> None:
    subprocess.run(["sh", "-n", str(RUN)], check=True)
    text = RUN.read_text("utf-8")
    assert text.startswith("#!/bin/sh\n")
    assert len(text.splitlines()) <= 130
    assert "[[" not in text


def test_the_script_can_be_run() -> None:
    assert RUN.stat().st_mode & 0o111
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_the_help_names_every_way_in() -> None:
    for way in ("demo", "up", "test", "setup", "COMMAND", "MUMIAN_HOME"):
        assert way in RUN.read_text("utf-8").split("TEXT'\n")[1]
