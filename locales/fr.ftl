# The words of imipd's mails in French. The variables of each message are listed in docs/mails.md.
### Objet

untitled = (sans titre)
subject-invitation = Invitation : { $title }
subject-update = Modification : { $title }
subject-new-dates = Nouvelles dates : { $title }
subject-cancellation = Annulation : { $title }
subject-accepted = Accepté : { $title }
subject-declined = Refusé : { $title }
subject-tentative = Accepté provisoirement : { $title }
subject-delegated = Délégué : { $title }
subject-completed = Terminé : { $title }
subject-in-process = En cours : { $title }
subject-undecided = Sans réponse : { $title }
subject-counter = Proposition de changement : { $title }
subject-counter-declined = Proposition refusée : { $title }
subject-refresh = À renvoyer : { $title }
subject-publication = Événement : { $title }
subject-dated = { $subject } ({ $date })

### Qui fait quoi

this-item = { $kind ->
    [task] cette tâche
    [entry] cette entrée de journal
   *[event] cet événement
}
opening-invitation = { $kind ->
    [task] { $organizer } vous confie cette tâche.
    [entry] { $organizer } vous envoie cette entrée de journal.
   *[event] { $organizer } vous invite à cet événement.
}
opening-update = { $organizer } a modifié { this-item }.
opening-new-dates = { $organizer } a ajouté des dates à { this-item }.
opening-cancellation = { $organizer } a annulé { this-item }.
opening-publication = { $organizer } a publié { this-item }.
opening-counter = { $attendee } propose un changement pour { this-item }.
opening-counter-declined = { $organizer } a refusé votre proposition pour { this-item }.
opening-refresh = { $attendee } demande l’état actuel de { this-item }.
answer-accepted = { $attendee } a accepté.
answer-declined = { $attendee } a refusé.
answer-tentative = { $attendee } a accepté provisoirement.
answer-delegated = { $attendee } se fait remplacer.
answer-completed = { $attendee } a terminé cette tâche.
answer-in-process = { $attendee } travaille à cette tâche.
answer-undecided = { $attendee } n’a pas encore décidé.
somebody-organizer = La personne qui organise
somebody-attendee = Une personne invitée
on-behalf = { $deputy } (au nom de { $person })

### Quelle partie d’une série

only-these-dates = { $count ->
    [1] Cela ne concerne qu’une seule date de la série.
   *[other] Cela ne concerne que { $count } dates de la série.
}
from-this-date = Cela concerne la date du { $date } et toutes les suivantes.
sentences = { $first } { $second }

### Les lignes

label-what = Quoi
label-when = Quand
label-start = Début
label-due = Échéance
label-duration = Durée
label-dates = Dates
label-where = Où
label-repeats = Périodicité
label-comment = Commentaire
labelled = { $label } : { $text }
before = auparavant : { $value }
nothing = rien
more-dates = { $count ->
    [1] et une autre
   *[other] et { $count } autres
}
description-changed = La description a changé :
text-goes-on = [La suite du texte se trouve dans l’entrée du calendrier.]

### Comment répondre

links-intro = Viendrez-vous ?
link-yes = Oui
link-no = Non
link-maybe = Peut-être
closing-answer = Pour répondre, acceptez ou refusez cette invitation dans votre messagerie ou votre calendrier.
closing-links = Vous pouvez aussi répondre dans votre messagerie ou votre calendrier.
closing-counter = Pour accepter la proposition, modifiez l’événement dans votre calendrier ; sinon, rien ne change.
closing-information = Votre calendrier lit ces informations dans le fichier joint ; vous n’avez rien à faire.

### Dates et heures

weekday = { $day ->
    [1] lundi
    [2] mardi
    [3] mercredi
    [4] jeudi
    [5] vendredi
    [6] samedi
   *[7] dimanche
}
month = { $month ->
    [1] janvier
    [2] février
    [3] mars
    [4] avril
    [5] mai
    [6] juin
    [7] juillet
    [8] août
    [9] septembre
    [10] octobre
    [11] novembre
   *[12] décembre
}
of-month = { $month ->
    [4] d’avril
    [8] d’août
    [10] d’octobre
   *[other] de { month }
}
date = { $day ->
    [1] 1er { month } { $year }
   *[other] { $day } { month } { $year }
}
date-weekday = { $weekday } { $date }
time = { $hour24 }:{ $minute }
date-time = { $date } à { $time }
times = de { $start } à { $end }
date-times = { $date } { $times }
from-to = du { $start } au { $end }
days-to = du { $start } au { $end }
whole-day = { $date } (toute la journée)
in-zone = { $period } ({ $zone })
local-time = heure locale
duration-days = { $count ->
    [one] { $count } jour
   *[other] { $count } jours
}
duration-hours = { $count ->
    [one] { $count } heure
   *[other] { $count } heures
}
duration-minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
duration-and = { $first } { $second }

