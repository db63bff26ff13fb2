//! How a mail is laid out: two templates, ours or an administrator's, that are given a page.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::Voice;
use super::clean::{END_ISOLATE, ISOLATE};
use super::page::Page;
use super::visit::VisitPage;
use crate::imip::limits;

/// The width of the text body. RFC 5322 §2.1.1 asks for at most 78; quoting in an answer needs some room.
const WIDTH: usize = 72;

/// The columns that labels take at most beside what they label.
const LABEL_WIDTH_MAX: usize = 20;

const TEXT: &str = "mail.txt";
const HTML: &str = "mail.html";
const VISIT: &str = "answer.html";

/// The templates of both bodies.
#[derive(Debug)]
pub(super) struct Templates {
    built_in: Environment<'static>,
    /// Those that an administrator has put in place of ours.
    own: Environment<'static>,
}

impl Templates {
    pub(super) fn built_in() -> Self {
        let mut built_in = environment();
        for (name, source) in [
            (TEXT, include_str!("../../../templates/mail.txt")),
            (HTML, include_str!("../../../templates/mail.html")),
            (VISIT, include_str!("../../../templates/answer.html")),
        ] {
            // Tests render both; a template that does not parse leaves the subject as the body.
            let _ = built_in.add_template(name, source);
        }
        Self { built_in, own: environment() }
    }

    /// Takes an administrator's template if it can be read; otherwise says the line and what is wrong.
    pub(super) fn replace(&mut self, name: &str, source: &str) -> Result<(), (usize, String)> {
        if source.len() > limits::TEMPLATE_BYTES_MAX {
            return Err((1, format!("is larger than {} KiB", limits::TEMPLATE_BYTES_MAX / 1024)));
        }
        self.own.add_template_owned(name.to_owned(), source.to_owned()).map_err(|error| told(&error))
    }

    /// Renders an administrator's template, to see whether it does with this page.
    pub(super) fn try_own(&self, name: &str, page: &Page) -> Result<(), (usize, String)> {
        rendered(&self.own, name, page).map(drop).map_err(|error| told(&error))
    }

    /// Goes back to our own template.
    pub(super) fn restore(&mut self, name: &str) {
        self.own.remove_template(name);
    }

    pub(super) fn text(&self, page: &Page, voice: &Voice<'_>) -> String {
        let shown = self.body(TEXT, page, voice);
        let mut out = String::with_capacity(shown.len());
        let mut is_gap = true;
        for line in shown.lines().map(str::trim_end) {
            // What a template leaves empty makes no second gap.
            if !(line.is_empty() && is_gap) {
                out.push_str(line);
                out.push('\n');
            }
            is_gap = line.is_empty();
        }
        out.truncate(out.trim_end().len());
        out + "\n"
    }

    pub(super) fn html(&self, page: &Page, voice: &Voice<'_>) -> String {
        self.body(HTML, page, voice)
    }

    /// The page behind a link; ours always, since what it holds is for the browser to believe.
    pub(super) fn visit(&self, page: &VisitPage) -> String {
        rendered(&self.built_in, VISIT, page).unwrap_or_default()
    }

    fn body(&self, name: &str, page: &Page, voice: &Voice<'_>) -> String {
        if self.own.get_template(name).is_ok() {
            match rendered(&self.own, name, page) {
                Ok(body) => return body,
                Err(error) => {
                    let (line, wrong) = told(&error);
                    voice.broken.borrow_mut().push(format!("the template {name}, line {line}: {wrong}"));
                }
            }
        }
        rendered(&self.built_in, name, page).unwrap_or_else(|_| page.subject.clone())
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true);
    if let Ok(syntax) = syntax.build() {
        environment.set_syntax(syntax);
    }
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(limits::TEMPLATE_STEPS_MAX));
    environment.set_recursion_limit(20);
    environment.set_auto_escape_callback(|name| if name != TEXT { AutoEscape::Html } else { AutoEscape::None });
    environment.add_filter("wrap", |text: &str| wrap(text, "", 0));
    environment.add_filter("field", field);
    environment.add_filter("parenthesis", |text: &str| format!("({text})"));
    environment.add_filter("bdi", |text: &str| Value::from_safe_string(marked_up(text)));
    environment
}

fn rendered(environment: &Environment<'_>, name: &str, page: &impl Serialize) -> Result<String, minijinja::Error> {
    let body = environment.get_template(name)?.render(Value::from(minijinja::value::Serde(page)))?;
    // A control character cannot come from the page; what a template itself writes is not trusted with the mail either.
    let body: String = body.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    if body.len() > limits::BODY_BYTES_MAX {
        let kind = minijinja::ErrorKind::InvalidOperation;
        return Err(minijinja::Error::new(kind, format!("writes {} bytes", body.len())));
    }
    Ok(body)
}

fn told(error: &minijinja::Error) -> (usize, String) {
    let detail =
        error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
    (error.line().unwrap_or(1), detail)
}

