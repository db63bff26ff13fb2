# The words of imipd's mails in Italian. The variables of each message are listed in docs/mails.md.
### Oggetto

untitled = (senza titolo)
subject-invitation = Invito: { $title }
subject-update = Modificato: { $title }
subject-new-dates = Nuove date: { $title }
subject-cancellation = Annullato: { $title }
subject-accepted = Accettato: { $title }
subject-declined = Rifiutato: { $title }
subject-tentative = Accettato con riserva: { $title }
subject-delegated = Delegato: { $title }
subject-completed = Completato: { $title }
subject-in-process = In corso: { $title }
subject-undecided = In sospeso: { $title }
subject-counter = Modifica proposta: { $title }
subject-counter-declined = Proposta rifiutata: { $title }
subject-refresh = Inviare di nuovo: { $title }
subject-publication = Evento: { $title }
subject-dated = { $subject } ({ $date })

### Chi fa che cosa

this-item = { $kind ->
    [task] questa attività
    [entry] questa voce di diario
   *[event] questo evento
}
opening-invitation = { $kind ->
    [task] { $organizer } Le assegna questa attività.
    [entry] { $organizer } Le invia questa voce di diario.
   *[event] { $organizer } La invita a questo evento.
}
opening-update = { $organizer } ha modificato { this-item }.
opening-new-dates = { $organizer } ha aggiunto delle date a { this-item }.
opening-cancellation = { $organizer } ha annullato { this-item }.
opening-publication = { $organizer } ha pubblicato { this-item }.
opening-counter = { $attendee } propone una modifica per { this-item }.
opening-counter-declined = { $organizer } ha rifiutato la Sua proposta per { this-item }.
opening-refresh = { $attendee } chiede lo stato attuale di { this-item }.
answer-accepted = { $attendee } ha accettato.
answer-declined = { $attendee } ha rifiutato.
answer-tentative = { $attendee } ha accettato con riserva.
answer-delegated = { $attendee } ha delegato un’altra persona.
answer-completed = { $attendee } ha completato questa attività.
answer-in-process = { $attendee } sta lavorando a questa attività.
answer-undecided = { $attendee } non ha ancora deciso.
somebody-organizer = Chi organizza
somebody-attendee = Una persona invitata
on-behalf = { $deputy } (per conto di { $person })

### Quale parte di una serie

only-these-dates = { $count ->
    [1] Questo riguarda una sola data della serie.
   *[other] Questo riguarda solo { $count } date della serie.
}
from-this-date = Questo riguarda il giorno { $date } e tutte le date successive.
sentences = { $first } { $second }

### Le righe

label-what = Che cosa
label-when = Quando
label-start = Inizio
label-due = Scadenza
label-duration = Durata
label-dates = Date
label-where = Dove
label-repeats = Ripetizione
label-comment = Commento
labelled = { $label }: { $text }
before = prima: { $value }
nothing = nulla
more-dates = { $count ->
    [1] e un’altra
   *[other] e altre { $count }
}
description-changed = La descrizione è cambiata:
text-goes-on = [Il testo continua nella voce del calendario.]

### Come rispondere

links-intro = Parteciperà?
link-yes = Sì
link-no = No
link-maybe = Forse
closing-answer = Per rispondere, accetti o rifiuti questo invito nel Suo programma di posta o di calendario.
closing-links = Può rispondere anche nel Suo programma di posta o di calendario.
closing-counter = Per accettare la proposta, modifichi l’evento nel Suo calendario; altrimenti non cambia nulla.
closing-information = Il Suo programma di calendario legge questi dati dal file allegato; non deve fare nulla.

### Date e ore

weekday = { $day ->
    [1] lunedì
    [2] martedì
    [3] mercoledì
    [4] giovedì
    [5] venerdì
    [6] sabato
   *[7] domenica
}
month = { $month ->
    [1] gennaio
    [2] febbraio
    [3] marzo
    [4] aprile
    [5] maggio
    [6] giugno
    [7] luglio
    [8] agosto
    [9] settembre
    [10] ottobre
    [11] novembre
   *[12] dicembre
}
date = { $day ->
    [1] 1º { month } { $year }
   *[other] { $day } { month } { $year }
}
date-weekday = { $weekday } { $date }
time = { $hour24 }:{ $minute }
date-time = { $date }, ore { $time }
times = { $start }–{ $end }
date-times = { $date }, ore { $times }
from-to = { $start } – { $end }
days-to = { $start } – { $end }
whole-day = { $date } (tutto il giorno)
in-zone = { $period } ({ $zone })
local-time = ora locale
duration-days = { $count ->
    [one] { $count } giorno
   *[other] { $count } giorni
}
duration-hours = { $count ->
    [one] { $count } ora
   *[other] { $count } ore
}
duration-minutes = { $count ->
    [one] { $count } minuto
   *[other] { $count } minuti
}
duration-and = { $first } { $second }

