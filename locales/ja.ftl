# The words of imipd's mails in Japanese. The variables of each message are listed in docs/mails.md.
### 件名

untitled = （無題）
subject-invitation = 招待: { $title }
subject-update = 変更: { $title }
subject-new-dates = 日程の追加: { $title }
subject-cancellation = 中止: { $title }
subject-accepted = 承諾: { $title }
subject-declined = 辞退: { $title }
subject-tentative = 仮承諾: { $title }
subject-delegated = 代理出席: { $title }
subject-completed = 完了: { $title }
subject-in-process = 進行中: { $title }
subject-undecided = 未定: { $title }
subject-counter = 変更の提案: { $title }
subject-counter-declined = 提案の却下: { $title }
subject-refresh = 再送のお願い: { $title }
subject-publication = 予定: { $title }
subject-dated = { $subject }（{ $date }）

### だれが何を

this-item = { $kind ->
    [task] このタスク
    [entry] このジャーナル
   *[event] この予定
}
opening-invitation = { $kind ->
    [task] { $organizer } さんからタスクの依頼があります。
    [entry] { $organizer } さんからジャーナルが届いています。
   *[event] { $organizer } さんから予定への招待があります。
}
opening-update = { $organizer } さんが{ this-item }を変更しました。
opening-new-dates = { $organizer } さんが{ this-item }に日程を追加しました。
opening-cancellation = { $organizer } さんが{ this-item }を中止しました。
opening-publication = { $organizer } さんが{ this-item }を公開しました。
opening-counter = { $attendee } さんが{ this-item }の変更を提案しています。
opening-counter-declined = { $organizer } さんは{ this-item }についてのご提案を見送りました。
opening-refresh = { $attendee } さんが{ this-item }の最新の内容を求めています。
answer-accepted = { $attendee } さんが承諾しました。
answer-declined = { $attendee } さんが辞退しました。
answer-tentative = { $attendee } さんが仮承諾しました。
answer-delegated = { $attendee } さんが代理の方に任せました。
answer-completed = { $attendee } さんがこのタスクを完了しました。
answer-in-process = { $attendee } さんがこのタスクに取り組んでいます。
answer-undecided = { $attendee } さんはまだ決めていません。
somebody-organizer = 主催者
somebody-attendee = 出席者
on-behalf = { $deputy }（{ $person } の代理）

### 繰り返しのどの部分か

only-these-dates = { $count ->
    [1] 繰り返しのうち 1 回だけが対象です。
   *[other] 繰り返しのうち { $count } 回が対象です。
}
from-this-date = { $date }以降のすべての回が対象です。
sentences = { $first }{ $second }

### 項目

label-what = 件名
label-when = 日時
label-start = 開始
label-due = 期限
label-duration = 所要時間
label-dates = 日程
label-where = 場所
label-repeats = 繰り返し
label-comment = コメント
labelled = { $label }: { $text }
before = 変更前: { $value }
nothing = なし
more-dates = ほか { $count } 件
description-changed = 説明が変更されました。
text-goes-on = ［続きはカレンダーの予定にあります。］

### 回答の方法

links-intro = 出席されますか。
link-yes = はい
link-no = いいえ
link-maybe = 未定
closing-answer = お使いのメールまたはカレンダーのソフトで、この招待を承諾または辞退してください。
closing-links = お使いのメールまたはカレンダーのソフトでも回答できます。
closing-counter = 提案を受け入れる場合は、カレンダーの予定を変更してください。変更しなければ、予定はそのままです。
closing-information = カレンダーのソフトが添付ファイルを読み取ります。操作は必要ありません。

### 日付と時刻

weekday = { $day ->
    [1] 月曜日
    [2] 火曜日
    [3] 水曜日
    [4] 木曜日
    [5] 金曜日
    [6] 土曜日
   *[7] 日曜日
}
date = { $year }年{ $month }月{ $day }日
date-weekday = { $date }（{ $weekday }）
time = { $hour }:{ $minute }
date-time = { $date } { $time }
times = { $start }～{ $end }
date-times = { $date } { $times }
from-to = { $start }～{ $end }
days-to = { $start }～{ $end }
whole-day = { $date } 終日
in-zone = { $period }（{ $zone }）
local-time = 現地時間
duration-days = { $count }日間
duration-hours = { $count }時間
duration-minutes = { $count }分
duration-and = { $first }{ $second }

