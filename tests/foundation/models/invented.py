"""Invented tickets of three categories, made of parts: enough to learn from in a second, and nobody's words."""

from mumian.foundation.models.api import Labelled

_PLACES = ("青石巷", "枫林路", "白云里小区", "东湖花园", "南门市场", "河西大道", "新华街", "学院路")
_PARTS = {
    "道路": (
        ("路灯不亮", "井盖松动", "路面破损", "人行道塌陷", "护栏倒伏"),
        ("行人绊倒", "车辆颠簸", "夜里看不清路", "积水不退"),
    ),
    "环境": (
        ("垃圾没人清", "油烟扰民", "夜间施工噪音", "河水发臭", "扬尘严重"),
        ("不敢开窗", "老人睡不着", "气味刺鼻", "蚊虫成群"),
    ),
    "教育": (
        ("学位不够", "校门口拥堵", "幼儿园收费", "转学手续", "课后托管"),
        ("家长着急", "孩子上学难", "老师答复不清", "报名没有消息"),
    ),
}  # fmt: skip


def tickets(count: int) -> list[Labelled]:
    """That many tickets, evenly of the three categories, title and body."""
    made = []
    for number in range(count):
        label = list(_PARTS)[number % 3]
        matters, outcomes = _PARTS[label]
        step = number // 3
        place = _PLACES[step % 8]
        matter, outcome = matters[step % 5], outcomes[step // 5 % 4]
        body = f"{place}{step % 40 + 1}号附近{matter}，已经{step % 9 + 2}天了，{outcome}，请尽快处理。"
        made.append(Labelled(f"T{number:04d}", (f"{place}{matter}", body), label))
    return made
