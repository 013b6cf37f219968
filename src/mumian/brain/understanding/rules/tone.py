"""Tone: how urgent a text is and how its writer feels, by words that people use; every word that counted is told."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

Urgency = Literal["low", "normal", "high", "critical"]
Emotion = Literal["neutral", "angry", "sad", "afraid", "grateful"]
_NEGATED = re.compile(r"(没有|没|未|无|不会|不是|并非|no|not|without)\s?$", re.IGNORECASE)
_CRITICAL = (
    "着火|起火|火灾|爆炸|煤气泄漏|燃气泄漏|天然气泄漏|坍塌|塌方|垮塌|倒塌|触电|漏电|溺水|落水|自杀|跳楼|轻生|伤人|持刀|被困|昏迷|中毒|死亡|"
    "有人受伤|生命危险|决堤|山洪|泥石流|on fire|explosion|gas leak|collapsed|electrocut|drown|trapped|unconscious|suicide|stabb"
)
_HIGH = (
    "随时.{0,3}(倒塌|垮塌|危险|掉落)|安全隐患|危及|危险|停水|断水|停电|断电|内涝|积水|井盖|高空坠物|泄漏|污水外溢|拖欠工资|讨薪|食物中毒|"
    "紧急|马上|立即|火速|急需|急急急|救命|孕妇|婴儿|"
    "urgent|emergency|immediately|dangerous|hazard|flooded|no water|no power|outage"
)
_PRESSING = (
    "尽快|多次(投诉|反映|举报)|一直(没有|未|无人)|无人(处理|管理|过问)|至今|长期|几个月|半年|"
    "asap|again and again|still not|for weeks"
)
_LEISURELY = "请问|咨询|建议|希望.{0,6}(增加|增设|考虑)|何时|什么时候|能否|是否可以|suggest|would like to know|when will"
_FEELINGS: Mapping[Emotion, str] = {
    "angry": "愤怒|气愤|气死|可恶|无耻|霸道|嚣张|黑心|坑人|骗子|欺骗|忽悠|不作为|推诿|踢皮球|敷衍|无法无天|严惩|"
    "投诉|扰民|强烈(要求|反对)|忍无可忍|"
    "苦不堪言|凭什么|难道|太过分|严重影响|angry|outrageous|unacceptable|disgusting|ridiculous|shame|！{2,}|!{2,}|？{2,}|\\?{2,}",
    "sad": "伤心|难过|绝望|无助|痛苦|心酸|流泪|可怜|走投无路|求求|困难户|sad|hopeless|helpless|heartbroken|desperate",
    "afraid": "害怕|恐惧|担心|提心吊胆|不敢|恐慌|惶恐|afraid|scared|terrified|fear",
    "grateful": "感谢|谢谢你们|点赞|表扬|辛苦了|thank you|grateful|well done",
}


class Tone(msgspec.Struct, frozen=True):
    """What was found and the words that it rests on; `confidence` (0–1) grows with them, and is low where none was found."""

    value: str
    confidence: float
    words: tuple[str, ...]


def urgency(text: str) -> Tone:
    """How urgent a text is: critical (life or limb), high, normal or low (a question or a proposal)."""
    critical, high = _found(_CRITICAL, text), _found(_HIGH, text)
    pressing, leisurely = _found(_PRESSING, text), _found(_LEISURELY, text)
    if critical:
        return _tone("critical", critical + high)
    if high:
        return _tone("high", high + pressing)
    if len(pressing) >= 2:
        return _tone("high", pressing)
    if leisurely and not pressing:
        return _tone("low", leisurely)
    return _tone("normal", pressing)


def emotion(text: str) -> Tone:
    """How the writer feels; neutral where no word tells."""
    found = {feeling: _found(words, text) for feeling, words in _FEELINGS.items()}
    feeling, words = max(found.items(), key=lambda each: len(each[1]))
    return _tone(feeling, words) if words else _tone("neutral", ())


def _tone(value: str, words: Sequence[str]) -> Tone:
    distinct = tuple(dict.fromkeys(words))
    return Tone(value, round(1 - 0.5 ** (1 + len(distinct)), 3), distinct[:10])


def _found(words: str, text: str) -> tuple[str, ...]:
    """The words that occur and are not denied just before."""
    hits = re.finditer(words, text, re.IGNORECASE)
    return tuple(hit.group() for hit in hits if not _NEGATED.search(text[max(0, hit.start() - 8) : hit.start()]))
