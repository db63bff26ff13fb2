# The words of imipd's mails in Spanish. The variables of each message are listed in docs/mails.md.
### Asunto

untitled = (sin título)
subject-invitation = Invitación: { $title }
subject-update = Modificado: { $title }
subject-new-dates = Nuevas fechas: { $title }
subject-cancellation = Cancelado: { $title }
subject-accepted = Aceptado: { $title }
subject-declined = Rechazado: { $title }
subject-tentative = Aceptado provisionalmente: { $title }
subject-delegated = Delegado: { $title }
subject-completed = Completado: { $title }
subject-in-process = En curso: { $title }
subject-undecided = Sin decidir: { $title }
subject-counter = Cambio propuesto: { $title }
subject-counter-declined = Propuesta rechazada: { $title }
subject-refresh = Por favor, reenvíe: { $title }
subject-publication = Evento: { $title }
subject-dated = { $subject } ({ $date })

### Quién hace qué

this-item = { $kind ->
    [task] esta tarea
    [entry] esta entrada de diario
   *[event] este evento
}
opening-invitation = { $kind ->
    [task] { $organizer } le asigna esta tarea.
    [entry] { $organizer } le envía esta entrada de diario.
   *[event] { $organizer } le invita a este evento.
}
opening-update = { $organizer } ha modificado { this-item }.
opening-new-dates = { $organizer } ha añadido fechas a { this-item }.
opening-cancellation = { $organizer } ha cancelado { this-item }.
opening-publication = { $organizer } ha publicado { this-item }.
opening-counter = { $attendee } propone un cambio para { this-item }.
opening-counter-declined = { $organizer } ha rechazado su propuesta para { this-item }.
opening-refresh = { $attendee } pide el estado actual de { this-item }.
answer-accepted = { $attendee } ha aceptado.
answer-declined = { $attendee } ha rechazado la invitación.
answer-tentative = { $attendee } ha aceptado de forma provisional.
answer-delegated = { $attendee } ha delegado en otra persona.
answer-completed = { $attendee } ha completado esta tarea.
answer-in-process = { $attendee } está trabajando en esta tarea.
answer-undecided = { $attendee } todavía no ha decidido.
somebody-organizer = La persona que organiza
somebody-attendee = Una persona invitada
on-behalf = { $deputy } (en nombre de { $person })

### Qué parte de una serie

only-these-dates = { $count ->
    [1] Esto afecta solo a una fecha de la serie.
   *[other] Esto afecta solo a { $count } fechas de la serie.
}
from-this-date = Esto afecta a la fecha del { $date } y a todas las posteriores.
sentences = { $first } { $second }

### Las líneas

label-what = Qué
label-when = Cuándo
label-start = Inicio
label-due = Vencimiento
label-duration = Duración
label-dates = Fechas
label-where = Dónde
label-repeats = Repetición
label-comment = Comentario
labelled = { $label }: { $text }
before = antes: { $value }
nothing = nada
more-dates = { $count ->
    [1] y una más
   *[other] y { $count } más
}
description-changed = La descripción ha cambiado:
text-goes-on = [El texto continúa en la entrada del calendario.]

### Cómo responder

links-intro = ¿Asistirá?
link-yes = Sí
link-no = No
link-maybe = Quizás
closing-answer = Para responder, acepte o rechace esta invitación en su programa de correo o de calendario.
closing-links = También puede responder en su programa de correo o de calendario.
closing-counter = Para aceptar la propuesta, cambie el evento en su calendario; de lo contrario, nada cambia.
closing-information = Su programa de calendario lee estos datos del archivo adjunto; no tiene que hacer nada.

### Fechas y horas

