# The words of imipd's mails in English. The variables of each message are listed in docs/mails.md.
# $kind is event, task or entry (a journal entry). $day is a weekday from 1, Monday, to 7, or a day of the month.

### Subjects

untitled = (no title)
subject-invitation = Invitation: { $title }
subject-update = Updated: { $title }
subject-new-dates = New dates: { $title }
subject-cancellation = Cancelled: { $title }
subject-accepted = Accepted: { $title }
subject-declined = Declined: { $title }
subject-tentative = Tentative: { $title }
subject-delegated = Delegated: { $title }
subject-completed = Completed: { $title }
subject-in-process = In progress: { $title }
subject-undecided = Undecided: { $title }
subject-counter = New time proposed: { $title }
subject-counter-declined = Proposal declined: { $title }
subject-refresh = Please send again: { $title }
subject-publication = Event: { $title }
# Behind the title, so that a list of mails says when it is.
subject-dated = { $subject } ({ $date })

### Who does what

this-item = { $kind ->
    [task] this task
    [entry] this journal entry
   *[event] this event
}
opening-invitation = { $kind ->
    [task] { $organizer } assigns this task to you.
    [entry] { $organizer } sends you this journal entry.
   *[event] { $organizer } invites you to this event.
}
opening-update = { $organizer } has changed { this-item }.
opening-new-dates = { $organizer } has added dates to { this-item }.
opening-cancellation = { $organizer } has cancelled { this-item }.
opening-publication = { $organizer } has published { this-item }.
opening-counter = { $attendee } proposes a change to { this-item }.
opening-counter-declined = { $organizer } has declined your proposal for { this-item }.
opening-refresh = { $attendee } asks for the current state of { this-item }.
answer-accepted = { $attendee } has accepted.
answer-declined = { $attendee } has declined.
answer-tentative = { $attendee } has tentatively accepted.
answer-delegated = { $attendee } has sent somebody else instead.
answer-completed = { $attendee } has completed this task.
answer-in-process = { $attendee } is working on this task.
answer-undecided = { $attendee } has not decided yet.
somebody-organizer = The organizer
somebody-attendee = An attendee
on-behalf = { $deputy } (on behalf of { $person })

### Which part of a series

only-these-dates = { $count ->
    [1] This is about one date of the series only.
   *[other] This is about { $count } dates of the series only.
}
from-this-date = This is about the date of { $date } and all later ones.
sentences = { $first } { $second }

### The rows

label-what = What
label-when = When
label-start = Start
label-due = Due
label-duration = Duration
label-dates = Dates
label-where = Where
label-repeats = Repeats
label-comment = Comment
labelled = { $label }: { $text }
before = before: { $value }
nothing = nothing
more-dates = { $count ->
    [1] and one more
   *[other] and { $count } more
}
description-changed = The description has changed:
text-goes-on = [The text goes on in the calendar entry.]

### How to answer

links-intro = Will you come?
link-yes = Yes
link-no = No
link-maybe = Maybe
closing-answer = To answer, accept or decline this invitation in your mail or calendar program.
closing-links = You can also answer in your mail or calendar program.
closing-counter = To take the proposal, change the event in your calendar; otherwise nothing changes.
closing-information = Your calendar program reads this from the attached file; nothing needs to be done.

### Dates and times

weekday = { $day ->
    [1] Monday
    [2] Tuesday
    [3] Wednesday
    [4] Thursday
    [5] Friday
    [6] Saturday
   *[7] Sunday
}
month = { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
}
date = { $day } { month } { $year }
date-weekday = { $weekday } { $date }
time = { $hour24 }:{ $minute }
date-time = { $date }, { $time }
times = { $start } to { $end }
date-times = { $date }, { $times }
from-to = { $start } to { $end }
days-to = { $start } to { $end }
whole-day = { $date } (all day)
in-zone = { $period } ({ $zone })
local-time = local time
duration-days = { $count ->
    [one] { $count } day
   *[other] { $count } days
}
duration-hours = { $count ->
    [one] { $count } hour
   *[other] { $count } hours
}
duration-minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
duration-and = { $first } { $second }

### How often

every-hour = { $every ->
    [1] every hour
    [2] every second hour
   *[other] every { $every } hours
}
every-day = { $every ->
    [1] every day
    [2] every second day
   *[other] every { $every } days
}
every-workday = every weekday (Monday to Friday)
weekly-on-one = { $every ->
    [1] every { weekday }
    [2] every second { weekday }
   *[other] every { $every } weeks on { weekday }
}
weekly-on-several = { $every ->
    [1] every week on { $days }
    [2] every second week on { $days }
   *[other] every { $every } weeks on { $days }
}
monthly = { $every ->
    [1] every month on { $days }
    [2] every second month on { $days }
   *[other] every { $every } months on { $days }
}
yearly = { $every ->
    [1] every year on { $day }
    [2] every second year on { $day }
   *[other] every { $every } years on { $day }
}
item-weekday = { weekday }
item-day = { $day ->
    [1] the 1st
    [2] the 2nd
    [3] the 3rd
    [21] the 21st
    [22] the 22nd
    [23] the 23rd
    [31] the 31st
   *[other] the { $day }th
}
item-last-day = the last day
item-weekday-of-month = { nth } { weekday }
item-workday-of-month = { $nth ->
    [1] the first working day
   *[-1] the last working day
}
nth = { $nth ->
    [1] the first
    [2] the second
    [3] the third
    [4] the fourth
    [5] the fifth
   *[-1] the last
}
day-of-year = { $day } { month }
last-day-of-month = the last day of { month }
weekday-of-month = { nth } { weekday } of { month }
list-two = { $first } and { $second }
list-more = { $first }, { $rest }
repeats-until = { $rule } until { $date }
repeats-times = { $count ->
    [1] { $rule }, once
   *[other] { $rule }, { $count } times
}
repeats-except = { $count ->
    [1] { $rule }, except on one date
   *[other] { $rule }, except on { $count } dates
}
repeats-somehow = on a repeating schedule