### 頻度

every-hour = { $every ->
    [1] 毎時
   *[other] { $every }時間ごと
}
every-day = { $every ->
    [1] 毎日
    [2] 1日おき
   *[other] { $every }日ごと
}
every-workday = 平日（月曜日から金曜日）
weekly-on-one = { $every ->
    [1] 毎週{ weekday }
    [2] 隔週{ weekday }
   *[other] { $every }週間ごとの{ weekday }
}
weekly-on-several = { $every ->
    [1] 毎週{ $days }
    [2] 隔週{ $days }
   *[other] { $every }週間ごとの{ $days }
}
monthly = { $every ->
    [1] 毎月{ $days }
   *[other] { $every }か月ごとの{ $days }
}
yearly = { $every ->
    [1] 毎年{ $day }
   *[other] { $every }年ごとの{ $day }
}
item-weekday = { weekday }
item-day = { $day }日
item-last-day = 末日
item-weekday-of-month = { nth }{ weekday }
item-workday-of-month = { $nth ->
    [1] 最初の平日
   *[-1] 最後の平日
}
nth = { $nth ->
    [-1] 最終
   *[other] 第{ $nth }
}
day-of-year = { $month }月{ $day }日
last-day-of-month = { $month }月末日
weekday-of-month = { $month }月{ nth }{ weekday }
list-two = { $first }と{ $second }
list-more = { $first }、{ $rest }
repeats-until = { $rule }、{ $date }まで
repeats-times = { $rule }、全{ $count }回
repeats-except = { $rule }（{ $count }回を除く）
repeats-somehow = 定期的（詳しくはカレンダーの予定をご覧ください）

### The mail to somebody whose answer could not be taken

subject-not-taken = 回答を受け付けられませんでした: { $title }
not-taken = 次の件についてのご回答を受け付けられませんでした。
not-taken-expired = 終了してからしばらく経っているため、お使いのリンクは期限切れです。
not-taken-revoked = お使いのリンクは取り消されています。メールまたはカレンダーのソフトで回答するか、招待した方にご連絡ください。
not-taken-cancelled = この予定は取り消されたため、回答は必要ありません。
not-taken-superseded = ご回答いただいたメールをお送りした後に内容が変更されました。この件についての最新のメールに回答してください。
not-taken-uninvited = 招待された方の一覧にお名前がありません。誤りと思われる場合は、招待した方にお問い合わせください。
not-taken-of-another = 招待されたアドレスとは別のアドレスから届きました。招待されたアドレスから送信してください。招待が転送されたものかどうかは、ご本人にしか分かりません。
not-taken-contradictory = 件名と本文の回答が異なるため、どちらも受け付けられませんでした。もう一度回答してください。
not-taken-otherwise = メールまたはカレンダーのソフトで回答するか、招待した方にご連絡ください。
not-taken-closing = このメールは、メールサーバーのカレンダーゲートウェイ imipd が自動的に作成しました。

### The note about what was not delivered

subject-undelivered = 配信できませんでした: { $subject }
undelivered-invitation = 招待または変更の通知を配信できませんでした。
undelivered-cancellation = 中止の通知を配信できませんでした。
undelivered-answer = 回答を配信できませんでした。
undelivered-message = メッセージを配信できませんでした。
undelivered-to = 次の宛先に届いていません。
undelivered-more = ほか { $count } 件
advice-invitation = 相手はこの内容を知りません。アドレスを確認するか、別の方法で連絡してください。
advice-cancellation = 相手はまだ予定どおり行われると思っている可能性があります。別の方法で連絡してください。
advice-answer = 招待した人はこの回答を知りません。アドレスを確認するか、別の方法で連絡してください。
advice-message = 相手はこの内容を知りません。別の方法で連絡してください。
undelivered-closing = このお知らせは一度だけ送信されます。メールサーバーのカレンダーゲートウェイ imipd が作成しました。

