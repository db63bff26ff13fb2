# The words of imipd's mails in Polish. The variables of each message are listed in docs/mails.md.
### Temat

untitled = (bez tytułu)
subject-invitation = Zaproszenie: { $title }
subject-update = Zmiana: { $title }
subject-new-dates = Nowe terminy: { $title }
subject-cancellation = Odwołane: { $title }
subject-accepted = Zaakceptowano: { $title }
subject-declined = Odrzucono: { $title }
subject-tentative = Wstępnie zaakceptowano: { $title }
subject-delegated = Przekazano: { $title }
subject-completed = Ukończono: { $title }
subject-in-process = W toku: { $title }
subject-undecided = Bez decyzji: { $title }
subject-counter = Propozycja zmiany: { $title }
subject-counter-declined = Propozycja odrzucona: { $title }
subject-refresh = Prośba o ponowne przesłanie: { $title }
subject-publication = Wydarzenie: { $title }
subject-dated = { $subject } ({ $date })

### Kto co robi
# Names have a gender that is not known here, so what they do stands in the present tense.

this-item = { $kind ->
    [task] to zadanie
    [entry] ten wpis w dzienniku
   *[event] to wydarzenie
}
of-this-item = { $kind ->
    [task] tego zadania
    [entry] tego wpisu w dzienniku
   *[event] tego wydarzenia
}
opening-invitation = { $kind ->
    [task] { $organizer } przydziela Państwu to zadanie.
    [entry] { $organizer } przesyła Państwu ten wpis w dzienniku.
   *[event] { $organizer } zaprasza Państwa na to wydarzenie.
}
opening-update = { $organizer } zmienia { this-item }.
opening-new-dates = { $organizer } dodaje nowe terminy do { of-this-item }.
opening-cancellation = { $organizer } odwołuje { this-item }.
opening-publication = { $organizer } publikuje { this-item }.
opening-counter = { $attendee } proponuje zmianę { of-this-item }.
opening-counter-declined = { $organizer } odrzuca Państwa propozycję dotyczącą { of-this-item }.
opening-refresh = { $attendee } prosi o aktualne dane { of-this-item }.
answer-accepted = { $attendee } przyjmuje zaproszenie.
answer-declined = { $attendee } odrzuca zaproszenie.
answer-tentative = { $attendee } wstępnie przyjmuje zaproszenie.
answer-delegated = { $attendee } wysyła kogoś w zastępstwie.
answer-completed = { $attendee } zgłasza ukończenie tego zadania.
answer-in-process = { $attendee } pracuje nad tym zadaniem.
answer-undecided = { $attendee } jeszcze się zastanawia.
somebody-organizer = Osoba organizująca
somebody-attendee = Osoba zaproszona
on-behalf = { $deputy } (w imieniu: { $person })

### Która część serii

only-these-dates = { $count ->
    [1] Dotyczy to tylko jednego terminu z serii.
   *[other] Dotyczy to tylko { $count } terminów z serii.
}
from-this-date = Dotyczy to terminu { $date } i wszystkich późniejszych.
sentences = { $first } { $second }

### Wiersze

label-what = Co
label-when = Kiedy
label-start = Początek
label-due = Termin
label-duration = Czas trwania
label-dates = Terminy
label-where = Gdzie
label-repeats = Powtarzanie
label-comment = Komentarz
labelled = { $label }: { $text }
before = poprzednio: { $value }
nothing = nic
more-dates = { $count ->
    [one] i jeszcze { $count } termin
    [few] i jeszcze { $count } terminy
    [many] i jeszcze { $count } terminów
   *[other] i jeszcze { $count } terminu
}
description-changed = Zmienił się opis:
text-goes-on = [Dalszy ciąg tekstu znajduje się we wpisie w kalendarzu.]

### Jak odpowiedzieć

links-intro = Czy wezmą Państwo udział?
link-yes = Tak
link-no = Nie
link-maybe = Może
closing-answer = Aby odpowiedzieć, proszę przyjąć lub odrzucić to zaproszenie w programie pocztowym lub w kalendarzu.
closing-links = Odpowiedzieć można też w programie pocztowym lub w kalendarzu.
closing-counter = Aby przyjąć propozycję, proszę zmienić wydarzenie w kalendarzu; w przeciwnym razie nic się nie zmieni.
closing-information = Program kalendarza odczyta te dane z załącznika; nie trzeba nic robić.