weekday = { $day ->
    [1] lunes
    [2] martes
    [3] miércoles
    [4] jueves
    [5] viernes
    [6] sábado
   *[7] domingo
}
weekdays = { $day ->
    [6] sábados
    [7] domingos
   *[other] { weekday }
}
month = { $month ->
    [1] enero
    [2] febrero
    [3] marzo
    [4] abril
    [5] mayo
    [6] junio
    [7] julio
    [8] agosto
    [9] septiembre
    [10] octubre
    [11] noviembre
   *[12] diciembre
}
date = { $day } de { month } de { $year }
date-weekday = { $weekday }, { $date }
time = { $hour }:{ $minute }
date-time = { $date }, { $time }
times = de { $start } a { $end }
date-times = { $date }, { $times }
from-to = { $start } – { $end }
days-to = { $start } – { $end }
whole-day = { $date } (todo el día)
in-zone = { $period } ({ $zone })
local-time = hora local
duration-days = { $count ->
    [one] { $count } día
   *[other] { $count } días
}
duration-hours = { $count ->
    [one] { $count } hora
   *[other] { $count } horas
}
duration-minutes = { $count ->
    [one] { $count } minuto
   *[other] { $count } minutos
}
duration-and = { $first } { $second }

### Con qué frecuencia

every-hour = { $every ->
    [1] cada hora
   *[other] cada { $every } horas
}
every-day = { $every ->
    [1] todos los días
    [2] cada dos días
   *[other] cada { $every } días
}
every-workday = de lunes a viernes
weekly-on-one = { $every ->
    [1] todos los { weekdays }
    [2] cada dos semanas, el { weekday }
   *[other] cada { $every } semanas, el { weekday }
}
weekly-on-several = { $every ->
    [1] todas las semanas, { $days }
   *[other] cada { $every } semanas, { $days }
}
monthly = { $every ->
    [1] todos los meses, { $days }
   *[other] cada { $every } meses, { $days }
}
yearly = { $every ->
    [1] todos los años, { $day }
   *[other] cada { $every } años, { $day }
}
item-weekday = el { weekday }
item-day = el día { $day }
item-last-day = el último día
item-weekday-of-month = { nth } { weekday }
item-workday-of-month = { $nth ->
    [1] el primer día laborable
   *[-1] el último día laborable
}
nth = { $nth ->
    [1] el primer
    [2] el segundo
    [3] el tercer
    [4] el cuarto
    [5] el quinto
   *[-1] el último
}
day-of-year = el { $day } de { month }
last-day-of-month = el último día de { month }
weekday-of-month = { nth } { weekday } de { month }
list-two = { $first } y { $second }
list-more = { $first }, { $rest }
repeats-until = { $rule }, hasta el { $date }
repeats-times = { $count ->
    [1] { $rule }, una vez
   *[other] { $rule }, { $count } veces
}
repeats-except = { $count ->
    [1] { $rule }, excepto en una fecha
   *[other] { $rule }, excepto en { $count } fechas
}
repeats-somehow = de forma periódica; véase la entrada del calendario

### The mail to somebody whose answer could not be taken

subject-not-taken = Respuesta no registrada: { $title }
not-taken = Su respuesta no se pudo registrar. Se refería a:
not-taken-expired = Terminó hace algún tiempo, por lo que el enlace que utilizó ha caducado.
not-taken-revoked = El enlace que utilizó ha sido retirado. Responda en su programa de correo o de calendario, o escriba a quien le invitó.
not-taken-cancelled = Se ha cancelado; ya no hay nada que responder.
not-taken-superseded = Ha cambiado desde que recibió el mensaje que contestó. Responda al mensaje más reciente sobre este evento.
not-taken-uninvited = Usted ya no figura en la lista de invitados. Si cree que es un error, pregunte a quien le invitó.
not-taken-of-another = Llegó desde una dirección distinta de la invitada. Envíela desde esa dirección; solo usted puede saber si alguien le reenvió la invitación.
not-taken-contradictory = El asunto y el texto dan respuestas distintas, por lo que no se tuvo en cuenta ninguna. Responda de nuevo.
not-taken-otherwise = Responda en su programa de correo o de calendario, o escriba a quien le invitó.
not-taken-closing = Este mensaje lo ha escrito automáticamente imipd, la pasarela de calendario del servidor de correo.

### The note about what was not delivered

