# The words of imipd's mails in Simplified Chinese. The variables of each message are listed in docs/mails.md.
### 主题

untitled = （无标题）
subject-invitation = 邀请：{ $title }
subject-update = 已更改：{ $title }
subject-new-dates = 新增日期：{ $title }
subject-cancellation = 已取消：{ $title }
subject-accepted = 已接受：{ $title }
subject-declined = 已谢绝：{ $title }
subject-tentative = 暂时接受：{ $title }
subject-delegated = 已委托：{ $title }
subject-completed = 已完成：{ $title }
subject-in-process = 进行中：{ $title }
subject-undecided = 未决定：{ $title }
subject-counter = 建议更改：{ $title }
subject-counter-declined = 建议未采纳：{ $title }
subject-refresh = 请重新发送：{ $title }
subject-publication = 活动：{ $title }
subject-dated = { $subject }（{ $date }）

### 谁做什么

this-item = { $kind ->
    [task] 此任务
    [entry] 此日志
   *[event] 此活动
}
opening-invitation = { $kind ->
    [task] { $organizer } 请您完成此任务。
    [entry] { $organizer } 向您发送了此日志。
   *[event] { $organizer } 邀请您参加此活动。
}
opening-update = { $organizer } 更改了{ this-item }。
opening-new-dates = { $organizer } 为{ this-item }增加了日期。
opening-cancellation = { $organizer } 取消了{ this-item }。
opening-publication = { $organizer } 发布了{ this-item }。
opening-counter = { $attendee } 建议更改{ this-item }。
opening-counter-declined = { $organizer } 没有采纳您对{ this-item }的建议。
opening-refresh = { $attendee } 请求获取{ this-item }的最新内容。
answer-accepted = { $attendee } 已接受。
answer-declined = { $attendee } 已谢绝。
answer-tentative = { $attendee } 已暂时接受。
answer-delegated = { $attendee } 已委托他人代为参加。
answer-completed = { $attendee } 已完成此任务。
answer-in-process = { $attendee } 正在处理此任务。
answer-undecided = { $attendee } 尚未决定。
somebody-organizer = 组织者
somebody-attendee = 参加者
on-behalf = { $deputy }（代表 { $person }）

### 系列中的哪一部分

only-these-dates = { $count ->
    [1] 仅涉及该系列中的一次。
   *[other] 仅涉及该系列中的 { $count } 次。
}
from-this-date = 涉及 { $date }及之后的所有日期。
sentences = { $first }{ $second }

### 各行

label-what = 内容
label-when = 时间
label-start = 开始
label-due = 截止
label-duration = 时长
label-dates = 日期
label-where = 地点
label-repeats = 重复
label-comment = 备注
labelled = { $label }：{ $text }
before = 原为：{ $value }
nothing = 无
more-dates = 另有 { $count } 次
description-changed = 说明已更改：
text-goes-on = ［其余内容请见日历中的条目。］

### 如何答复

links-intro = 您会参加吗？
link-yes = 是
link-no = 否
link-maybe = 待定
closing-answer = 请在您的邮件或日历程序中接受或谢绝此邀请。
closing-links = 您也可以在邮件或日历程序中答复。
closing-counter = 如要采纳该建议，请在日历中更改此活动；否则一切保持不变。
closing-information = 您的日历程序会从附件中读取这些内容，您无需进行任何操作。

### 日期和时间

weekday = { $day ->
    [1] 星期一
    [2] 星期二
    [3] 星期三
    [4] 星期四
    [5] 星期五
    [6] 星期六
   *[7] 星期日
}
date = { $year }年{ $month }月{ $day }日
date-weekday = { $date } { $weekday }
time = { $hour24 }:{ $minute }
date-time = { $date } { $time }
times = { $start }至{ $end }
date-times = { $date } { $times }
from-to = { $start }至{ $end }
days-to = { $start }至{ $end }
whole-day = { $date }（全天）
in-zone = { $period }（{ $zone }）
local-time = 当地时间
duration-days = { $count }天
duration-hours = { $count }小时
duration-minutes = { $count }分钟
duration-and = { $first }{ $second }

### 频率

every-hour = { $every ->
    [1] 每小时
   *[other] 每{ $every }小时
}
every-day = { $every ->
    [1] 每天
    [2] 每两天
   *[other] 每{ $every }天
}
every-workday = 每个工作日（星期一至星期五）
weekly-on-one = { $every ->
    [1] 每周{ weekday }
    [2] 每两周的{ weekday }
   *[other] 每{ $every }周的{ weekday }
}
weekly-on-several = { $every ->
    [1] 每周{ $days }
    [2] 每两周的{ $days }
   *[other] 每{ $every }周的{ $days }
}
monthly = { $every ->
    [1] 每月{ $days }
    [2] 每两个月的{ $days }
   *[other] 每{ $every }个月的{ $days }
}
yearly = { $every ->
    [1] 每年{ $day }
    [2] 每两年的{ $day }
   *[other] 每{ $every }年的{ $day }
}
item-weekday = { weekday }
item-day = { $day }日
item-last-day = 最后一天
item-weekday-of-month = { nth }{ weekday }
item-workday-of-month = { $nth ->
    [1] 第一个工作日
   *[-1] 最后一个工作日
}
nth = { $nth ->
    [1] 第一个
    [2] 第二个
    [3] 第三个
    [4] 第四个
    [5] 第五个
   *[-1] 最后一个
}
day-of-year = { $month }月{ $day }日
last-day-of-month = { $month }月的最后一天
weekday-of-month = { $month }月的{ nth }{ weekday }
list-two = { $first }和{ $second }
list-more = { $first }、{ $rest }
repeats-until = { $rule }，直到{ $date }
repeats-times = { $rule }，共{ $count }次
repeats-except = { $rule }，其中{ $count }次除外
repeats-somehow = 定期重复，详见日历中的条目

