# The words of imipd's mails in German. The variables of each message are listed in docs/mails.md.
### Betreff

untitled = (ohne Titel)
subject-invitation = Einladung: { $title }
subject-update = Geändert: { $title }
subject-new-dates = Neue Termine: { $title }
subject-cancellation = Abgesagt: { $title }
subject-accepted = Zugesagt: { $title }
subject-declined = Abgelehnt: { $title }
subject-tentative = Mit Vorbehalt: { $title }
subject-delegated = Vertretung: { $title }
subject-completed = Erledigt: { $title }
subject-in-process = In Arbeit: { $title }
subject-undecided = Noch offen: { $title }
subject-counter = Änderungsvorschlag: { $title }
subject-counter-declined = Vorschlag abgelehnt: { $title }
subject-refresh = Bitte erneut senden: { $title }
subject-publication = Termin: { $title }
subject-dated = { $subject } ({ $date })

### Wer tut was

this-item = { $kind ->
    [task] diese Aufgabe
    [entry] diesen Journaleintrag
   *[event] diesen Termin
}
for-this-item = { $kind ->
    [task] zu dieser Aufgabe
    [entry] zu diesem Journaleintrag
   *[event] zu diesem Termin
}
opening-invitation = { $kind ->
    [task] { $organizer } überträgt Ihnen diese Aufgabe.
    [entry] { $organizer } sendet Ihnen diesen Journaleintrag.
   *[event] { $organizer } lädt Sie zu diesem Termin ein.
}
opening-update = { $organizer } hat { this-item } geändert.
opening-new-dates = { $organizer } hat { for-this-item } weitere Tage hinzugefügt.
opening-cancellation = { $organizer } hat { this-item } abgesagt.
opening-publication = { $organizer } hat { this-item } veröffentlicht.
opening-counter = { $attendee } schlägt { for-this-item } eine Änderung vor.
opening-counter-declined = { $organizer } hat Ihren Vorschlag { for-this-item } abgelehnt.
opening-refresh = { $attendee } bittet um den aktuellen Stand { for-this-item }.
answer-accepted = { $attendee } hat zugesagt.
answer-declined = { $attendee } hat abgesagt.
answer-tentative = { $attendee } hat mit Vorbehalt zugesagt.
answer-delegated = { $attendee } lässt sich vertreten.
answer-completed = { $attendee } hat diese Aufgabe erledigt.
answer-in-process = { $attendee } arbeitet an dieser Aufgabe.
answer-undecided = { $attendee } hat sich noch nicht entschieden.
somebody-organizer = Die einladende Person
somebody-attendee = Eine eingeladene Person
on-behalf = { $deputy } (im Auftrag von { $person })

### Welcher Teil einer Serie

only-these-dates = { $count ->
    [1] Das betrifft nur einen Termin der Serie.
   *[other] Das betrifft nur { $count } Termine der Serie.
}
from-this-date = Das betrifft den Termin am { $date } und alle späteren.
sentences = { $first } { $second }

### Die Zeilen

label-what = Was
label-when = Wann
label-start = Beginn
label-due = Fällig
label-duration = Dauer
label-dates = Termine
label-where = Wo
label-repeats = Wiederholung
label-comment = Kommentar
labelled = { $label }: { $text }
before = bisher: { $value }
nothing = nichts
more-dates = { $count ->
    [1] und ein weiterer
   *[other] und { $count } weitere
}
description-changed = Die Beschreibung hat sich geändert:
text-goes-on = [Der Text geht im Kalendereintrag weiter.]

### Wie man antwortet

links-intro = Nehmen Sie teil?
link-yes = Ja
link-no = Nein
link-maybe = Vielleicht
closing-answer = Sie können diese Einladung in Ihrem Mail- oder Kalenderprogramm annehmen oder ablehnen.
closing-links = Sie können auch in Ihrem Mail- oder Kalenderprogramm antworten.
closing-counter = Wenn Sie den Vorschlag übernehmen möchten, ändern Sie den Termin in Ihrem Kalender; sonst bleibt alles, wie es ist.
closing-information = Ihr Kalenderprogramm liest dies aus der angehängten Datei; Sie müssen nichts tun.

### Tage und Zeiten

weekday = { $day ->
    [1] Montag
    [2] Dienstag
    [3] Mittwoch
    [4] Donnerstag
    [5] Freitag
    [6] Samstag
   *[7] Sonntag
}
month = { $month ->
    [1] Januar
    [2] Februar
    [3] März
    [4] April
    [5] Mai
    [6] Juni
    [7] Juli
    [8] August
    [9] September
    [10] Oktober
    [11] November
   *[12] Dezember
}
date = { $day }. { month } { $year }
date-weekday = { $weekday }, { $date }
time = { $hour24 }:{ $minute }
date-time = { $date }, { $time } Uhr
times = { $start } bis { $end } Uhr
date-times = { $date }, { $times }
from-to = { $start } bis { $end }
days-to = { $start } bis { $end }
whole-day = { $date } (ganztägig)
in-zone = { $period } ({ $zone })
local-time = Ortszeit
duration-days = { $count ->
    [one] { $count } Tag
   *[other] { $count } Tage
}
duration-hours = { $count ->
    [one] { $count } Stunde
   *[other] { $count } Stunden
}
duration-minutes = { $count ->
    [one] { $count } Minute
   *[other] { $count } Minuten
}
duration-and = { $first } { $second }