subject-undelivered = No entregado: { $subject }
undelivered-invitation = No se ha podido entregar su invitación o actualización:
undelivered-cancellation = No se ha podido entregar su cancelación:
undelivered-answer = No se ha podido entregar su respuesta:
undelivered-message = No se ha podido entregar su mensaje:
undelivered-to = No ha llegado a:
undelivered-more = { $count ->
    [1] y uno más
   *[other] y { $count } más
}
advice-invitation = Estas personas no lo saben. Compruebe la dirección o avíseles de otra manera.
advice-cancellation = Es posible que estas personas aún cuenten con el evento. Avíseles de otra manera.
advice-answer = La persona que le invitó no lo sabe. Compruebe la dirección o avísele de otra manera.
advice-message = Estas personas no lo saben. Avíseles de otra manera.
undelivered-closing = Este aviso se envía una sola vez. Lo ha escrito imipd, la pasarela de calendario de su servidor de correo.

### The page behind the links of an invitation

page-title = Responder: { $title }
page-answers-for = Este enlace responde en nombre de { $attendee }.
page-so-far = Respuesta actual
page-saved = Gracias. Su respuesta ha llegado a { $organizer }.
page-clock = Para { $organizer }: { $time }
page-which = ¿Para qué fechas responde?
page-all-dates = Todas las fechas
page-later-dates = Solo aparecen las próximas fechas. A las posteriores puede responder en su programa de correo o de calendario.
page-comment = Unas palabras para { $organizer } (opcional)
page-confirm = Todavía no se ha enviado nada: su respuesta cuenta cuando pulse el botón.
page-send = Enviar respuesta
page-change = Cambiar respuesta
page-choose = Elija una de las respuestas.
page-zone = Zona horaria
page-zone-show = Mostrar las horas en esta zona
page-others = Otras personas invitadas
page-others-more = { $count ->
    [1] y una persona más
   *[other] y { $count } personas más
}
page-personal = Quien tenga este enlace puede responder en su nombre, así que no lo comparta.
page-nothing-to-answer = Ya no hay nada que responder.
page-unknown = Este enlace no funciona
page-unknown-advice = Quizá no se copió completo. Abra de nuevo el enlace del mensaje, o responda en su programa de correo o de calendario.
page-expired = Este enlace ha caducado
page-expired-advice = El evento terminó hace algún tiempo.
page-revoked = Este enlace ya no es válido
page-revoked-advice = Se ha retirado. Puede responder en su programa de correo o de calendario.
page-cancelled = Cancelado
page-superseded = Esta invitación se ha sustituido
page-superseded-advice = La hora ha cambiado desde que recibió este enlace. Responda al mensaje más reciente.
page-uninvited = Ya no figura entre las personas invitadas
page-uninvited-advice = Si cree que es un error, consulte a la persona que le invitó.
page-refused = No se ha podido aceptar su respuesta
page-refused-advice = Responda en su programa de correo o de calendario, o escriba a la persona que le invitó.
page-misread = No se ha entendido su respuesta
page-misread-advice = No se ha cambiado nada. Abra de nuevo el enlace del mensaje y envíe el formulario tal como está.
page-busy = Demasiados intentos
page-busy-advice = Espere unos minutos e inténtelo de nuevo.
page-broken = Algo ha fallado
page-broken-advice = Inténtelo de nuevo en unos minutos, o responda en su programa de correo o de calendario.
### The questions to the user

subject-question = Su respuesta, por favor: { $title }
subject-unproven = ¿Es auténtico? { $title }
subject-crasher = Sin invitación: { $title }
sender-unproven = Nada prueba que este correo venga de { $sender }.
crasher-uninvited = { $sender } no tenía invitación.
conflicts = A la misma hora hay en su calendario:
no-conflicts = No hay nada más en su calendario a esa hora.
how-invitation = Para contestar, responda a este correo escribiendo únicamente { $yes }, { $no } o { $maybe } en la primera línea. Lo que escriba debajo se envía como comentario.
how-unproven = Responda { $yes } a este correo solo si sabe que el mensaje es auténtico. Con { $no } se descarta y no se avisa a nadie.
how-counter = Responda a este correo con { $yes } para aceptar la propuesta, y se avisa a todos, o con { $no } para rechazarla.
how-crasher = Responda a este correo con { $yes } para invitar a esa persona, o con { $no } para descartar su respuesta.
how-folders = O mueva el correo a la carpeta { $accept }, { $decline } o { $tentative }.
how-links = O siga uno de estos enlaces y envíe el correo que se redacta:
question-closing = Esta pregunta llega una sola vez. La ha escrito imipd, la pasarela de calendario de su servidor de correo.