impl Page {
    /// The page with the columns that its labels take.
    pub(super) fn measured(mut self) -> Self {
        let links = self.links.iter().flat_map(|links| &links.answers).map(|answer| answer.word.as_str());
        let labels = self.rows.iter().map(|row| row.label.as_str()).chain(links);
        self.label_width = labels.map(UnicodeWidthStr::width).max().unwrap_or(0).min(LABEL_WIDTH_MAX) + 2;
        self
    }
}

/// Escapes a text for HTML, and turns the shields of foreign directions into elements.
pub(super) fn marked_up(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            ISOLATE => out.push_str("<bdi>"),
            END_ISOLATE => out.push_str("</bdi>"),
            other => out.push(other),
        }
    }
    out
}

/// A value beside its label, wrapped so that the label's column stays free.
fn field(text: &str, label: &str, width: usize) -> String {
    let width = width.min(WIDTH / 2);
    let label = match label {
        "" => String::new(),
        label => format!("{label}{}", " ".repeat(width.saturating_sub(label.width()).max(1))),
    };
    let blank = " ".repeat(width);
    let lines = text.lines().enumerate();
    let leads = lines.map(|(at, line)| match (at, label.as_str()) {
        (0, label) if !label.is_empty() => wrap(line, label, width),
        _ => wrap(line, &blank, width),
    });
    leads.collect::<Vec<_>>().join("\n")
}

/// Wraps at [`WIDTH`]; lines after the first are indented by `indent`. A word that is longer stays whole, since most of
/// those are links; between the characters of Chinese and Japanese every line may end.
pub(super) fn wrap(text: &str, lead: &str, indent: usize) -> String {
    let mut out = lead.to_owned();
    let (mut column, mut is_fresh) = (lead.width(), true);
    for (word, is_glued) in text.split(' ').flat_map(pieces) {
        let (gap, width) = (usize::from(!is_glued && !is_fresh), word.width());
        if !is_fresh && column + gap + width > WIDTH {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent;
        } else if gap == 1 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
        is_fresh = false;
    }
    out
}

/// The parts of a word between which a line may end, each with whether it stands right behind the one before.
fn pieces(word: &str) -> Vec<(&str, bool)> {
    let mut pieces = Vec::new();
    let (mut start, mut previous) = (0, None);
    for (at, c) in word.char_indices() {
        if previous.is_some_and(|previous| may_part(previous, c)) {
            pieces.push((word.get(start..at).unwrap_or_default(), start > 0));
            start = at;
        }
        previous = Some(c);
    }
    pieces.push((word.get(start..).unwrap_or_default(), start > 0));
    pieces
}

/// Whether a line may end between two characters: next to an ideograph or a kana, but with no closing mark first on the
/// next line, and no opening mark last on this one (JIS X 4051 calls it kinsoku).
fn may_part(before: char, after: char) -> bool {
    let is_wide = |c: char| {
        matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
        | '\u{ff00}'..='\u{ff60}' | '\u{20000}'..='\u{3ffff}')
    };
    let is_closing =
        |c: char| "、。，．,.:;：；？！?!）)」』】〉》〕］｝…ーぁぃぅぇぉっゃゅょァィゥェォッャュョ々".contains(c);
    let is_opening = |c: char| "（(「『【〈《〔［｛".contains(c);
    let is_invisible = |c: char| c.width() == Some(0);
    (is_wide(before) || is_wide(after))
        && !is_closing(after)
        && !is_opening(before)
        && !is_invisible(before)
        && !is_invisible(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_wide_as_they_are_seen() {
        let wide = "会議の招待状です。".repeat(20);
        for line in wrap(&wide, "", 0).lines() {
            assert!(line.width() <= WIDTH, "{line}");
            assert!(!line.starts_with('。'), "{line}");
        }
        assert_eq!(wrap(&wide, "", 0).replace('\n', ""), wide);
        let link = format!("see https://example.org/{} there", "a-b/".repeat(40));
        let wrapped = wrap(&link, "", 0);
        let lines: Vec<&str> = wrapped.lines().collect();
        assert_eq!(lines, ["see", link.split(' ').nth(1).unwrap_or_default(), "there"]);
    }

    #[test]
    fn a_value_stands_beside_its_label() {
        let value = format!("{}\nsecond", "word ".repeat(20).trim_end());
        let shown = field(&value, "Was", 8);
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines[0].starts_with("Was     word") && lines[1].starts_with("        word"), "{shown}");
        assert_eq!(lines.last(), Some(&"        second"));
        assert_eq!(field("x", "場所", 8), "場所    x");
    }

    #[test]
    fn nothing_is_left_unescaped() {
        assert_eq!(
            marked_up("<a href='x'>&\"\u{2068}ليلى\u{2069}"),
            "&lt;a href=&#39;x&#39;&gt;&amp;&quot;<bdi>ليلى</bdi>"
        );
    }
}