### The mail to somebody whose answer could not be taken

subject-not-taken = Answer not taken: { $title }
not-taken = Your answer could not be taken. It was about:
not-taken-expired = It has been over for some time, so the link that you used has expired.
not-taken-revoked = The link that you used has been withdrawn. Please answer in your mail or calendar program, or write to whoever invited you.
not-taken-cancelled = This has been cancelled, so there is nothing to answer any more.
not-taken-superseded = It has changed since you were sent the mail that you answered. Please answer the newest mail about it.
not-taken-uninvited = You are no longer on the list of those invited. If you think that is a mistake, ask whoever invited you.
not-taken-of-another = It came from another address than the one that was invited. Please send it from that address; only you can know whether somebody passed the invitation on to you.
not-taken-contradictory = Its subject and its text give different answers, so neither was taken. Please answer again.
not-taken-otherwise = Please answer in your mail or calendar program, or write to whoever invited you.
not-taken-closing = imipd, the calendar gateway of the mail server, wrote this mail by itself.

### The note about what was not delivered

# To the user themself; the recipients stand below undelivered-to, each with what their server says.
subject-undelivered = Not delivered: { $subject }
undelivered-invitation = Your invitation or update could not be delivered:
undelivered-cancellation = Your cancellation could not be delivered:
undelivered-answer = Your answer could not be delivered:
undelivered-message = Your message could not be delivered:
undelivered-to = It did not reach:
undelivered-more = { $count ->
    [1] and one more
   *[other] and { $count } more
}
advice-invitation = They do not know of it. Check the address, or tell them in another way.
advice-cancellation = They may still expect it to take place. Tell them in another way.
advice-answer = Whoever invited you does not know it. Check the address, or tell them in another way.
advice-message = They do not know of it. Tell them in another way.
undelivered-closing = This note comes once. imipd, the calendar gateway of your mail server, wrote it.

### The page behind the links of an invitation

page-title = Answer: { $title }
page-answers-for = This link answers for { $attendee }.
page-so-far = Answer so far
page-saved = Thank you. Your answer has been passed on to { $organizer }.
page-clock = For { $organizer }: { $time }
page-which = Which dates do you answer for?
page-all-dates = All dates
page-later-dates = Only the next dates are listed. Later ones can be answered in your mail or calendar program.
page-comment = A few words to { $organizer } (optional)
page-confirm = Nothing has been sent yet: your answer counts when you press the button.
page-send = Send answer
page-change = Change answer
page-choose = Please choose one of the answers.
page-zone = Time zone
page-zone-show = Show times in this zone
page-others = Who else is invited
page-others-more = { $count ->
    [1] and one more person
   *[other] and { $count } more people
}
page-personal = Whoever has this link can answer in your name, so do not pass it on.
page-nothing-to-answer = There is nothing to answer any more.
page-unknown = This link does not work
page-unknown-advice = Perhaps it was not copied as a whole. Open the link in the mail again, or answer in your mail or calendar program.
page-expired = This link has expired
page-expired-advice = What it was about has been over for some time.
page-revoked = This link is no longer valid
page-revoked-advice = It has been withdrawn. You can answer in your mail or calendar program.
page-cancelled = This has been cancelled
page-superseded = This invitation has been replaced
page-superseded-advice = The time has changed since you were sent this link. Please answer the newest mail about it.
page-uninvited = You are no longer invited
page-uninvited-advice = Your name is no longer on the list of those invited. If you think that is a mistake, ask whoever invited you.
page-refused = Your answer could not be taken
page-refused-advice = Please answer in your mail or calendar program, or write to whoever invited you.
page-misread = Your answer was not understood
page-misread-advice = Nothing has been changed. Open the link in the mail again, and send the form as it is.
page-busy = Too many attempts
page-busy-advice = Please wait a few minutes and try again.
page-broken = Something went wrong
page-broken-advice = Please try again in a few minutes, or answer in your mail or calendar program.
### The questions to the user

# The user answers by a reply with one of the words of the links ($yes, $no, $maybe), or by putting the mail into a folder.
subject-question = Your answer, please: { $title }
subject-unproven = Is this genuine? { $title }
subject-crasher = Not invited: { $title }
sender-unproven = Nothing proves that this mail comes from { $sender }.
crasher-uninvited = { $sender } was not invited.
conflicts = At the same time your calendar holds:
no-conflicts = Nothing else is in your calendar at that time.
how-invitation = To answer, reply to this mail with { $yes }, { $no } or { $maybe } alone in the first line. What you write below goes along as a comment.
how-unproven = Reply to this mail with { $yes } only if you know that the message is genuine. With { $no } it is discarded, and nobody is told.
how-counter = Reply to this mail with { $yes } to take the proposal, and all are told; or with { $no } to decline it.
how-crasher = Reply to this mail with { $yes } to invite them, or with { $no } to discard their answer.
how-folders = Or move the mail to the folder { $accept }, { $decline } or { $tentative }.
how-links = Or follow one of these links, and send the mail that it writes:
question-closing = This question comes once. imipd, the calendar gateway of your mail server, wrote it.
