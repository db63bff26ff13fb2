# The words of imipd's mails in Portuguese. The variables of each message are listed in docs/mails.md.
### Assunto

untitled = (sem título)
subject-invitation = Convite: { $title }
subject-update = Alterado: { $title }
subject-new-dates = Novas datas: { $title }
subject-cancellation = Cancelado: { $title }
subject-accepted = Aceite: { $title }
subject-declined = Recusado: { $title }
subject-tentative = Aceite provisoriamente: { $title }
subject-delegated = Delegado: { $title }
subject-completed = Concluído: { $title }
subject-in-process = Em curso: { $title }
subject-undecided = Por decidir: { $title }
subject-counter = Alteração proposta: { $title }
subject-counter-declined = Proposta recusada: { $title }
subject-refresh = Enviar novamente: { $title }
subject-publication = Evento: { $title }
subject-dated = { $subject } ({ $date })

### Quem faz o quê

this-item = { $kind ->
    [task] esta tarefa
    [entry] esta entrada de diário
   *[event] este evento
}
of-this-item = { $kind ->
    [task] desta tarefa
    [entry] desta entrada de diário
   *[event] deste evento
}
opening-invitation = { $kind ->
    [task] { $organizer } atribui-lhe esta tarefa.
    [entry] { $organizer } envia-lhe esta entrada de diário.
   *[event] { $organizer } envia-lhe um convite para este evento.
}
opening-update = { $organizer } alterou { this-item }.
opening-new-dates = { $organizer } acrescentou datas a { this-item }.
opening-cancellation = { $organizer } cancelou { this-item }.
opening-publication = { $organizer } publicou { this-item }.
opening-counter = { $attendee } propõe uma alteração { of-this-item }.
opening-counter-declined = { $organizer } recusou a sua proposta para { this-item }.
opening-refresh = { $attendee } pede os dados atuais { of-this-item }.
answer-accepted = { $attendee } aceitou.
answer-declined = { $attendee } recusou.
answer-tentative = { $attendee } aceitou provisoriamente.
answer-delegated = { $attendee } delegou noutra pessoa.
answer-completed = { $attendee } concluiu esta tarefa.
answer-in-process = { $attendee } está a tratar desta tarefa.
answer-undecided = { $attendee } ainda não decidiu.
somebody-organizer = Quem organiza
somebody-attendee = Uma pessoa convidada
on-behalf = { $deputy } (em nome de { $person })

### Que parte de uma série

only-these-dates = { $count ->
    [1] Isto diz respeito apenas a uma data da série.
   *[other] Isto diz respeito apenas a { $count } datas da série.
}
from-this-date = Isto diz respeito à data de { $date } e a todas as seguintes.
sentences = { $first } { $second }

### As linhas

label-what = O quê
label-when = Quando
label-start = Início
label-due = Prazo
label-duration = Duração
label-dates = Datas
label-where = Onde
label-repeats = Repetição
label-comment = Comentário
labelled = { $label }: { $text }
before = antes: { $value }
nothing = nada
more-dates = { $count ->
    [1] e mais uma
   *[other] e mais { $count }
}
description-changed = A descrição mudou:
text-goes-on = [O texto continua na entrada do calendário.]

### Como responder

links-intro = Vai participar?
link-yes = Sim
link-no = Não
link-maybe = Talvez
closing-answer = Para responder, aceite ou recuse este convite no seu programa de correio ou de calendário.
closing-links = Também pode responder no seu programa de correio ou de calendário.
closing-counter = Para aceitar a proposta, altere o evento no seu calendário; caso contrário, nada muda.
closing-information = O seu programa de calendário lê estes dados no anexo; não é preciso fazer nada.

### Datas e horas

weekday = { $day ->
    [1] segunda-feira
    [2] terça-feira
    [3] quarta-feira
    [4] quinta-feira
    [5] sexta-feira
    [6] sábado
   *[7] domingo
}
month = { $month ->
    [1] janeiro
    [2] fevereiro
    [3] março
    [4] abril
    [5] maio
    [6] junho
    [7] julho
    [8] agosto
    [9] setembro
    [10] outubro
    [11] novembro
   *[12] dezembro
}
day-number = { $day ->
    [1] 1º
   *[other] { $day }
}
date = { day-number } de { month } de { $year }
date-weekday = { $weekday }, { $date }
time = { $hour24 }:{ $minute }
date-time = { $date }, { $time }
times = das { $start } às { $end }
date-times = { $date }, { $times }
from-to = { $start } – { $end }
days-to = { $start } – { $end }
whole-day = { $date } (todo o dia)
in-zone = { $period } ({ $zone })
local-time = hora local
duration-days = { $count ->
    [1] { $count } dia
   *[other] { $count } dias
}
duration-hours = { $count ->
    [1] { $count } hora
   *[other] { $count } horas
}
duration-minutes = { $count ->
    [1] { $count } minuto
   *[other] { $count } minutos
}
duration-and = { $first } { $second }

