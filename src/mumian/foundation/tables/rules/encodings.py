"""Encodings: which one the bytes of a text are most likely written in, judged by the characters that each would make of them."""

import codecs
import re
from itertools import pairwise

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WIDE = ("gb18030", "big5", "shift_jis", "euc_kr")
NARROW = ("cp1252", "mac_roman", "iso8859-1")
KNOWN = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", *WIDE, *NARROW)
_KANA = re.compile("[\u3040-\u30ff]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_SIGNS = set("，。、；：？！（）《》“”‘’—…·　℃№①②③④⑤■●★√×÷％０１２３４５６７８９")
_LATIN_SIGNS = set("–—‘’“”•…€£°±²³·½¼¾×÷§©®«»´µº¿¡ ¢¥")


def ranked(sample: bytes, cut: bool = False) -> list[tuple[str, float]]:
    """Encodings that can read the bytes, likeliest first, each with how likely its text is (0 to 1).

    `cut` says that the sample may end inside a character.
    """
    for mark, name in MARKS:
        if sample.startswith(mark):
            return [(name, 1.0)]
    wide = _unmarked(sample)
    if wide is not None:
        return [(wide, 1.0)]
    if _decoded(sample, "utf-8", cut) is not None:
        return [("utf-8", 1.0)]
    found = []
    for name in (*WIDE, *NARROW):
        text = _decoded(sample, name, cut)
        if text is not None:
            found.append((name, round(_wide_score(text, name) if name in WIDE else _narrow_score(text, name), 4)))
    return sorted(found, key=lambda each: -each[1])


def _decoded(sample: bytes, name: str, cut: bool) -> str | None:
    try:
        return codecs.getincrementaldecoder(name)().decode(sample, final=not cut)
    except (UnicodeDecodeError, ValueError):
        return None


def _unmarked(sample: bytes) -> str | None:
    """UTF-16 without its mark: of ASCII text every other byte is zero."""
    part = sample[:4000]
    if len(part) < 4 or (len(sample) % 2 and len(sample) < 4000):
        return None
    even, odd = part[0::2].count(0) / (len(part) / 2), part[1::2].count(0) / (len(part) / 2)
    if odd > 0.3 and even < 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > 0.3 and odd < 0.05 else None


def _wide_score(text: str, name: str) -> float:
    """The share of characters outside ASCII that people write every day in that encoding."""
    odd = [c for c in text if c > "\x7f"]
    if not odd:
        return 0.5
    usual = sum(_usual(c, name) for c in odd) / len(odd)
    letters = sum(a.isascii() and a.isalpha() and b > "\u2e7f" for a, b in pairwise(text)) / len(odd)
    return max(usual - 0.3 * letters, 0.0)


def _usual(character: str, name: str) -> bool:
    if character in _SIGNS:
        return True
    if name == "shift_jis" and _KANA.match(character):
        return True
    if name == "euc_kr":
        return _HANGUL.match(character) is not None
    if not "\u4e00" <= character <= "\u9fff":
        return False
    try:
        first = character.encode("big5" if name == "big5" else "gb2312" if name == "gb18030" else "shift_jis")[0]
    except UnicodeEncodeError:
        return False
    return (0xA4 <= first <= 0xC6) if name == "big5" else (0xB0 <= first <= 0xD7) if name == "gb18030" else first < 0x98


def _narrow_score(text: str, name: str) -> float:
    """The share of characters outside ASCII that are letters beside letters, or signs of Western texts."""
    good = total = 0
    for i, character in enumerate(text):
        if character <= "\x7f":
            continue
        total += 1
        beside = text[max(0, i - 1) : i] + text[i + 1 : i + 2]
        if "\x80" <= character <= "\x9f":
            continue
        letter = character.isalpha() and "\xc0" <= character <= "\u024f"
        fits = letter and any(c.isalpha() for c in beside) and not (character.isupper() and beside[:1].islower())
        good += fits or character in _LATIN_SIGNS
    share = 0.5 if total == 0 else good / total
    return share * {"cp1252": 0.93, "iso8859-1": 0.9, "mac_roman": 0.88}[name]