### À quelle fréquence

every-hour = { $every ->
    [1] toutes les heures
   *[other] toutes les { $every } heures
}
every-day = { $every ->
    [1] tous les jours
    [2] un jour sur deux
   *[other] tous les { $every } jours
}
every-workday = du lundi au vendredi
weekly-on-one = { $every ->
    [1] tous les { weekday }s
    [2] un { weekday } sur deux
   *[other] toutes les { $every } semaines, le { weekday }
}
weekly-on-several = { $every ->
    [1] toutes les semaines, { $days }
   *[other] toutes les { $every } semaines, { $days }
}
monthly = { $every ->
    [1] tous les mois, { $days }
   *[other] tous les { $every } mois, { $days }
}
yearly = { $every ->
    [1] tous les ans, { $day }
   *[other] tous les { $every } ans, { $day }
}
item-weekday = le { weekday }
item-day = { $day ->
    [1] le 1er
   *[other] le { $day }
}
item-last-day = le dernier jour
item-weekday-of-month = { nth } { weekday }
item-workday-of-month = { $nth ->
    [1] le premier jour ouvré
   *[-1] le dernier jour ouvré
}
nth = { $nth ->
    [1] le premier
    [2] le deuxième
    [3] le troisième
    [4] le quatrième
    [5] le cinquième
   *[-1] le dernier
}
day-of-year = { $day ->
    [1] le 1er { month }
   *[other] le { $day } { month }
}
last-day-of-month = le dernier jour { of-month }
weekday-of-month = { nth } { weekday } { of-month }
list-two = { $first } et { $second }
list-more = { $first }, { $rest }
repeats-until = { $rule }, jusqu’au { $date }
repeats-times = { $count ->
    [1] { $rule }, une fois
   *[other] { $rule }, { $count } fois
}
repeats-except = { $count ->
    [1] { $rule }, sauf à une date
   *[other] { $rule }, sauf à { $count } dates
}
repeats-somehow = régulièrement, voir l’entrée du calendrier

### The mail to somebody whose answer could not be taken

subject-not-taken = Réponse non prise en compte : { $title }
not-taken = Votre réponse n’a pas pu être prise en compte. Elle concernait :
not-taken-expired = C’est terminé depuis un certain temps ; le lien que vous avez utilisé a donc expiré.
not-taken-revoked = Le lien que vous avez utilisé a été retiré. Veuillez répondre dans votre messagerie ou votre calendrier, ou écrire à la personne qui vous a invité.
not-taken-cancelled = Cela a été annulé ; aucune réponse n’est plus attendue.
not-taken-superseded = Cela a changé depuis l’envoi du message auquel vous avez répondu. Veuillez répondre au message le plus récent à ce sujet.
not-taken-uninvited = Vous ne figurez plus sur la liste des invités. Si vous pensez qu’il s’agit d’une erreur, demandez à la personne qui vous a invité.
not-taken-of-another = Elle provenait d’une autre adresse que celle qui a été invitée. Veuillez l’envoyer depuis cette adresse ; vous seul pouvez savoir si quelqu’un vous a transmis l’invitation.
not-taken-contradictory = L’objet et le texte donnent des réponses différentes ; aucune n’a été retenue. Veuillez répondre à nouveau.
not-taken-otherwise = Veuillez répondre dans votre messagerie ou votre calendrier, ou écrire à la personne qui vous a invité.
not-taken-closing = Ce message a été rédigé automatiquement par imipd, la passerelle de calendrier du serveur de messagerie.

### The note about what was not delivered

subject-undelivered = Non remis : { $subject }
undelivered-invitation = Votre invitation ou modification n’a pas pu être remise :
undelivered-cancellation = Votre annulation n’a pas pu être remise :
undelivered-answer = Votre réponse n’a pas pu être remise :
undelivered-message = Votre message n’a pas pu être remis :
undelivered-to = Destinataires non atteints :
undelivered-more = { $count ->
    [1] et un autre
   *[other] et { $count } autres
}
advice-invitation = Ces personnes n’en sont pas informées. Vérifiez l’adresse ou prévenez-les par un autre moyen.
advice-cancellation = Ces personnes pensent peut-être encore que l’événement aura lieu. Prévenez-les par un autre moyen.
advice-answer = La personne qui vous a invité n’en est pas informée. Vérifiez l’adresse ou prévenez-la par un autre moyen.
advice-message = Ces personnes n’en sont pas informées. Prévenez-les par un autre moyen.
undelivered-closing = Cet avis n’est envoyé qu’une fois. Il a été rédigé par imipd, la passerelle de calendrier de votre serveur de messagerie.