### Daty i godziny

weekday = { $day ->
    [1] poniedziałek
    [2] wtorek
    [3] środa
    [4] czwartek
    [5] piątek
    [6] sobota
   *[7] niedziela
}
month = { $month ->
    [1] stycznia
    [2] lutego
    [3] marca
    [4] kwietnia
    [5] maja
    [6] czerwca
    [7] lipca
    [8] sierpnia
    [9] września
    [10] października
    [11] listopada
   *[12] grudnia
}
date = { $day } { month } { $year }
date-weekday = { $weekday }, { $date }
time = { $hour24 }:{ $minute }
date-time = { $date }, { $time }
times = { $start }–{ $end }
date-times = { $date }, { $times }
from-to = { $start } – { $end }
days-to = { $start } – { $end }
whole-day = { $date } (cały dzień)
in-zone = { $period } ({ $zone })
local-time = czas lokalny
duration-days = { $count ->
    [one] { $count } dzień
    [few] { $count } dni
    [many] { $count } dni
   *[other] { $count } dnia
}
duration-hours = { $count ->
    [one] { $count } godzina
    [few] { $count } godziny
    [many] { $count } godzin
   *[other] { $count } godziny
}
duration-minutes = { $count ->
    [one] { $count } minuta
    [few] { $count } minuty
    [many] { $count } minut
   *[other] { $count } minuty
}
duration-and = { $first } { $second }

### Jak często

every-hour = { $every ->
    [one] co godzinę
    [few] co { $every } godziny
    [many] co { $every } godzin
   *[other] co { $every } godziny
}
every-day = { $every ->
    [1] codziennie
    [2] co drugi dzień
   *[other] co { $every } dni
}
every-workday = od poniedziałku do piątku
weekly-on-one = { $every ->
    [1] co tydzień { item-weekday }
    [2] co dwa tygodnie { item-weekday }
   *[other] { every-weeks } { item-weekday }
}
every-weeks = { $every ->
    [one] co tydzień
    [few] co { $every } tygodnie
    [many] co { $every } tygodni
   *[other] co { $every } tygodnia
}
weekly-on-several = { $every ->
    [2] co dwa tygodnie { $days }
   *[other] { every-weeks } { $days }
}
monthly = { $every ->
    [one] co miesiąc { $days }
    [few] co { $every } miesiące { $days }
    [many] co { $every } miesięcy { $days }
   *[other] co { $every } miesiąca { $days }
}
yearly = { $every ->
    [one] co roku { $day }
    [few] co { $every } lata { $day }
    [many] co { $every } lat { $day }
   *[other] co { $every } roku { $day }
}
item-weekday = { $day ->
    [1] w poniedziałek
    [2] we wtorek
    [3] w środę
    [4] w czwartek
    [5] w piątek
    [6] w sobotę
   *[7] w niedzielę
}
item-day = { $day }. dnia miesiąca
item-last-day = ostatniego dnia miesiąca
item-weekday-of-month = { weekday-of }
item-workday-of-month = { $nth ->
    [1] w pierwszy dzień roboczy
   *[-1] w ostatni dzień roboczy
}
weekday-of = { $day ->
    [1] { nth-masculine } poniedziałek
    [2] { nth-masculine } wtorek
    [3] { nth-feminine } środę
    [4] { nth-masculine } czwartek
    [5] { nth-masculine } piątek
    [6] { nth-feminine } sobotę
   *[7] { nth-feminine } niedzielę
}
nth-masculine = { $nth ->
    [1] w pierwszy
    [2] w drugi
    [3] w trzeci
    [4] w czwarty
    [5] w piąty
   *[-1] w ostatni
}
nth-feminine = { $nth ->
    [1] w pierwszą
    [2] w drugą
    [3] w trzecią
    [4] w czwartą
    [5] w piątą
   *[-1] w ostatnią
}
day-of-year = { $day } { month }
last-day-of-month = ostatniego dnia { month }
weekday-of-month = { weekday-of } { month }
list-two = { $first } i { $second }
list-more = { $first }, { $rest }
repeats-until = { $rule }, do { $date }
repeats-times = { $count ->
    [1] { $rule }, jeden raz
   *[other] { $rule }, { $count } razy
}
repeats-except = { $count ->
    [1] { $rule }, z wyjątkiem jednego terminu
   *[other] { $rule }, z wyjątkiem { $count } terminów
}
repeats-somehow = cyklicznie, szczegóły we wpisie w kalendarzu

