"""Text of addresses: one plain form with the same length as the original, and numerals as numbers."""

import re

_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0x00A0: 0x20}
_DASHES = dict.fromkeys(map(ord, "—–―－‐‑−～~﹣"), "-")
_VARIANTS = dict(
    zip(
        map(ord, "號樓棟區縣鎮鄉街號單層東廣門廠園廈場灣龍國華馬橋衛陽陰會學醫銀壹貳叁肆伍陸柒捌玖拾兩"),
        "号楼栋区县镇乡街号单层东广门厂园厦场湾龙国华马桥卫阳阴会学医银一二三四五六七八九十两",
        strict=True,
    )
)
_PLAIN = str.maketrans(_WIDE | _DASHES | _VARIANTS | {0: " ", 0x3001: "、", 0x3002: ".", 0x301C: "-", 0x2FF: "-"})
DIGITS = "零一二三四五六七八九"
NUMERAL = "零〇一二三四五六七八九十百两"
_VALUES = {character: value for value, character in enumerate(DIGITS)} | {"〇": 0, "两": 2}
_CHINESE_NUMBER = re.compile(f"[{NUMERAL}]+")


def plain(text: str) -> str:
    """The text with half-width signs, one kind of dash and simplified forms of the usual words; as long as the original."""
    return text.translate(_PLAIN).upper() if text.isascii() or len(text.upper()) == len(text) else text.translate(_PLAIN)


def number(text: str) -> str:
    """A number written in Chinese numerals as decimal digits: 二十三 → 23, 一〇二 → 102; other text as it is."""
    if not text or any(character not in NUMERAL for character in text):
        return text
    if not any(character in "十百" for character in text):
        return "".join(str(_VALUES[character]) for character in text)
    total, digit = 0, None
    for character in text:
        if character in "十百":
            total += (1 if digit is None else digit) * (10 if character == "十" else 100)
            digit = None
        else:
            digit = _VALUES[character]
    return str(total + (digit or 0))


def numbers(text: str) -> str:
    """The text with every Chinese number in it as digits."""
    return _CHINESE_NUMBER.sub(lambda found: number(found[0]), text)