### The page behind the links of an invitation

page-title = Répondre : { $title }
page-answers-for = Ce lien répond pour { $attendee }.
page-so-far = Réponse actuelle
page-saved = Merci. Votre réponse a été transmise à { $organizer }.
page-clock = Pour { $organizer } : { $time }
page-which = Pour quelles dates répondez-vous ?
page-all-dates = Toutes les dates
page-later-dates = Seules les prochaines dates figurent ici. Vous pouvez répondre pour les suivantes dans votre logiciel de messagerie ou de calendrier.
page-comment = Quelques mots à { $organizer } (facultatif)
page-confirm = Rien n’est encore envoyé : votre réponse compte dès que vous appuyez sur le bouton.
page-send = Envoyer la réponse
page-change = Modifier la réponse
page-choose = Veuillez choisir une des réponses.
page-zone = Fuseau horaire
page-zone-show = Afficher les heures dans ce fuseau
page-others = Autres personnes invitées
page-others-more = { $count ->
    [1] et une autre personne
   *[other] et { $count } autres personnes
}
page-personal = Toute personne qui a ce lien peut répondre en votre nom : ne le transmettez pas.
page-nothing-to-answer = Aucune réponse n’est plus attendue.
page-unknown = Ce lien ne fonctionne pas
page-unknown-advice = Il n’a peut-être pas été copié en entier. Ouvrez de nouveau le lien dans le message, ou répondez dans votre logiciel de messagerie ou de calendrier.
page-expired = Ce lien a expiré
page-expired-advice = L’événement est passé depuis un certain temps.
page-revoked = Ce lien n’est plus valable
page-revoked-advice = Il a été retiré. Vous pouvez répondre dans votre logiciel de messagerie ou de calendrier.
page-cancelled = Annulé
page-superseded = Cette invitation a été remplacée
page-superseded-advice = L’horaire a changé depuis l’envoi de ce lien. Veuillez répondre au message le plus récent.
page-uninvited = Vous n’êtes plus sur la liste des personnes invitées
page-uninvited-advice = Si vous pensez qu’il s’agit d’une erreur, adressez-vous à la personne qui vous a invité.
page-refused = Votre réponse n’a pas pu être prise en compte
page-refused-advice = Veuillez répondre dans votre logiciel de messagerie ou de calendrier, ou écrire à la personne qui vous a invité.
page-misread = Votre réponse n’a pas été comprise
page-misread-advice = Rien n’a été modifié. Ouvrez de nouveau le lien dans le message et envoyez le formulaire tel quel.
page-busy = Trop de tentatives
page-busy-advice = Veuillez patienter quelques minutes et réessayer.
page-broken = Un problème est survenu
page-broken-advice = Veuillez réessayer dans quelques minutes, ou répondre dans votre logiciel de messagerie ou de calendrier.
### The questions to the user

subject-question = Votre réponse, s’il vous plaît : { $title }
subject-unproven = Est-ce authentique ? { $title }
subject-crasher = Non invité : { $title }
sender-unproven = Rien ne prouve que ce message vient de { $sender }.
crasher-uninvited = { $sender } n’était pas invité.
conflicts = Au même moment, votre calendrier contient :
no-conflicts = Il n’y a rien d’autre dans votre calendrier à ce moment.
how-invitation = Pour donner votre réponse, répondez à ce message en écrivant { $yes }, { $no } ou { $maybe } seul sur la première ligne. Ce que vous écrivez en dessous est transmis comme commentaire.
how-unproven = Ne répondez { $yes } à ce message que si vous savez que l’original est authentique. Avec { $no }, il est ignoré et personne n’est prévenu.
how-counter = Répondez à ce message avec { $yes } pour accepter la proposition, et tous sont prévenus, ou avec { $no } pour la refuser.
how-crasher = Répondez à ce message avec { $yes } pour inviter cette personne, ou avec { $no } pour ignorer sa réponse.
how-folders = Ou déplacez le message dans le dossier { $accept }, { $decline } ou { $tentative }.
how-links = Ou suivez l’un de ces liens et envoyez le message qu’il prépare :
question-closing = Cette question n’est posée qu’une fois. Elle a été rédigée par imipd, la passerelle de calendrier de votre serveur de messagerie.