### The mail to somebody whose answer could not be taken

subject-not-taken = Odpowiedź nieprzyjęta: { $title }
not-taken = Nie udało się przyjąć odpowiedzi. Dotyczyła:
not-taken-expired = To już się odbyło jakiś czas temu, dlatego użyty odnośnik wygasł.
not-taken-revoked = Użyty odnośnik został wycofany. Prosimy odpowiedzieć w programie pocztowym lub w kalendarzu albo napisać do osoby zapraszającej.
not-taken-cancelled = To zostało odwołane; nie ma już na co odpowiadać.
not-taken-superseded = Nastąpiła zmiana od czasu wysłania wiadomości, na którą udzielono odpowiedzi. Prosimy odpowiedzieć na najnowszą wiadomość w tej sprawie.
not-taken-uninvited = Nie ma już Państwa na liście zaproszonych. Jeśli to pomyłka, prosimy zapytać osobę zapraszającą.
not-taken-of-another = Przyszła z innego adresu niż zaproszony. Prosimy wysłać ją z tamtego adresu; tylko Państwo mogą wiedzieć, czy ktoś przekazał zaproszenie dalej.
not-taken-contradictory = Temat i treść zawierają różne odpowiedzi, dlatego żadna nie została przyjęta. Prosimy odpowiedzieć ponownie.
not-taken-otherwise = Prosimy odpowiedzieć w programie pocztowym lub w kalendarzu albo napisać do osoby zapraszającej.
not-taken-closing = Tę wiadomość napisał automatycznie imipd, brama kalendarza na serwerze poczty.

### The note about what was not delivered

subject-undelivered = Nie doręczono: { $subject }
undelivered-invitation = Nie udało się doręczyć zaproszenia lub zmiany:
undelivered-cancellation = Nie udało się doręczyć odwołania:
undelivered-answer = Nie udało się doręczyć odpowiedzi:
undelivered-message = Nie udało się doręczyć wiadomości:
undelivered-to = Wiadomość nie dotarła do:
undelivered-more = { $count ->
    [one] i jeszcze jeden adres
    [few] i jeszcze { $count } adresy
   *[other] i jeszcze { $count } adresów
}
advice-invitation = Te osoby nic o tym nie wiedzą. Proszę sprawdzić adres lub powiadomić je w inny sposób.
advice-cancellation = Te osoby mogą nadal spodziewać się, że wydarzenie się odbędzie. Proszę powiadomić je w inny sposób.
advice-answer = Osoba zapraszająca nic o tym nie wie. Proszę sprawdzić adres lub powiadomić ją w inny sposób.
advice-message = Te osoby nic o tym nie wiedzą. Proszę powiadomić je w inny sposób.
undelivered-closing = Ta informacja przychodzi tylko raz. Napisał ją imipd, brama kalendarza na serwerze poczty.

### The page behind the links of an invitation

