"""Words that tell nothing about what a question is about."""


def word_set(text: str) -> frozenset[str]:
    """The words of a text, in no order."""
    return frozenset(text.split())


STOP_EN = word_set(
    """a about above after again ain't all also am an and any anyone anything are aren't as at away be because been
    before being below between both but by can can't cannot could couldn't did didn't do does doesn't doing don't
    done down during each either else ever every everything few for from further get gets getting give go goes going
    got had has have having he her here hers him his how however i i'd i'll i'm i've if in into is isn't it it's its
    just know let let's like long lot many may maybe me might mine more most much must my need no nor not now of off
    oh ok okay on once one only onto or other our ours out over own per please quite rather really same say she
    should since so some somebody someone something still such tell than thank thanks that that's the their them
    then there there's these they they're thing things think this those though through to too under until up upon us
    use very want was wasn't way we well were what what's when where whether which while who whom whose why will
    with without won't would yes yet you you're you've your yours hi hello hey dear actually happen happens possible
    explain question answer policy policies rule rules info information details mean means called me i'd explain able"""
)

STOP_ZH = word_set(
    """的 了 是 在 我 你 您 他 她 它 们 我们 你们 他们 咱们 这 那 这个 那个 这些 那些 这里 那里 和 与 及 或
    或者 也 都 就 又 还 还是 再 才 只 很 太 更 最 吗 呢 吧 啊 呀 哦 嗯 哪 哪些 哪个 哪里 哪儿 什么 怎么 怎样
    怎么办 如何 为什么 为何 多少 多久 多长 多大 多长时间 几 请 请问 想 要 想要 需要 能 能够 能不能 可 可以
    可不可以 会 会不会 应该 该 得 把 被 给 对 对于 关于 从 到 向 往 由 因为 所以 如果 要是 但 但是 不过 而
    而且 并 并且 以 之 其 等 有 没有 有没有 是不是 是否 不 没 做 用 使用 让 去 来 说 讲 告诉 知道 问 一下
    一个 一些 个 些 上 下 里 中 内 外 时 时候 后 前 以后 以前 之后 之前 人 东西 事 事情 自己 谢谢 你好 您好
    好 嘛 啦 谁 何时 何 意思 进行 通过 然后 现在 已经 一 每 有些 就是 叫 叫做 介绍 问题 怎么样 呗 哈 么 几天
    几个 几次 几种 几年 几岁 多少钱 多少天 了吗 来着"""
)

NEGATIONS_EN = word_set(
    """no not never none nothing neither nor without cannot can't don't doesn't didn't won't isn't aren't wasn't
    weren't shouldn't couldn't wouldn't mustn't haven't hasn't hadn't unable impossible"""
)

# Words of politeness: an answer may always say them, and they support nothing.
COURTESY = word_set(
    """sorry hear glad happy help welcome hope hopes helps great good thank thanks apologise apologize apologies
    inconvenience sure certainly course absolutely understand worry pleasure gladly unfortunately kindly feel free
    contact 抱歉 对不起 不好意思 带来 不便 高兴 服务 好的 当然 没问题 希望 帮助 欢迎 感谢 谅解 理解 放心
    没关系 不客气 别担心 担心 以下 如下"""
)
