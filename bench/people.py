"""Made people in the files of three departments, with the truth who is who: for matching, and about nobody.

How they are made, all by one seeded generator: surnames by their share in the population of China (the hundred most common cover
about 85 %), given names of one (15 %) or two characters drawn from characters common in names, birthdays between 1930 and 2013,
ID cards with a right check character, mobile numbers, and addresses in streets of one city.

- The household register (`household`) has everybody once: ID card, name, birthday, sex, address of the household.
- Social security (`insurance`) has 70 %: ID card, name, birthday, phone, address where they live; 3 % of people twice.
- Medical visits (`clinic`) have 60 %, on average 1.4 times: name, birthday, phone, address; an ID card in half of the rows.

What goes wrong, each by itself: a character of the name replaced by one of the same sound (6 %), the name in traditional
characters (2 %), a slip in the ID card (1.5 %: a digit changed, or two changed round), ID card missing (insurance 2 %), birthday
with a slip or day and month changed round (3 %) or missing (2 %), another phone (15 %) or none (10 %), moved to another address
(20 %), the address without its district (15 %) or with other words for the same (号/號, Chinese numerals) (15 %).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹"
    "熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万"
)
GIVEN = (
    "伟芳娜敏静秀丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰红建国文辉力志永健世广义兴良海山仁波宁贵福生元全胜学祥才发武新利清飞彬富顺信子昌成康星光天达安岩中茂进林有坚和彪博诚先敬震振壮会思群豪心邦承乐绍功松善厚庆民友裕河哲江浩亮政谦亨奇固之轮翰朗伯宏言若鸣朋斌梁栋维启克伦翔旭鹏泽晨辰士以家致树炎德行时泰盛雄琛钧冠策腾楠榕风航弘"
    "淑惠珠翠雅芝萍巧美慧彩春菊凤洁梅琳素云莲真环雪荣爱妹香月莺媛瑞凡佳嘉琼勤珍贞莉叶璧璐娅琦晶妍茜秋珊莎锦黛青倩婷姣婉娴瑾颖露瑶怡婵雁蓓纨仪荷丹蓉眉君琴蕊薇菁梦岚苑婕馨瑗琰韵融园艺咏卿聪澜纯毓悦昭冰爽琬茗羽希欣飘育滢馥筠柔竹霭凝晓欢霄枫芸菲寒伊亚宜可姬舒影荔枝丽阳妮宝贝初程梓涵晨曦"
)
SAME_SOUND = (
    "伟玮炜纬 芳方坊 敏闽 静婧靖 秀绣 丽莉俐 强蔷 磊蕾 军君钧均 勇永咏 艳燕彦 "
    "杰洁捷婕 娟涓 涛韬 明铭鸣茗 霞侠遐 平萍苹 英瑛莹 玉钰育 红宏鸿虹 建健剑 文雯纹 "
    "辉晖徽 志智致治 海 波博 生声升 新欣馨心 清青卿 飞菲 子梓 成诚程承 晨辰晨臣 "
    "佳嘉家 琪琦祺奇 雨宇羽禹 思斯 慧惠会 婷庭廷 章张 徐许 江姜 付傅 肖萧 "
).split()
TRADITIONAL = dict(
    zip(
        "张刘陈杨黄赵吴孙马罗郑谢许韩邓冯肖蒋叶苏吕任卢钟陆贾邹闫龙贺顾龚万国华伟丽军杰涛刚红兰发飞达进坚会乐贵庆东",
        "張劉陳楊黃趙吳孫馬羅鄭謝許韓鄧馮蕭蔣葉蘇呂任盧鍾陸賈鄒閆龍賀顧龔萬國華偉麗軍傑濤剛紅蘭發飛達進堅會樂貴慶東",
        strict=True,
    )
)
DISTRICTS = (("荔湾区", "440103"), ("越秀区", "440104"), ("海珠区", "440105"), ("天河区", "440106"), ("白云区", "440111"))
ROADS = tuple(a + b + c for a in ("东风", "中山", "解放", "人民", "建设", "北京", "江南", "体育", "黄埔", "新港", "工业", "华强")
              for b in ("东", "西", "南", "北", "中", "") for c in ("路", "大道", "街"))  # fmt: skip
FIELDS = {
    "household": ("code", "id_card", "name", "born", "sex", "address", "updated"),
    "insurance": ("code", "id_card", "name", "born", "phone", "address", "updated"),
    "clinic": ("code", "id_card", "name", "born", "phone", "address", "updated"),
}
Row = dict[str, str | None]
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_DIGITS = "〇一二三四五六七八九"


@dataclass(frozen=True)
class Person:
    """Somebody who does not exist."""

    number: int
    name: str
    born: date
    sex: str
    id_card: str
    phone: str
    address: tuple[str, str, int, int]


def people(count: int, seed: int = 2014) -> Iterator[Person]:
    """`count` different people, the same for each seed."""
    chance = random.Random(seed)
    shares = [1.0 / (3 + i) for i in range(len(SURNAMES))]
    for number, surname in enumerate(chance.choices(SURNAMES, shares, k=count)):
        given = "".join(chance.choice(GIVEN) for _ in range(1 if chance.random() < 0.15 else 2))
        born = date(1930, 1, 1) + timedelta(days=chance.randrange(30_600))
        sex = chance.choice("男女")
        body = f"{chance.choice(DISTRICTS)[1]}{born:%Y%m%d}{chance.randrange(100):02d}{chance.randrange(5) * 2 + (sex == '男')}"
        check = "10X98765432"[sum(w * int(d) for w, d in zip(_WEIGHTS, body, strict=True)) % 11]
        yield Person(number, surname + given, born, sex, body + check, _phone(chance), _home(chance))


def files(count: int, seed: int = 2014) -> tuple[dict[str, list[Row]], dict[str, dict[str, int]]]:
    """The rows of each department, and the person of each row by its code."""
    chance = random.Random(seed + 1)
    rows: dict[str, list[Row]] = {name: [] for name in FIELDS}
    truth: dict[str, dict[str, int]] = {name: {} for name in FIELDS}

    def add(file: str, person: Person, **values: str | None) -> None:
        code = f"{file[0].upper()}{len(rows[file]):08d}"
        day = date(2013, 1, 1) + timedelta(days=chance.randrange(700))
        rows[file].append({"code": code, "updated": day.isoformat(), **values})
        truth[file][code] = person.number

    for person in people(count, seed):
        add("household", person, id_card=person.id_card, name=person.name, born=person.born.isoformat(), sex=person.sex,
            address=_written(chance, person.address))  # fmt: skip
        if chance.random() < 0.7:
            for _ in range(2 if chance.random() < 0.03 else 1):
                add("insurance", person, id_card=_card(chance, person, 0.98), **_told(chance, person))
        if chance.random() < 0.6:
            for _ in range(1 + (chance.random() < 0.3) + (chance.random() < 0.1)):
                add("clinic", person, id_card=_card(chance, person, 0.5), **_told(chance, person))
    for file in rows.values():
        chance.shuffle(file)
    return rows, truth


def _told(chance: random.Random, person: Person) -> Row:
    """What somebody says, and a clerk writes down."""
    name, roll = person.name, chance.random()
    if roll < 0.06:
        name = _mistaken(chance, name)
    elif roll < 0.08:
        name = "".join(TRADITIONAL.get(character, character) for character in name)
    roll = chance.random()
    born: str | None = person.born.isoformat()
    if roll < 0.02:
        born = None
    elif roll < 0.03 and person.born.day <= 12:
        born = f"{person.born.year}-{person.born.day:02d}-{person.born.month:02d}"
    elif roll < 0.05:
        born = (person.born + timedelta(days=chance.choice((-10, -1, 1, 10, 365)))).isoformat()
    roll = chance.random()
    phone = None if roll < 0.1 else _phone(chance) if roll < 0.25 else person.phone
    home = _home(chance) if chance.random() < 0.2 else person.address
    return {"name": name, "born": born, "phone": phone, "address": _written(chance, home)}


def _mistaken(chance: random.Random, name: str) -> str:
    places = [(i, group) for i, character in enumerate(name) for group in SAME_SOUND if character in group and len(group) > 1]
    if not places:
        return name
    place, group = chance.choice(places)
    return name[:place] + chance.choice([c for c in group if c != name[place]]) + name[place + 1 :]


def _card(chance: random.Random, person: Person, there: float) -> str | None:
    if chance.random() >= there:
        return None
    card = person.id_card
    if chance.random() < 0.015:
        place = chance.randrange(16)
        if chance.random() < 0.5:
            return card[:place] + str((int(card[place]) + chance.randrange(1, 10)) % 10) + card[place + 1 :]
        return card[:place] + card[place + 1] + card[place] + card[place + 2 :]
    return card.lower() if chance.random() < 0.1 else card


def _phone(chance: random.Random) -> str:
    return f"1{chance.choice('35789')}{chance.randrange(10**9):09d}"


def _home(chance: random.Random) -> tuple[str, str, int, int]:
    return chance.choice(DISTRICTS)[0], chance.choice(ROADS), chance.randrange(1, 400), chance.randrange(101, 2509)


def _written(chance: random.Random, home: tuple[str, str, int, int]) -> str:
    district, road, number, room = home
    if chance.random() < 0.15:
        return f"{district}{road}{number}號{''.join(_DIGITS[int(d)] for d in str(room))}室"
    city = "" if chance.random() < 0.3 else "广州市"
    return f"{city}{'' if chance.random() < 0.15 else district}{road}{number}号{room}房"