### Quanto spesso

every-hour = { $every ->
    [1] ogni ora
   *[other] ogni { $every } ore
}
every-day = { $every ->
    [1] ogni giorno
    [2] a giorni alterni
   *[other] ogni { $every } giorni
}
every-workday = dal lunedì al venerdì
weekly-on-one = { $every ->
    [1] ogni { weekday }
   *[other] ogni { $every } settimane, di { weekday }
}
weekly-on-several = { $every ->
    [1] ogni settimana, { $days }
   *[other] ogni { $every } settimane, { $days }
}
monthly = { $every ->
    [1] ogni mese, { $days }
   *[other] ogni { $every } mesi, { $days }
}
yearly = { $every ->
    [1] ogni anno, { $day }
   *[other] ogni { $every } anni, { $day }
}
item-weekday = { weekday }
item-day = il giorno { $day }
item-last-day = l’ultimo giorno
item-weekday-of-month = { nth } { weekday }
item-workday-of-month = { $nth ->
    [1] il primo giorno lavorativo
   *[-1] l’ultimo giorno lavorativo
}
nth = { $day ->
    [7] { $nth ->
        [1] la prima
        [2] la seconda
        [3] la terza
        [4] la quarta
        [5] la quinta
       *[-1] l’ultima
    }
   *[other] { $nth ->
        [1] il primo
        [2] il secondo
        [3] il terzo
        [4] il quarto
        [5] il quinto
       *[-1] l’ultimo
    }
}
day-of-year = { $day ->
    [1] il 1º { month }
    [8] l’8 { month }
    [11] l’11 { month }
   *[other] il { $day } { month }
}
last-day-of-month = l’ultimo giorno di { month }
weekday-of-month = { nth } { weekday } di { month }
list-two = { $first } e { $second }
list-more = { $first }, { $rest }
repeats-until = { $rule }, fino al giorno { $date }
repeats-times = { $count ->
    [1] { $rule }, una volta
   *[other] { $rule }, { $count } volte
}
repeats-except = { $count ->
    [1] { $rule }, tranne in una data
   *[other] { $rule }, tranne in { $count } date
}
repeats-somehow = periodicamente, si veda la voce del calendario

### The mail to somebody whose answer could not be taken

subject-not-taken = Risposta non registrata: { $title }
not-taken = Non è stato possibile registrare la Sua risposta. Riguardava:
not-taken-expired = È terminato da qualche tempo, quindi il link che ha usato è scaduto.
not-taken-revoked = Il link che ha usato è stato ritirato. Risponda nel Suo programma di posta o di calendario, oppure scriva a chi L’ha invitata.
not-taken-cancelled = È stato annullato; non c’è più nulla a cui rispondere.
not-taken-superseded = È cambiato da quando ha ricevuto il messaggio a cui ha risposto. Risponda al messaggio più recente al riguardo.
not-taken-uninvited = Lei non è più nell’elenco degli invitati. Se pensa che sia un errore, chieda a chi L’ha invitata.
not-taken-of-another = È arrivata da un indirizzo diverso da quello invitato. La invii da quell’indirizzo; solo Lei può sapere se qualcuno Le ha inoltrato l’invito.
not-taken-contradictory = L’oggetto e il testo danno risposte diverse, quindi nessuna delle due è stata registrata. Risponda di nuovo.
not-taken-otherwise = Risponda nel Suo programma di posta o di calendario, oppure scriva a chi L’ha invitata.
not-taken-closing = Questo messaggio è stato scritto automaticamente da imipd, il gateway di calendario del server di posta.

### The note about what was not delivered

