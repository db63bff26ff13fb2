//! `/answer/TOKEN`: the page behind the links of an invitation, on which somebody without a calendar program answers.
//!
//! | request | what happens |
//! |---|---|
//! | GET, HEAD | the page, or why there is none; nothing changes, whoever follows the link |
//! | POST of the form | the answer counts as a REPLY of the attendee; then a redirect to the page, so that reloading repeats nothing |
//!
//! The token is the right to answer. There is no session beside it and no cookie, so a form on a foreign page can do no more than
//! whoever wrote that page could do with the link itself: forged requests across sites (CSRF) gain nothing. For the same reason no
//! line of the log holds a path.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use calcard::icalendar::ICalendarParticipationStatus as Partstat;
use chrono_tz::Tz;

use super::client::{Peer, client};
use super::limits::{FIELDS_MAX, FORM_BYTES_MAX};
use super::tries::Tries;
use crate::gateway::{Answered, ClosedLink, Gateway, GatewayError, LinkAnswer, Visited};
use crate::imip::answer::Choice;
use crate::imip::visit::{
    Dates, FormState, NoAnswer, Step, choice_of_word, comment_of_form, dates_of_word, language_of_visitor,
};
use crate::imip::{Language, Token};
use crate::itip::InstanceKey;
use crate::itip::announce::Answer;

/// What the page may load and do: its own style sheet and script, and its own form.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; \
    frame-ancestors 'none'; base-uri 'none'";

/// Where an answer was given, as the log of decisions tells it.
const FOLDER: &str = "web";

/// The gateway, and how often who has tried.
#[derive(Clone)]
struct Desk {
    gateway: Arc<Gateway>,
    tries: Arc<Tries>,
}

/// What is answered here.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(gateway: Arc<Gateway>) -> Router<S> {
    let desk = Desk { gateway, tries: Arc::default() };
    let style = || async { asset("text/css; charset=utf-8", include_str!("../../templates/answer.css")) };
    let script = || async { asset("text/javascript; charset=utf-8", include_str!("../../templates/answer.js")) };
    Router::new()
        .route("/answer/page.css", get(style))
        .route("/answer/page.js", get(script))
        .route("/answer/", get(show_nothing))
        .route("/answer/{token}", get(show).post(take))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .with_state(desk)
}

fn asset(content_type: &'static str, text: &'static str) -> Response {
    let headers: [(HeaderName, &str); 3] = [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, "public, max-age=3600"),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
    ];
    (headers, text).into_response()
}

/// Who asks, and what for.
struct Visitor {
    client: Option<IpAddr>,
    /// Of their program; nothing when it names none that we speak.
    language: Option<Language>,
    /// The zone that they chose.
    zone: Option<Tz>,
    form: FormState,
}

impl Visitor {
    fn of(desk: &Desk, peer: Peer, (uri, headers): (&Uri, &HeaderMap)) -> Self {
        let mut form = FormState::default();
        let mut zone = None;
        for (name, value) in fields(uri.query().unwrap_or_default().as_bytes()) {
            match name.as_str() {
                "answer" => form.choice = choice_of_word(&value),
                "date" => form.date = Some(value),
                "saved" => form.step = Step::Saved,
                "tz" => zone = value.parse::<Tz>().ok(),
                _ => {}
            }
        }
        let languages = headers.get_all("accept-language").iter().filter_map(|value| value.to_str().ok());
        Self {
            client: client(peer, headers, &desk.gateway.config.web.trusted_proxies),
            language: languages.into_iter().find_map(language_of_visitor),
            zone,
            form,
        }
    }

    fn language(&self) -> Language {
        self.language.unwrap_or(Language::English)
    }
}

