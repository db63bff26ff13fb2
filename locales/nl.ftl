# The words of imipd's mails in Dutch. The variables of each message are listed in docs/mails.md.
### Onderwerp

untitled = (geen titel)
subject-invitation = Uitnodiging: { $title }
subject-update = Gewijzigd: { $title }
subject-new-dates = Extra data: { $title }
subject-cancellation = Geannuleerd: { $title }
subject-accepted = Geaccepteerd: { $title }
subject-declined = Afgewezen: { $title }
subject-tentative = Voorlopig geaccepteerd: { $title }
subject-delegated = Gedelegeerd: { $title }
subject-completed = Voltooid: { $title }
subject-in-process = In uitvoering: { $title }
subject-undecided = Nog niet besloten: { $title }
subject-counter = Wijziging voorgesteld: { $title }
subject-counter-declined = Voorstel afgewezen: { $title }
subject-refresh = Graag opnieuw sturen: { $title }
subject-publication = Afspraak: { $title }
subject-dated = { $subject } ({ $date })

### Wie doet wat

this-item = { $kind ->
    [task] deze taak
    [entry] deze dagboeknotitie
   *[event] deze afspraak
}
opening-invitation = { $kind ->
    [task] { $organizer } wijst deze taak aan u toe.
    [entry] { $organizer } stuurt u deze dagboeknotitie.
   *[event] { $organizer } nodigt u uit voor deze afspraak.
}
opening-update = { $organizer } heeft { this-item } gewijzigd.
opening-new-dates = { $organizer } heeft data aan { this-item } toegevoegd.
opening-cancellation = { $organizer } heeft { this-item } geannuleerd.
opening-publication = { $organizer } heeft { this-item } gepubliceerd.
opening-counter = { $attendee } stelt een wijziging van { this-item } voor.
opening-counter-declined = { $organizer } heeft uw voorstel voor { this-item } afgewezen.
opening-refresh = { $attendee } vraagt om de actuele gegevens van { this-item }.
answer-accepted = { $attendee } heeft de uitnodiging geaccepteerd.
answer-declined = { $attendee } heeft de uitnodiging afgewezen.
answer-tentative = { $attendee } heeft de uitnodiging voorlopig geaccepteerd.
answer-delegated = { $attendee } laat zich vervangen.
answer-completed = { $attendee } heeft deze taak voltooid.
answer-in-process = { $attendee } werkt aan deze taak.
answer-undecided = { $attendee } heeft nog geen beslissing genomen.
somebody-organizer = De organisator
somebody-attendee = Een genodigde
on-behalf = { $deputy } (namens { $person })

### Welk deel van een reeks

only-these-dates = { $count ->
    [1] Dit betreft slechts één datum van de reeks.
   *[other] Dit betreft slechts { $count } data van de reeks.
}
from-this-date = Dit betreft de datum { $date } en alle latere.
sentences = { $first } { $second }

### De regels

label-what = Wat
label-when = Wanneer
label-start = Begin
label-due = Uiterlijk
label-duration = Duur
label-dates = Data
label-where = Waar
label-repeats = Herhaling
label-comment = Opmerking
labelled = { $label }: { $text }
before = voorheen: { $value }
nothing = niets
more-dates = { $count ->
    [1] en nog één
   *[other] en nog { $count }
}
description-changed = De beschrijving is gewijzigd:
text-goes-on = [De tekst gaat verder in de agenda.]

### Hoe te antwoorden

links-intro = Komt u?
link-yes = Ja
link-no = Nee
link-maybe = Misschien
closing-answer = U kunt deze uitnodiging in uw mail- of agendaprogramma accepteren of afwijzen.
closing-links = U kunt ook in uw mail- of agendaprogramma antwoorden.
closing-counter = Als u het voorstel wilt overnemen, wijzig dan de afspraak in uw agenda; anders blijft alles zoals het is.
closing-information = Uw agendaprogramma leest dit uit het bijgevoegde bestand; u hoeft niets te doen.

### Data en tijden

weekday = { $day ->
    [1] maandag
    [2] dinsdag
    [3] woensdag
    [4] donderdag
    [5] vrijdag
    [6] zaterdag
   *[7] zondag
}
month = { $month ->
    [1] januari
    [2] februari
    [3] maart
    [4] april
    [5] mei
    [6] juni
    [7] juli
    [8] augustus
    [9] september
    [10] oktober
    [11] november
   *[12] december
}
date = { $day } { month } { $year }
date-weekday = { $weekday } { $date }
time = { $hour24 }:{ $minute }
date-time = { $date }, { $time } uur
times = { $start } tot { $end } uur
date-times = { $date }, { $times }
from-to = { $start } tot { $end }
days-to = { $start } t/m { $end }
whole-day = { $date } (hele dag)
in-zone = { $period } ({ $zone })
local-time = lokale tijd
duration-days = { $count ->
    [one] { $count } dag
   *[other] { $count } dagen
}
duration-hours = { $count } uur
duration-minutes = { $count ->
    [one] { $count } minuut
   *[other] { $count } minuten
}
duration-and = { $first } { $second }

