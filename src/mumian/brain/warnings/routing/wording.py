"""Wording: what a notice says in both languages, the worst first and never longer than a person reads."""

from collections.abc import Sequence

from mumian.kernel.i18n import LANGUAGES, text

_LINES = 8
_SUBJECT = {
    "first": "warnings.notice.first",
    "change": "warnings.notice.change",
    "repeat": "warnings.notice.repeat",
    "resolved": "warnings.notice.resolved",
    "escalation": "warnings.notice.escalation",
}


def worded(
    kind: str, route: dict[str, str], level: str, told: Sequence[tuple[str, dict[str, str], bool]]
) -> tuple[dict[str, str], dict[str, str]]:
    """Subject and body about warnings (level, title, new), sorted; of more than eight the rest is counted."""
    subject, body = {}, {}
    for language in LANGUAGES:
        name = text(f"warnings.level.{level}", language)
        subject[language] = text(_SUBJECT[kind], language, level=name, route=route[language], count=len(told))
        lines = [_line(language, *each) for each in told[:_LINES]]
        if len(told) > _LINES:
            lines.append(text("warnings.notice.more", language, count=len(told) - _LINES))
        body[language] = "\n".join(lines)
    return subject, body


def _line(language: str, level: str, title: dict[str, str], new: bool) -> str:
    mark = text("warnings.notice.new", language) if new else ""
    return f"[{text(f'warnings.level.{level}', language)}] {mark}{title[language]}"