/// The fields of a form or a query.
fn fields(encoded: &[u8]) -> Vec<(String, String)> {
    let pairs = url::form_urlencoded::parse(encoded).take(FIELDS_MAX);
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

async fn show_nothing(State(desk): State<Desk>, Extension(peer): Extension<Peer>, request: Request) -> Response {
    let visitor = Visitor::of(&desk, peer, (request.uri(), request.headers()));
    desk.refuse(&visitor, (StatusCode::NOT_FOUND, NoAnswer::Unknown))
}

async fn show(
    State(desk): State<Desk>,
    Extension(peer): Extension<Peer>,
    token: Path<String>,
    request: Request,
) -> Response {
    let visitor = Visitor::of(&desk, peer, (request.uri(), request.headers()));
    let token = match desk.admitted(&visitor, &token) {
        Ok(token) => token,
        Err(refused) => return *refused,
    };
    desk.page(&visitor, &token, StatusCode::OK).await
}

async fn take(
    State(desk): State<Desk>,
    Extension(peer): Extension<Peer>,
    token: Path<String>,
    request: Request,
) -> Response {
    let mut visitor = Visitor::of(&desk, peer, (request.uri(), request.headers()));
    let token = match desk.admitted(&visitor, &token) {
        Ok(token) => token,
        Err(refused) => return *refused,
    };
    if !is_form(request.headers()) {
        return desk.refuse(&visitor, (StatusCode::UNSUPPORTED_MEDIA_TYPE, NoAnswer::Misread));
    }
    let Ok(body) = Bytes::from_request(request, &()).await else {
        return desk.refuse(&visitor, (StatusCode::PAYLOAD_TOO_LARGE, NoAnswer::Misread));
    };
    match Said::read(&body) {
        Err(()) => desk.refuse(&visitor, (StatusCode::BAD_REQUEST, NoAnswer::Misread)),
        Ok(said) => match said.choice {
            Some(choice) => desk.take(&visitor, &token, (choice, said)).await,
            None => {
                let date = said.date.map(|key| key.to_string());
                visitor.form = FormState { choice: None, date, step: Step::NothingChosen };
                desk.page(&visitor, &token, StatusCode::UNPROCESSABLE_ENTITY).await
            }
        },
    }
}

/// What a form says.
struct Said {
    choice: Option<Choice>,
    date: Option<InstanceKey>,
    comment: Option<String>,
}

impl Said {
    /// Reads a form; an error when it is none that the page could have sent.
    fn read(body: &[u8]) -> Result<Self, ()> {
        let mut said = Self { choice: None, date: None, comment: None };
        for (name, value) in fields(body) {
            match name.as_str() {
                "answer" => said.choice = Some(choice_of_word(&value).ok_or(())?),
                "date" => said.date = one_date(&value)?,
                "comment" => said.comment = comment_of_form(&value),
                _ => {}
            }
        }
        Ok(said)
    }
}

/// The date that a form names; nothing for all of them.
fn one_date(word: &str) -> Result<Option<InstanceKey>, ()> {
    match dates_of_word(word).ok_or(())? {
        Dates::All => Ok(None),
        Dates::One(key) => Ok(Some(key)),
    }
}

/// Whether a request says that it is a form (RFC 9110 §8.3.1: names of media types know no case).
fn is_form(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

impl Desk {
    /// The token of a request, unless whoever sent it has to wait, or it can be none.
    fn admitted(&self, visitor: &Visitor, token: &str) -> Result<Token, Box<Response>> {
        if let Err(wait) = self.tries.request(visitor.client, Instant::now()) {
            return Err(Box::new(self.busy(visitor, wait)));
        }
        Token::parse(token).ok_or_else(|| Box::new(self.unknown(visitor)))
    }

    /// The page of a link, as it is now.
    async fn page(&self, visitor: &Visitor, token: &Token, status: StatusCode) -> Response {
        match self.gateway.visit(token, visitor.zone).await {
            Ok(None) => self.unknown(visitor),
            Ok(Some(Visited::Closed(closed))) => self.closed(visitor, &closed),
            Ok(Some(Visited::Open(visit))) => {
                self.gateway.counters.count_answer_page("shown");
                let language = visitor.language.unwrap_or(visit.language);
                page(status, language, self.gateway.visit_html(language, &visit, &visitor.form))
            }
            Err(error) => self.broken(visitor, &error),
        }
    }

    async fn take(&self, visitor: &Visitor, token: &Token, (choice, said): (Choice, Said)) -> Response {
        if let Err(wait) = self.tries.answer(token.digest(), Instant::now()) {
            return self.busy(visitor, wait);
        }
        let partstat = match choice {
            Choice::Accept => Partstat::Accepted,
            Choice::Decline => Partstat::Declined,
            Choice::Tentative => Partstat::Tentative,
        };
        let answer = Answer { partstat, instance: said.date, comment: said.comment };
        match self.gateway.answer_at_link(token, &LinkAnswer { answer, folder: FOLDER.to_owned() }).await {
            Ok(Some(Answered::Taken)) => self.saved(visitor, token, (said.date, "taken")),
            Ok(Some(Answered::AlreadySaid)) => self.saved(visitor, token, (said.date, "unchanged")),
            Ok(Some(Answered::Closed(_))) => self.closed_meanwhile(visitor, token).await,
            Ok(Some(Answered::Refused(_))) => self.refuse(visitor, (StatusCode::CONFLICT, NoAnswer::Refused)),
            Ok(None) => self.unknown(visitor),
            Err(error) => self.broken(visitor, &error),
        }
    }

    /// Why an answer came too late: for all that the link asks about, or for the one date that was answered.
    async fn closed_meanwhile(&self, visitor: &Visitor, token: &Token) -> Response {
        match self.gateway.visit(token, visitor.zone).await {
            Ok(Some(Visited::Open(_))) => self.refuse(visitor, (StatusCode::GONE, NoAnswer::Superseded)),
            Ok(Some(Visited::Closed(closed))) => self.closed(visitor, &closed),
            Ok(None) => self.unknown(visitor),
            Err(error) => self.broken(visitor, &error),
        }
    }

    /// To the page, which shows the answer from now on. The address is relative: we need not know where the proxy has put us.
    fn saved(
        &self,
        visitor: &Visitor,
        token: &Token,
        (date, outcome): (Option<InstanceKey>, &'static str),
    ) -> Response {
        self.gateway.counters.count_answer_page(outcome);
        let mut query = url::form_urlencoded::Serializer::new(String::from("saved=1"));
        query.extend_pairs(visitor.zone.map(|zone| ("tz", zone.name())));
        query.extend_pairs(date.map(|date| ("date", date.to_string())));
        let to = format!("{}?{}", token.expose(), query.finish());
        let mut response = page(StatusCode::SEE_OTHER, visitor.language(), String::new());
        if let Ok(to) = HeaderValue::from_str(&to) {
            response.headers_mut().insert(LOCATION, to);
        }
        response
    }

    fn closed(&self, visitor: &Visitor, closed: &ClosedLink) -> Response {
        self.gateway.counters.count_answer_page("closed");
        let language = visitor.language.unwrap_or(closed.language);
        let about = closed.about.as_ref().map(|(facts, component)| (facts, *component));
        page(StatusCode::GONE, language, self.gateway.no_answer_html(language, closed.why, about))
    }

    fn unknown(&self, visitor: &Visitor) -> Response {
        self.tries.miss(visitor.client, Instant::now());
        self.refuse(visitor, (StatusCode::NOT_FOUND, NoAnswer::Unknown))
    }

    fn busy(&self, visitor: &Visitor, wait: Duration) -> Response {
        let mut response = self.refuse(visitor, (StatusCode::TOO_MANY_REQUESTS, NoAnswer::Busy));
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().saturating_add(1)));
        response
    }

    fn broken(&self, visitor: &Visitor, error: &GatewayError) -> Response {
        tracing::error!(%error, "the page of an invitation cannot be served");
        self.refuse(visitor, (StatusCode::SERVICE_UNAVAILABLE, NoAnswer::Broken))
    }

    fn refuse(&self, visitor: &Visitor, (status, why): (StatusCode, NoAnswer)) -> Response {
        self.gateway.counters.count_answer_page(outcome(why));
        page(status, visitor.language(), self.gateway.no_answer_html(visitor.language(), why, None))
    }
}

/// The name of an outcome in the metrics.
fn outcome(why: NoAnswer) -> &'static str {
    match why {
        NoAnswer::Unknown => "unknown",
        NoAnswer::Busy => "limited",
        NoAnswer::Refused => "refused",
        NoAnswer::Misread => "misread",
        NoAnswer::Broken => "failed",
        NoAnswer::Expired | NoAnswer::Revoked | NoAnswer::Cancelled | NoAnswer::Superseded | NoAnswer::Uninvited => {
            "closed"
        }
    }
}

/// A page with all that keeps it to itself: nothing foreign is loaded, nobody frames it, nothing of it is kept or found, and no
/// link that is followed from it tells its address.
fn page(status: StatusCode, language: Language, html: String) -> Response {
    let headers: [(HeaderName, &str); 10] = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("content-language"), language.tag()),
        (HeaderName::from_static("vary"), "Accept-Language"),
        (HeaderName::from_static("content-security-policy"), CONTENT_SECURITY_POLICY),
        (HeaderName::from_static("referrer-policy"), "no-referrer"),
        (HeaderName::from_static("x-content-type-options"), "nosniff"),
        (HeaderName::from_static("x-frame-options"), "DENY"),
        (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    (status, headers, html).into_response()
}