### Hoe vaak

every-hour = { $every ->
    [1] elk uur
   *[other] om de { $every } uur
}
every-day = { $every ->
    [1] elke dag
    [2] om de dag
   *[other] elke { $every } dagen
}
every-workday = elke werkdag (maandag tot en met vrijdag)
weekly-on-one = { $every ->
    [1] elke { weekday }
    [2] elke twee weken op { weekday }
   *[other] elke { $every } weken op { weekday }
}
weekly-on-several = { $every ->
    [1] elke week op { $days }
    [2] elke twee weken op { $days }
   *[other] elke { $every } weken op { $days }
}
monthly = { $every ->
    [1] elke maand op { $days }
    [2] elke twee maanden op { $days }
   *[other] elke { $every } maanden op { $days }
}
yearly = { $every ->
    [1] elk jaar op { $day }
    [2] elke twee jaar op { $day }
   *[other] elke { $every } jaar op { $day }
}
item-weekday = { weekday }
item-day = de { $day }e
item-last-day = de laatste dag
item-weekday-of-month = { nth } { weekday }
item-workday-of-month = { $nth ->
    [1] de eerste werkdag
   *[-1] de laatste werkdag
}
nth = { $nth ->
    [1] de eerste
    [2] de tweede
    [3] de derde
    [4] de vierde
    [5] de vijfde
   *[-1] de laatste
}
day-of-year = { $day } { month }
last-day-of-month = de laatste dag van { month }
weekday-of-month = { nth } { weekday } van { month }
list-two = { $first } en { $second }
list-more = { $first }, { $rest }
repeats-until = { $rule } tot en met { $date }
repeats-times = { $count ->
    [1] { $rule }, één keer
   *[other] { $rule }, { $count } keer
}
repeats-except = { $count ->
    [1] { $rule }, behalve op één datum
   *[other] { $rule }, behalve op { $count } data
}
repeats-somehow = regelmatig, zie de agenda

### The mail to somebody whose answer could not be taken

subject-not-taken = Antwoord niet verwerkt: { $title }
not-taken = Uw antwoord kon niet worden verwerkt. Het ging over:
not-taken-expired = Het is al enige tijd voorbij; de link die u hebt gebruikt, is daarom verlopen.
not-taken-revoked = De link die u hebt gebruikt, is ingetrokken. Antwoord in uw mail- of agendaprogramma, of schrijf aan degene die u heeft uitgenodigd.
not-taken-cancelled = Het is geannuleerd; er valt niets meer te beantwoorden.
not-taken-superseded = Het is gewijzigd sinds u het bericht kreeg dat u hebt beantwoord. Beantwoord het nieuwste bericht hierover.
not-taken-uninvited = U staat niet meer op de lijst van genodigden. Als u denkt dat dit een vergissing is, vraag het dan aan degene die u heeft uitgenodigd.
not-taken-of-another = Het kwam van een ander adres dan het uitgenodigde. Stuur het vanaf dat adres; alleen u kunt weten of iemand de uitnodiging aan u heeft doorgestuurd.
not-taken-contradictory = Onderwerp en tekst geven verschillende antwoorden; daarom telt geen van beide. Antwoord opnieuw.
not-taken-otherwise = Antwoord in uw mail- of agendaprogramma, of schrijf aan degene die u heeft uitgenodigd.
not-taken-closing = Dit bericht is automatisch geschreven door imipd, de agendagateway van de mailserver.

### The note about what was not delivered

subject-undelivered = Niet bezorgd: { $subject }
undelivered-invitation = Uw uitnodiging of wijziging kon niet worden bezorgd:
undelivered-cancellation = Uw annulering kon niet worden bezorgd:
undelivered-answer = Uw antwoord kon niet worden bezorgd:
undelivered-message = Uw bericht kon niet worden bezorgd:
undelivered-to = Niet bereikt:
undelivered-more = { $count ->
    [1] en nog één
   *[other] en nog { $count }
}
advice-invitation = Daar weet men er niet van. Controleer het adres, of laat het op een andere manier weten.
advice-cancellation = Daar rekent men er misschien nog op dat de afspraak doorgaat. Laat het op een andere manier weten.
advice-answer = Wie u heeft uitgenodigd, weet er niet van. Controleer het adres, of laat het op een andere manier weten.
advice-message = Daar weet men er niet van. Laat het op een andere manier weten.
undelivered-closing = Dit bericht komt één keer. Het is geschreven door imipd, de agendagateway van uw mailserver.