### Wie oft

every-hour = { $every ->
    [1] jede Stunde
   *[other] alle { $every } Stunden
}
every-day = { $every ->
    [1] jeden Tag
    [2] jeden zweiten Tag
   *[other] alle { $every } Tage
}
every-workday = an jedem Werktag (Montag bis Freitag)
weekly-on-one = { $every ->
    [1] jeden { weekday }
    [2] jeden zweiten { weekday }
   *[other] alle { $every } Wochen am { weekday }
}
weekly-on-several = { $every ->
    [1] jede Woche am { $days }
    [2] alle zwei Wochen am { $days }
   *[other] alle { $every } Wochen am { $days }
}
monthly = { $every ->
    [1] jeden Monat am { $days }
    [2] alle zwei Monate am { $days }
   *[other] alle { $every } Monate am { $days }
}
yearly = { $every ->
    [1] jedes Jahr am { $day }
    [2] alle zwei Jahre am { $day }
   *[other] alle { $every } Jahre am { $day }
}
item-weekday = { weekday }
item-day = { $day }.
item-last-day = letzten Tag
item-weekday-of-month = { nth } { weekday }
item-workday-of-month = { $nth ->
    [1] ersten Werktag
   *[-1] letzten Werktag
}
nth = { $nth ->
    [1] ersten
    [2] zweiten
    [3] dritten
    [4] vierten
    [5] fünften
   *[-1] letzten
}
day-of-year = { $day }. { month }
last-day-of-month = letzten Tag im { month }
weekday-of-month = { nth } { weekday } im { month }
list-two = { $first } und { $second }
list-more = { $first }, { $rest }
repeats-until = { $rule } bis { $date }
repeats-times = { $count ->
    [1] { $rule }, einmal
   *[other] { $rule }, { $count }-mal
}
repeats-except = { $count ->
    [1] { $rule }, außer an einem Tag
   *[other] { $rule }, außer an { $count } Tagen
}
repeats-somehow = regelmäßig, siehe Kalendereintrag

### The mail to somebody whose answer could not be taken

subject-not-taken = Antwort nicht übernommen: { $title }
not-taken = Ihre Antwort konnte nicht übernommen werden. Es ging um:
not-taken-expired = Das ist seit einiger Zeit vorbei; der Link, den Sie benutzt haben, ist deshalb abgelaufen.
not-taken-revoked = Der Link, den Sie benutzt haben, wurde zurückgezogen. Bitte antworten Sie in Ihrem Mail- oder Kalenderprogramm, oder schreiben Sie der einladenden Person.
not-taken-cancelled = Das wurde abgesagt; es gibt nichts mehr zu beantworten.
not-taken-superseded = Es hat sich geändert, seit Sie die Mail bekommen haben, auf die Sie geantwortet haben. Bitte antworten Sie auf die neueste Mail dazu.
not-taken-uninvited = Sie stehen nicht mehr auf der Liste der Eingeladenen. Wenn Sie das für ein Versehen halten, fragen Sie die einladende Person.
not-taken-of-another = Sie kam von einer anderen Adresse als der eingeladenen. Bitte senden Sie sie von jener Adresse; ob Ihnen jemand die Einladung weitergegeben hat, können nur Sie wissen.
not-taken-contradictory = Betreff und Text geben verschiedene Antworten; deshalb zählt keine davon. Bitte antworten Sie noch einmal.
not-taken-otherwise = Bitte antworten Sie in Ihrem Mail- oder Kalenderprogramm, oder schreiben Sie der einladenden Person.
not-taken-closing = Diese Mail hat imipd, das Kalender-Gateway des Mailservers, automatisch geschrieben.

### The note about what was not delivered

subject-undelivered = Nicht zugestellt: { $subject }
undelivered-invitation = Ihre Einladung oder Änderung konnte nicht zugestellt werden:
undelivered-cancellation = Ihre Terminabsage konnte nicht zugestellt werden:
undelivered-answer = Ihre Antwort konnte nicht zugestellt werden:
undelivered-message = Ihre Nachricht konnte nicht zugestellt werden:
undelivered-to = Sie hat nicht erreicht:
undelivered-more = { $count ->
    [1] und eine weitere Adresse
   *[other] und { $count } weitere Adressen
}
advice-invitation = Dort weiß man nichts davon. Prüfen Sie die Adresse, oder geben Sie auf anderem Weg Bescheid.
advice-cancellation = Dort rechnet man vielleicht noch mit dem Termin. Geben Sie auf anderem Weg Bescheid.
advice-answer = Wer Sie eingeladen hat, weiß nichts davon. Prüfen Sie die Adresse, oder geben Sie auf anderem Weg Bescheid.
advice-message = Dort weiß man nichts davon. Geben Sie auf anderem Weg Bescheid.
undelivered-closing = Dieser Hinweis kommt nur einmal. Geschrieben hat ihn imipd, das Kalender-Gateway Ihres Mailservers.

