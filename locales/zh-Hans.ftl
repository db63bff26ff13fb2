# The words of imipd's mails in Simplified Chinese. The variables of each message are listed in docs/mails.md.
### 主题

untitled = （无标题）
subject-invitation = 邀请：{ $title }
subject-update = 已更改：{ $title }
subject-new-dates = 新增日期：{ $title }
subject-cancellation = 已取消：{ $title }
subject-accepted = 已接受：{ $title }
subject-declined = 已谢绝：{ $title }
subject-tentative = 暂定：{ $title }
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
    [1] 每周的{ weekday }
    [2] 每两周的{ weekday }
   *[other] 每{ $every }周的{ weekday }
}
weekly-on-several = { $every ->
    [1] 每周的{ $days }
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
question-closing = 此问题只发送一次，由您邮件服务器的日历网关 imipd 编写。