subject-undelivered = Non recapitato: { $subject }
undelivered-invitation = Non è stato possibile recapitare il Suo invito o aggiornamento:
undelivered-cancellation = Non è stato possibile recapitare il Suo annullamento:
undelivered-answer = Non è stato possibile recapitare la Sua risposta:
undelivered-message = Non è stato possibile recapitare il Suo messaggio:
undelivered-to = Non ha raggiunto:
undelivered-more = { $count ->
    [1] e un altro
   *[other] e altri { $count }
}
advice-invitation = Queste persone non ne sono al corrente. Controlli l’indirizzo o le avvisi in un altro modo.
advice-cancellation = Queste persone potrebbero aspettarsi ancora che l’evento abbia luogo. Le avvisi in un altro modo.
advice-answer = Chi L’ha invitata non ne è al corrente. Controlli l’indirizzo o avvisi in un altro modo.
advice-message = Queste persone non ne sono al corrente. Le avvisi in un altro modo.
undelivered-closing = Questo avviso arriva una sola volta. Lo ha scritto imipd, il gateway di calendario del Suo server di posta.

### The page behind the links of an invitation

page-title = Risposta: { $title }
page-answers-for = Questo link risponde per { $attendee }.
page-so-far = Risposta attuale
page-saved = Grazie. La Sua risposta è stata comunicata a { $organizer }.
page-clock = Per { $organizer }: { $time }
page-which = Per quali date risponde?
page-all-dates = Tutte le date
page-later-dates = Sono elencate solo le prossime date. Per quelle successive può rispondere nel Suo programma di posta o di calendario.
page-comment = Qualche parola a { $organizer } (facoltativo)
page-confirm = Non è ancora stato inviato nulla: la risposta vale quando preme il pulsante.
page-send = Invia la risposta
page-change = Cambia la risposta
page-choose = Scelga una delle risposte.
page-zone = Fuso orario
page-zone-show = Mostra gli orari in questo fuso
page-others = Altre persone invitate
page-others-more = { $count ->
    [1] e un’altra persona
   *[other] e altre { $count } persone
}
page-personal = Chi ha questo link può rispondere a Suo nome: non lo inoltri.
page-nothing-to-answer = Non c’è più nulla a cui rispondere.
page-unknown = Questo link non funziona
page-unknown-advice = Forse non è stato copiato per intero. Apra di nuovo il link nel messaggio, oppure risponda nel Suo programma di posta o di calendario.
page-expired = Questo link è scaduto
page-expired-advice = L’evento è terminato da tempo.
page-revoked = Questo link non è più valido
page-revoked-advice = È stato ritirato. Può rispondere nel Suo programma di posta o di calendario.
page-cancelled = Annullato
page-superseded = Questo invito è stato sostituito
page-superseded-advice = L’orario è cambiato da quando ha ricevuto questo link. Risponda al messaggio più recente.
page-uninvited = Non è più tra le persone invitate
page-uninvited-advice = Se pensa che sia un errore, chieda a chi L’ha invitata.
page-refused = Non è stato possibile accettare la Sua risposta
page-refused-advice = Risponda nel Suo programma di posta o di calendario, oppure scriva a chi L’ha invitata.
page-misread = La Sua risposta non è stata compresa
page-misread-advice = Non è stato modificato nulla. Apra di nuovo il link nel messaggio e invii il modulo così com’è.
page-busy = Troppi tentativi
page-busy-advice = Attenda qualche minuto e riprovi.
page-broken = Qualcosa è andato storto
page-broken-advice = Riprovi tra qualche minuto, oppure risponda nel Suo programma di posta o di calendario.
### The questions to the user

subject-question = La Sua risposta, per favore: { $title }
subject-unproven = È autentico? { $title }
subject-crasher = Non invitato: { $title }
sender-unproven = Nulla dimostra che questo messaggio venga da { $sender }.
crasher-uninvited = { $sender } non era tra gli invitati.
conflicts = Alla stessa ora il Suo calendario contiene:
no-conflicts = Non c’è altro nel Suo calendario a quell’ora.
how-invitation = Per dare la Sua risposta, risponda a questo messaggio scrivendo soltanto { $yes }, { $no } o { $maybe } nella prima riga. Ciò che scrive sotto viene inviato come commento.
how-unproven = Risponda { $yes } a questo messaggio solo se sa che l’originale è autentico. Con { $no } viene scartato e nessuno viene avvisato.
how-counter = Risponda a questo messaggio con { $yes } per accettare la proposta, e tutti vengono avvisati, o con { $no } per rifiutarla.
how-crasher = Risponda a questo messaggio con { $yes } per invitare questa persona, o con { $no } per scartare la sua risposta.
how-folders = Oppure sposti il messaggio nella cartella { $accept }, { $decline } o { $tentative }.
how-links = Oppure segua uno di questi link e invii il messaggio che viene preparato:
question-closing = Questa domanda arriva una sola volta. L’ha scritta imipd, il gateway di calendario del Suo server di posta.