### The mail to somebody whose answer could not be taken

subject-not-taken = 答复未被接受：{ $title }
not-taken = 您的答复未能被接受。它涉及：
not-taken-expired = 此活动已结束一段时间，因此您使用的链接已过期。
not-taken-revoked = 您使用的链接已被撤回。请在您的邮件或日历程序中答复，或写信给邀请您的人。
not-taken-cancelled = 此活动已取消，无需再答复。
not-taken-superseded = 自您收到所答复的邮件以来，内容已更改。请答复有关此活动的最新邮件。
not-taken-uninvited = 您已不在受邀者名单中。如果您认为有误，请询问邀请您的人。
not-taken-of-another = 它来自另一个地址，而不是受邀的地址。请从受邀的地址发送；是否有人把邀请转发给您，只有您自己知道。
not-taken-contradictory = 主题和正文给出了不同的答复，因此两者均未被接受。请重新答复。
not-taken-otherwise = 请在您的邮件或日历程序中答复，或写信给邀请您的人。
not-taken-closing = 本邮件由邮件服务器的日历网关 imipd 自动撰写。

### The note about what was not delivered

subject-undelivered = 未送达：{ $subject }
undelivered-invitation = 您的邀请或更新未能送达：
undelivered-cancellation = 您的取消通知未能送达：
undelivered-answer = 您的答复未能送达：
undelivered-message = 您的消息未能送达：
undelivered-to = 未送达以下收件人：
undelivered-more = 另有 { $count } 位
advice-invitation = 对方并不知情。请检查地址，或以其他方式告知。
advice-cancellation = 对方可能仍以为活动会照常进行。请以其他方式告知。
advice-answer = 邀请您的人并不知情。请检查地址，或以其他方式告知。
advice-message = 对方并不知情。请以其他方式告知。
undelivered-closing = 此通知只发送一次，由您邮件服务器的日历网关 imipd 撰写。

### The page behind the links of an invitation

page-title = 答复：{ $title }
page-answers-for = 此链接用于代表 { $attendee } 答复。
page-so-far = 目前的答复
page-saved = 谢谢。您的答复已转达给 { $organizer }。
page-clock = { $organizer } 的当地时间：{ $time }
page-which = 您要答复哪些日期？
page-all-dates = 所有日期
page-later-dates = 这里只列出最近的日期。之后的日期可以在您的邮件或日历程序中答复。
page-comment = 给 { $organizer } 的留言（可选）
page-confirm = 尚未发送：按下按钮后您的答复才会生效。
page-send = 发送答复
page-change = 更改答复
page-choose = 请选择一个答复。
page-zone = 时区
page-zone-show = 按此时区显示时间
page-others = 其他受邀者
page-others-more = 以及另外 { $count } 人
page-personal = 任何持有此链接的人都能以您的名义答复，请勿转发。
page-nothing-to-answer = 已无需答复。
page-unknown = 此链接无效
page-unknown-advice = 链接可能没有完整复制。请再次打开邮件中的链接，或在您的邮件或日历程序中答复。
page-expired = 此链接已过期
page-expired-advice = 相关活动早已结束。
page-revoked = 此链接已失效
page-revoked-advice = 链接已被撤回。您可以在邮件或日历程序中答复。
page-cancelled = 此活动已取消
page-superseded = 此邀请已被替换
page-superseded-advice = 在您收到此链接之后，时间已有变更。请答复最新的邮件。
page-uninvited = 您已不在受邀之列
page-uninvited-advice = 受邀者名单中已没有您的名字。如果您认为有误，请询问邀请人。
page-refused = 无法接受您的答复
page-refused-advice = 请在您的邮件或日历程序中答复，或写信给邀请人。
page-misread = 无法理解您的答复
page-misread-advice = 没有任何更改。请再次打开邮件中的链接，并原样提交表单。
page-busy = 尝试次数过多
page-busy-advice = 请等待几分钟后重试。
page-broken = 出了点问题
page-broken-advice = 请几分钟后重试，或在您的邮件或日历程序中答复。
### The questions to the user

subject-question = 请答复：{ $title }
subject-unproven = 这是真的吗？{ $title }
subject-crasher = 未受邀请：{ $title }
sender-unproven = 没有任何证据表明此邮件来自 { $sender }。
crasher-uninvited = { $sender } 未受邀请。
conflicts = 同一时间您的日历中有：
no-conflicts = 那段时间您的日历中没有其他安排。
how-invitation = 要答复，请回复此邮件，并在第一行只写 { $yes }、{ $no } 或 { $maybe }。下面所写的内容将作为备注一并发送。
how-unproven = 只有在您知道它是真的时才回复 { $yes }。回复 { $no } 则忽略它，不通知任何人。
how-counter = 回复此邮件 { $yes } 以接受提议并通知所有人，或回复 { $no } 以拒绝。
how-crasher = 回复此邮件 { $yes } 以邀请对方，或回复 { $no } 以忽略其答复。
how-folders = 或者将邮件移动到文件夹 { $accept }、{ $decline } 或 { $tentative }。
how-links = 或者打开以下链接之一，并发送由此生成的邮件：
question-closing = 此询问只发送一次，由您邮件服务器的日历网关 imipd 撰写。