### Com que frequência

every-hour = { $every ->
    [1] de hora em hora
   *[other] a cada { $every } horas
}
every-day = { $every ->
    [1] todos os dias
    [2] dia sim, dia não
   *[other] a cada { $every } dias
}
every-workday = de segunda a sexta-feira
weekly-on-one = { $every ->
    [1] { $day ->
        [6] todos os sábados
        [7] todos os domingos
       *[other] todas as semanas, à { weekday }
    }
   *[other] a cada { $every } semanas, { item-weekday }
}
weekly-on-several = { $every ->
    [1] todas as semanas, { $days }
   *[other] a cada { $every } semanas, { $days }
}
monthly = { $every ->
    [1] todos os meses, { $days }
   *[other] a cada { $every } meses, { $days }
}
yearly = { $every ->
    [1] todos os anos, { $day }
   *[other] a cada { $every } anos, { $day }
}
item-weekday = { $day ->
    [6] ao sábado
    [7] ao domingo
   *[other] à { weekday }
}
item-day = no dia { day-number }
item-last-day = no último dia
item-weekday-of-month = { nth } { weekday }
item-workday-of-month = { $nth ->
    [1] no primeiro dia útil
   *[-1] no último dia útil
}
nth = { $day ->
    [6] { nth-masculine }
    [7] { nth-masculine }
   *[other] { nth-feminine }
}
nth-masculine = { $nth ->
    [1] no primeiro
    [2] no segundo
    [3] no terceiro
    [4] no quarto
    [5] no quinto
   *[-1] no último
}
nth-feminine = { $nth ->
    [1] na primeira
    [2] na segunda
    [3] na terceira
    [4] na quarta
    [5] na quinta
   *[-1] na última
}
day-of-year = no dia { day-number } de { month }
last-day-of-month = no último dia de { month }
weekday-of-month = { nth } { weekday } de { month }
list-two = { $first } e { $second }
list-more = { $first }, { $rest }
repeats-until = { $rule }, até { $date }
repeats-times = { $count ->
    [1] { $rule }, uma vez
   *[other] { $rule }, { $count } vezes
}
repeats-except = { $count ->
    [1] { $rule }, exceto numa data
   *[other] { $rule }, exceto em { $count } datas
}
repeats-somehow = periodicamente, ver a entrada do calendário

### The mail to somebody whose answer could not be taken

subject-not-taken = Resposta não registada: { $title }
not-taken = Não foi possível registar a sua resposta. Dizia respeito a:
not-taken-expired = Já terminou há algum tempo, pelo que a ligação que utilizou expirou.
not-taken-revoked = A ligação que utilizou foi retirada. Responda no seu programa de correio ou de calendário, ou escreva a quem o convidou.
not-taken-cancelled = Foi cancelado; já não é preciso responder.
not-taken-superseded = Houve uma alteração desde que recebeu a mensagem a que respondeu. Responda à mensagem mais recente sobre este assunto.
not-taken-uninvited = Já não consta da lista de convidados. Se acha que é um engano, pergunte a quem o convidou.
not-taken-of-another = Chegou de um endereço diferente do que foi convidado. Envie-a a partir desse endereço; só o destinatário pode saber se alguém lhe reencaminhou o convite.
not-taken-contradictory = O assunto e o texto dão respostas diferentes, pelo que nenhuma foi registada. Responda novamente.
not-taken-otherwise = Responda no seu programa de correio ou de calendário, ou escreva a quem o convidou.
not-taken-closing = Esta mensagem foi escrita automaticamente pelo imipd, o gateway de calendário do servidor de correio.

### The note about what was not delivered