page-title = Odpowiedź: { $title }
page-answers-for = Ten odnośnik służy do odpowiedzi w imieniu: { $attendee }.
page-so-far = Dotychczasowa odpowiedź
page-saved = Dziękujemy. Odpowiedź przekazano: { $organizer }.
page-clock = Czas lokalny ({ $organizer }): { $time }
page-which = Których terminów dotyczy odpowiedź?
page-all-dates = Wszystkie terminy
page-later-dates = Podano tylko najbliższe terminy. Na późniejsze można odpowiedzieć w programie pocztowym lub kalendarzu.
page-comment = Kilka słów komentarza – adresat: { $organizer } (nieobowiązkowo)
page-confirm = Nic jeszcze nie wysłano: odpowiedź liczy się po naciśnięciu przycisku.
page-send = Wyślij odpowiedź
page-change = Zmień odpowiedź
page-choose = Proszę wybrać jedną z odpowiedzi.
page-zone = Strefa czasowa
page-zone-show = Pokaż godziny w tej strefie
page-others = Pozostałe zaproszone osoby
page-others-more = { $count ->
    [1] i jeszcze jedna osoba
    [few] i jeszcze { $count } osoby
   *[other] i jeszcze { $count } osób
}
page-personal = Każdy, kto ma ten odnośnik, może odpowiedzieć w imieniu zaproszonej osoby. Proszę nie przekazywać go dalej.
page-nothing-to-answer = Nie ma już na co odpowiadać.
page-unknown = Ten odnośnik nie działa
page-unknown-advice = Być może nie skopiowano go w całości. Proszę otworzyć odnośnik z wiadomości jeszcze raz albo odpowiedzieć w programie pocztowym lub kalendarzu.
page-expired = Ten odnośnik wygasł
page-expired-advice = Wydarzenie już jakiś czas temu się zakończyło.
page-revoked = Ten odnośnik jest już nieważny
page-revoked-advice = Został wycofany. Można odpowiedzieć w programie pocztowym lub kalendarzu.
page-cancelled = Odwołano
page-superseded = To zaproszenie zostało zastąpione
page-superseded-advice = Od wysłania tego odnośnika zmienił się termin. Proszę odpowiedzieć na najnowszą wiadomość w tej sprawie.
page-uninvited = Zaproszenie zostało cofnięte
page-uninvited-advice = Tej osoby nie ma już na liście zaproszonych. Jeśli to pomyłka, proszę zapytać osobę zapraszającą.
page-refused = Nie udało się przyjąć odpowiedzi
page-refused-advice = Proszę odpowiedzieć w programie pocztowym lub kalendarzu albo napisać do osoby zapraszającej.
page-misread = Nie zrozumiano odpowiedzi
page-misread-advice = Nic nie zostało zmienione. Proszę otworzyć odnośnik z wiadomości jeszcze raz i wysłać formularz bez zmian.
page-busy = Zbyt wiele prób
page-busy-advice = Proszę odczekać kilka minut i spróbować ponownie.
page-broken = Coś poszło nie tak
page-broken-advice = Proszę spróbować ponownie za kilka minut albo odpowiedzieć w programie pocztowym lub kalendarzu.
### The questions to the user

subject-question = Prosimy o odpowiedź: { $title }
subject-unproven = Czy to autentyczne? { $title }
subject-crasher = Bez zaproszenia: { $title }
sender-unproven = Nic nie dowodzi, że tę wiadomość wysłano z adresu { $sender }.
crasher-uninvited = { $sender } nie ma zaproszenia.
conflicts = W tym samym czasie w kalendarzu jest:
no-conflicts = W tym czasie w kalendarzu nie ma nic innego.
how-invitation = Aby odpowiedzieć, proszę odpisać na tę wiadomość, wpisując samo { $yes }, { $no } lub { $maybe } w pierwszym wierszu. Tekst poniżej zostanie przekazany jako komentarz.
how-unproven = Proszę odpisać { $yes } tylko wtedy, gdy wiadomo, że wiadomość jest autentyczna. Po odpowiedzi { $no } zostanie ona pominięta i nikt się o tym nie dowie.
how-counter = Proszę odpisać { $yes }, aby przyjąć propozycję, o czym dowiedzą się wszyscy, lub { $no }, aby ją odrzucić.
how-crasher = Proszę odpisać { $yes }, aby zaprosić tę osobę, lub { $no }, aby pominąć jej odpowiedź.
how-folders = Można też przenieść wiadomość do folderu { $accept }, { $decline } lub { $tentative }.
how-links = Można też otworzyć jeden z tych odnośników i wysłać utworzoną wiadomość:
question-closing = To pytanie przychodzi jeden raz. Napisał je imipd, brama kalendarza na serwerze poczty.