### The page behind the links of an invitation

page-title = Antwoorden: { $title }
page-answers-for = Deze link antwoordt namens { $attendee }.
page-so-far = Antwoord tot nu toe
page-saved = Bedankt. Uw antwoord is doorgegeven aan { $organizer }.
page-clock = Voor { $organizer }: { $time }
page-which = Voor welke data antwoordt u?
page-all-dates = Alle data
page-later-dates = Alleen de eerstvolgende data staan hier. Op latere kunt u antwoorden in uw mail- of agendaprogramma.
page-comment = Een paar woorden aan { $organizer } (niet verplicht)
page-confirm = Er is nog niets verzonden: uw antwoord telt zodra u op de knop drukt.
page-send = Antwoord verzenden
page-change = Antwoord wijzigen
page-choose = Kies een van de antwoorden.
page-zone = Tijdzone
page-zone-show = Tijden in deze zone tonen
page-others = Wie nog meer is uitgenodigd
page-others-more = { $count ->
    [1] en nog één persoon
   *[other] en nog { $count } personen
}
page-personal = Wie deze link heeft, kan namens u antwoorden. Geef hem dus niet door.
page-nothing-to-answer = Er valt niets meer te beantwoorden.
page-unknown = Deze link werkt niet
page-unknown-advice = Misschien is hij niet helemaal gekopieerd. Open de link in de mail opnieuw, of antwoord in uw mail- of agendaprogramma.
page-expired = Deze link is verlopen
page-expired-advice = Waar het om ging is al een tijd voorbij.
page-revoked = Deze link is niet meer geldig
page-revoked-advice = Hij is ingetrokken. U kunt antwoorden in uw mail- of agendaprogramma.
page-cancelled = Dit is geannuleerd
page-superseded = Deze uitnodiging is vervangen
page-superseded-advice = De tijd is gewijzigd sinds u deze link kreeg. Antwoord op de nieuwste mail hierover.
page-uninvited = U bent niet meer uitgenodigd
page-uninvited-advice = Uw naam staat niet meer op de lijst. Als u denkt dat dit een vergissing is, vraag het dan aan wie u heeft uitgenodigd.
page-refused = Uw antwoord kon niet worden overgenomen
page-refused-advice = Antwoord in uw mail- of agendaprogramma, of schrijf aan wie u heeft uitgenodigd.
page-misread = Uw antwoord is niet begrepen
page-misread-advice = Er is niets gewijzigd. Open de link in de mail opnieuw en verzend het formulier zoals het is.
page-busy = Te veel pogingen
page-busy-advice = Wacht een paar minuten en probeer het opnieuw.
page-broken = Er is iets misgegaan
page-broken-advice = Probeer het over een paar minuten opnieuw, of antwoord in uw mail- of agendaprogramma.
### The questions to the user

subject-question = Uw antwoord, alstublieft: { $title }
subject-unproven = Is dit echt? { $title }
subject-crasher = Niet uitgenodigd: { $title }
sender-unproven = Niets bewijst dat deze e-mail van { $sender } komt.
crasher-uninvited = { $sender } was niet uitgenodigd.
conflicts = Op dezelfde tijd staat in uw agenda:
no-conflicts = Er staat op die tijd niets anders in uw agenda.
how-invitation = Beantwoord deze e-mail met { $yes }, { $no } of { $maybe } alleen op de eerste regel. Wat u eronder schrijft, gaat mee als opmerking.
how-unproven = Beantwoord deze e-mail alleen met { $yes } als u weet dat het bericht echt is. Met { $no } wordt het genegeerd en krijgt niemand bericht.
how-counter = Beantwoord deze e-mail met { $yes } om het voorstel aan te nemen, en iedereen krijgt bericht, of met { $no } om het af te wijzen.
how-crasher = Beantwoord deze e-mail met { $yes } om deze persoon uit te nodigen, of met { $no } om het antwoord te negeren.
how-folders = Of verplaats de e-mail naar de map { $accept }, { $decline } of { $tentative }.
how-links = Of volg een van deze links en verstuur de e-mail die ermee wordt opgesteld:
question-closing = Deze vraag komt één keer. Zij is geschreven door imipd, de agendagateway van uw mailserver.