### The page behind the links of an invitation

page-title = 回答：{ $title }
page-answers-for = このリンクは{ $attendee }さんの回答用です。
page-so-far = 現在の回答
page-saved = ありがとうございます。回答は{ $organizer }さんに伝わりました。
page-clock = { $organizer }さんの時間：{ $time }
page-which = どの日程に回答しますか。
page-all-dates = すべての日程
page-later-dates = ここには次の日程だけが表示されています。それ以降の日程には、メールソフトまたはカレンダーで回答できます。
page-comment = { $organizer }さんへのひとこと（任意）
page-confirm = まだ送信されていません。ボタンを押すと回答が確定します。
page-send = 回答を送信
page-change = 回答を変更
page-choose = 回答を一つ選んでください。
page-zone = タイムゾーン
page-zone-show = このタイムゾーンで表示
page-others = ほかに招待されている人
page-others-more = ほか{ $count }名
page-personal = このリンクがあれば誰でもあなたの名前で回答できます。ほかの人に渡さないでください。
page-nothing-to-answer = もう回答する必要はありません。
page-unknown = このリンクは使えません
page-unknown-advice = リンクの一部だけがコピーされた可能性があります。メールのリンクをもう一度開くか、メールソフトまたはカレンダーで回答してください。
page-expired = このリンクは期限切れです
page-expired-advice = この予定はしばらく前に終わりました。
page-revoked = このリンクは無効になりました
page-revoked-advice = リンクは取り消されました。メールソフトまたはカレンダーで回答できます。
page-cancelled = この予定は中止されました
page-superseded = この招待は新しいものに置き換えられました
page-superseded-advice = このリンクが送られたあとで日時が変わりました。最新のメールに回答してください。
page-uninvited = 招待が取り消されました
page-uninvited-advice = 招待者の一覧にお名前がありません。間違いと思われる場合は、招待した方にお問い合わせください。
page-refused = 回答を受け付けられませんでした
page-refused-advice = メールソフトまたはカレンダーで回答するか、招待した方にご連絡ください。
page-misread = 回答を読み取れませんでした
page-misread-advice = 何も変更されていません。メールのリンクをもう一度開き、フォームをそのまま送信してください。
page-busy = 試行回数が多すぎます
page-busy-advice = 数分待ってから、もう一度お試しください。
page-broken = 問題が発生しました
page-broken-advice = 数分後にもう一度お試しになるか、メールソフトまたはカレンダーで回答してください。
### The questions to the user

subject-question = ご回答ください: { $title }
subject-unproven = 本物ですか: { $title }
subject-crasher = 招待されていない方: { $title }
sender-unproven = このメールが { $sender } からのものである証拠はありません。
crasher-uninvited = { $sender } は招待されていません。
conflicts = 同じ時間にカレンダーにある予定:
no-conflicts = その時間にほかの予定はカレンダーにありません。
how-invitation = このメールに返信し、最初の行に { $yes }、{ $no }、{ $maybe } のいずれかだけを書いてください。その下に書いた内容はコメントとして送られます。
how-unproven = 本物だと分かっている場合にのみ { $yes } と返信してください。{ $no } と返信すると破棄され、誰にも通知されません。
how-counter = 提案を受け入れて全員に知らせるには { $yes }、断るには { $no } とこのメールに返信してください。
how-crasher = この方を招待するには { $yes }、回答を破棄するには { $no } とこのメールに返信してください。
how-folders = または、メールをフォルダー { $accept }、{ $decline }、{ $tentative } のいずれかに移動してください。
how-links = または、次のリンクのいずれかを開き、作成されるメールをそのまま送信してください。
question-closing = この質問は一度だけ届きます。メールサーバーのカレンダーゲートウェイ imipd が作成しました。
