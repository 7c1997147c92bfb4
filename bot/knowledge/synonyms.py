"""Everyday words that ask for the same thing, so that a paraphrase finds its passage.

One group a line. English and Chinese stand apart: a question finds passages of its own language. `PHRASES` are
phrases that are asked for by one word: the name of the group that matches.
"""

import re

PHRASES = re.compile(
    r"""(?P<return>\b(?:send|sent|sending|give|giving|bring|(?<!\byou\s)(?<!\bwe\s)take|mail)(?:\s\w+){0,3}\sback\b)
    |(?P<refund>\bmoney\sback\b)
    |(?P<broken>\b(?:not|n't|no\slonger|stopped|stops)\swork(?:s|ing)?\b)
    |(?P<fraction>\b\d+\s?/\s?\d+\b|\bone\s(?:half|third|quarter|fifth)\b)
    |(?P<add>(?<=\d)\s?\+\s?(?=\d))
    |(?P<reply>\bget\sback\sto\b)""",
    re.VERBOSE | re.IGNORECASE,
)

GROUPS_EN = """
half third quarter fraction
refund reimburse reimbursement
delivery deliver shipping ship shipment
parcel package
postage shipping
standard normal regular usual
late delayed delay overdue
broken damaged defective faulty broke break damage
warranty guarantee
price cost pay fee charge expensive
buy purchase bought
cancel revoke
change modify alter edit
phone telephone call
email mail
address location
shop store
hours opening open close closing
discount coupon voucher promo
invoice receipt bill
account profile login
exchange swap
repair fix mend
abroad international overseas foreign country
missing lost disappear
bulb lightbulb
doctor physician
medicine medication drug
fever temperature
ache pain hurt sore
sick ill unwell vomit
sneeze cold flu
child kid baby
begin start
end finish ending
tale story
teacher tutor
add sum plus addition
subtract minus subtraction
multiply times multiplication product
divide division
headline title
mail letter
summary abstract summarise summarize
shorten shorter brief concise
picture image photo
fast quick quickly rapid
danger dangerous risk
staff employee colleague
weather climate
wash clean rinse
carrier courier postman driver
human person agent staff
sorry apology apologise apologize
calculate compute work
big large size
"""

GROUPS_ZH = """
胳膊 手臂 上肢
发麻 麻 麻木
胸口 胸部 心口 胸
退货 退回 退还 退掉 寄回 退
丢 丢失 遗失 弄丢 不见
国外 海外 外国 境外
退款 退钱 退还
换货 更换 调换 换
配送 送货 快递 发货 运送 寄送 送达 物流 送到 送 到货
过期 失效 作废 到期 有效期
包裹 快件 邮件
运费 邮费 配送费 快递费
保修 质保 保修期 质保期 保质期
维修 修理 修 坏 报修
坏 损坏 破损 破 故障 碎
价格 价钱 钱 费用 收费 贵 元 美元
购买 买 下单
取消 撤销
修改 更改 改 变更
付款 支付 付钱 结账
发票 收据
优惠 折扣 打折 便宜 优惠券 优惠码 折扣码
营业 开门 营业时间 几点 开店 关门
门店 店铺 商店 店 实体店
地址 位置 地点
电话 热线 打电话 联系
客服 人工
发烧 发热 体温 高烧
感冒 流感 着凉
头疼 头痛
肚子 腹 胃
疼 痛 疼痛
拉肚子 腹泻
药 药物 药品 吃药
医生 大夫 就医 看病
孩子 小孩 儿童 宝宝
开头 开始 开篇
结尾 结局 收尾
故事 童话
分数 分母 分子
加 加法 相加
减 减法 相减
乘 乘法 相乘
除 除法 相除
标题 题目
邮件 电子邮件
报告 汇报
老师 教师
照片 图片
"""


def _table(groups: str) -> dict[str, frozenset[str]]:
    table: dict[str, set[str]] = {}
    for line in groups.strip().splitlines():
        group = line.split()
        for word in group:
            table.setdefault(word, set()).update(group)
    return {word: frozenset(others - {word}) for word, others in table.items()}


SYNONYMS_EN = _table(GROUPS_EN)
SYNONYMS_ZH = _table(GROUPS_ZH)
TOPICS = frozenset((*SYNONYMS_EN, *SYNONYMS_ZH, *PHRASES.groupindex))  # words that matters are asked by
ANYTHING = frozenset(["item", "product", "商品", "产品", "物品", "东西"])  # said of whatever is sold