### The page behind the links of an invitation

page-title = Antworten: { $title }
page-answers-for = Dieser Link antwortet für { $attendee }.
page-so-far = Bisherige Antwort
page-saved = Vielen Dank. { $organizer } hat Ihre Antwort erhalten.
page-clock = Für { $organizer }: { $time }
page-which = Für welche Termine antworten Sie?
page-all-dates = Alle Termine
page-later-dates = Hier stehen nur die nächsten Termine. Auf spätere können Sie in Ihrem Mail- oder Kalenderprogramm antworten.
page-comment = Ein paar Worte an { $organizer } (freiwillig)
page-confirm = Noch ist nichts gesendet: Ihre Antwort zählt, sobald Sie auf die Schaltfläche drücken.
page-send = Antwort senden
page-change = Antwort ändern
page-choose = Bitte wählen Sie eine der Antworten.
page-zone = Zeitzone
page-zone-show = Zeiten in dieser Zone zeigen
page-others = Wer noch eingeladen ist
page-others-more = { $count ->
    [1] und eine weitere Person
   *[other] und { $count } weitere Personen
}
page-personal = Wer diesen Link hat, kann in Ihrem Namen antworten. Geben Sie ihn deshalb nicht weiter.
page-nothing-to-answer = Hier gibt es nichts mehr zu beantworten.
page-unknown = Dieser Link funktioniert nicht
page-unknown-advice = Vielleicht wurde er nicht vollständig kopiert. Öffnen Sie den Link in der Mail noch einmal, oder antworten Sie in Ihrem Mail- oder Kalenderprogramm.
page-expired = Dieser Link ist abgelaufen
page-expired-advice = Worum es ging, ist seit einiger Zeit vorbei.
page-revoked = Dieser Link gilt nicht mehr
page-revoked-advice = Er wurde zurückgezogen. Sie können in Ihrem Mail- oder Kalenderprogramm antworten.
page-cancelled = Das wurde abgesagt
page-superseded = Diese Einladung wurde ersetzt
page-superseded-advice = Die Zeit hat sich geändert, seit Sie diesen Link bekommen haben. Bitte antworten Sie auf die neueste Mail dazu.
page-uninvited = Sie sind nicht mehr eingeladen
page-uninvited-advice = Ihr Name steht nicht mehr auf der Liste der Eingeladenen. Wenn Sie das für ein Versehen halten, fragen Sie die einladende Person.
page-refused = Ihre Antwort konnte nicht übernommen werden
page-refused-advice = Bitte antworten Sie in Ihrem Mail- oder Kalenderprogramm, oder schreiben Sie der einladenden Person.
page-misread = Ihre Antwort wurde nicht verstanden
page-misread-advice = Es wurde nichts geändert. Öffnen Sie den Link in der Mail noch einmal, und senden Sie das Formular so, wie es ist.
page-busy = Zu viele Versuche
page-busy-advice = Bitte warten Sie einige Minuten, und versuchen Sie es dann noch einmal.
page-broken = Etwas ist schiefgegangen
page-broken-advice = Bitte versuchen Sie es in einigen Minuten noch einmal, oder antworten Sie in Ihrem Mail- oder Kalenderprogramm.
### The questions to the user

subject-question = Bitte antworten: { $title }
subject-unproven = Ist das echt? { $title }
subject-crasher = Nicht eingeladen: { $title }
sender-unproven = Nichts belegt, dass diese Mail von { $sender } kommt.
crasher-uninvited = { $sender } war nicht eingeladen.
conflicts = Zur selben Zeit steht in Ihrem Kalender:
no-conflicts = Zu dieser Zeit steht sonst nichts in Ihrem Kalender.
how-invitation = Antworten Sie auf diese Mail, und schreiben Sie { $yes }, { $no } oder { $maybe } allein in die erste Zeile. Was Sie darunter schreiben, geht als Kommentar mit.
how-unproven = Antworten Sie auf diese Mail nur dann mit { $yes }, wenn Sie wissen, dass die Nachricht echt ist. Mit { $no } wird sie verworfen, und niemand erfährt davon.
how-counter = Antworten Sie auf diese Mail mit { $yes }, um den Vorschlag anzunehmen, dann erfahren es alle, oder mit { $no }, um ihn abzulehnen.
how-crasher = Antworten Sie auf diese Mail mit { $yes }, um diese Person einzuladen, oder mit { $no }, um ihre Antwort zu verwerfen.
how-folders = Oder verschieben Sie die Mail in den Ordner { $accept }, { $decline } oder { $tentative }.
how-links = Oder folgen Sie einem dieser Links und senden Sie die Mail ab, die er schreibt:
question-closing = Diese Frage kommt nur einmal. Gestellt hat sie imipd, das Kalender-Gateway Ihres Mailservers.