subject-undelivered = Não entregue: { $subject }
undelivered-invitation = Não foi possível entregar o seu convite ou atualização:
undelivered-cancellation = Não foi possível entregar o seu cancelamento:
undelivered-answer = Não foi possível entregar a sua resposta:
undelivered-message = Não foi possível entregar a sua mensagem:
undelivered-to = Não chegou a:
undelivered-more = { $count ->
    [1] e mais um
   *[other] e mais { $count }
}
advice-invitation = Estas pessoas não têm conhecimento. Verifique o endereço ou avise-as de outra forma.
advice-cancellation = Estas pessoas podem ainda contar com o evento. Avise-as de outra forma.
advice-answer = Quem enviou o convite não tem conhecimento. Verifique o endereço ou avise de outra forma.
advice-message = Estas pessoas não têm conhecimento. Avise-as de outra forma.
undelivered-closing = Este aviso é enviado uma só vez. Foi escrito pelo imipd, o gateway de calendário do seu servidor de correio.

### The page behind the links of an invitation

page-title = Responder: { $title }
page-answers-for = Esta ligação responde por { $attendee }.
page-so-far = Resposta até agora
page-saved = Obrigado. A sua resposta foi transmitida a { $organizer }.
page-clock = Para { $organizer }: { $time }
page-which = Para que datas responde?
page-all-dates = Todas as datas
page-later-dates = Só constam aqui as próximas datas. Às seguintes pode responder no seu programa de correio ou de calendário.
page-comment = Algumas palavras para { $organizer } (opcional)
page-confirm = Ainda nada foi enviado: a sua resposta conta quando premir o botão.
page-send = Enviar resposta
page-change = Alterar resposta
page-choose = Escolha uma das respostas.
page-zone = Fuso horário
page-zone-show = Mostrar as horas neste fuso
page-others = Quem mais foi convidado
page-others-more = { $count ->
    [1] e mais uma pessoa
   *[other] e mais { $count } pessoas
}
page-personal = Quem tiver esta ligação pode responder em seu nome, por isso não a partilhe.
page-nothing-to-answer = Já não é preciso responder.
page-unknown = Esta ligação não funciona
page-unknown-advice = Talvez não tenha sido copiada por inteiro. Abra de novo a ligação na mensagem, ou responda no seu programa de correio ou de calendário.
page-expired = Esta ligação expirou
page-expired-advice = O evento já terminou há algum tempo.
page-revoked = Esta ligação já não é válida
page-revoked-advice = Foi retirada. Pode responder no seu programa de correio ou de calendário.
page-cancelled = Cancelado
page-superseded = Este convite foi substituído
page-superseded-advice = A hora mudou desde que recebeu esta ligação. Responda à mensagem mais recente.
page-uninvited = Já não consta da lista de pessoas convidadas
page-uninvited-advice = Se acha que é um engano, fale com quem o convidou.
page-refused = A sua resposta não pôde ser aceite
page-refused-advice = Responda no seu programa de correio ou de calendário, ou escreva a quem o convidou.
page-misread = A sua resposta não foi compreendida
page-misread-advice = Nada foi alterado. Abra de novo a ligação na mensagem e envie o formulário tal como está.
page-busy = Demasiadas tentativas
page-busy-advice = Aguarde alguns minutos e tente de novo.
page-broken = Algo correu mal
page-broken-advice = Tente de novo dentro de alguns minutos, ou responda no seu programa de correio ou de calendário.
### The questions to the user

subject-question = A sua resposta, por favor: { $title }
subject-unproven = É autêntico? { $title }
subject-crasher = Sem convite: { $title }
sender-unproven = Nada prova que esta mensagem venha de { $sender }.
crasher-uninvited = { $sender } não tinha convite.
conflicts = À mesma hora há no seu calendário:
no-conflicts = Não há mais nada no seu calendário a essa hora.
how-invitation = Para dar a sua resposta, responda a esta mensagem escrevendo apenas { $yes }, { $no } ou { $maybe } na primeira linha. O que escrever abaixo segue como comentário.
how-unproven = Responda { $yes } a esta mensagem apenas se souber que a original é autêntica. Com { $no } é ignorada e ninguém é avisado.
how-counter = Responda a esta mensagem com { $yes } para aceitar a proposta, e todos são avisados, ou com { $no } para a recusar.
how-crasher = Responda a esta mensagem com { $yes } para convidar esta pessoa, ou com { $no } para ignorar a sua resposta.
how-folders = Ou mova a mensagem para a pasta { $accept }, { $decline } ou { $tentative }.
how-links = Ou siga uma destas ligações e envie a mensagem que é preparada:
question-closing = Esta pergunta vem uma só vez. Foi escrita pelo imipd, o gateway de calendário do seu servidor de correio.
