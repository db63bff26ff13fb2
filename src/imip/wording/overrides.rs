//! What an administrator has put in place of ours: catalogues by language, and the two templates.

use std::cell::RefCell;

use super::page::{Kind, page};
use super::template::Templates;
use super::{Bodies, Voice, Wording};
use crate::imip::facts::{Earlier, Facts, Links, Occasion, Scope, When};
use crate::imip::language::{Catalogue, Language};
use crate::imip::recurrence::Recurrence;

/// A file of the templates' directory: its name, such as `de.ftl` or `mail.html`, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverrideFile {
    pub name: String,
    pub text: String,
}

/// What is wrong with such a file; what it is about is left out, and ours stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverrideFault {
    pub file: String,
    pub line: usize,
    pub wrong: String,
}

impl std::fmt::Display for OverrideFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.wrong)
    }
}

impl Wording {
    /// The words that come with imipd, with an administrator's in place of them, as far as those are without fault.
    pub fn with(bodies: Bodies, files: &[OverrideFile]) -> (Self, Vec<OverrideFault>) {
        let mut faults = Vec::new();
        let catalogues = Language::ALL.map(|language| {
            let layers: Vec<(Language, &str)> = language
                .parent()
                .into_iter()
                .chain([language])
                .filter_map(|of| Some((of, text_of(files, &catalogue_name(of))?)))
                .collect();
            let (catalogue, wrong) = Catalogue::with(language, &layers);
            faults.extend(wrong.into_iter().map(|fault| OverrideFault {
                file: catalogue_name(language),
                line: fault.line,
                wrong: fault.wrong,
            }));
            (language, catalogue)
        });
        let mut wording = Self { catalogues: catalogues.into(), templates: Templates::built_in(), bodies };
        for file in files {
            match file.name.as_str() {
                "mail.txt" | "mail.html" => faults.extend(wording.take_template(file)),
                name if Language::ALL.iter().any(|language| catalogue_name(*language) == name) => {}
                _ => faults.push(unread(file)),
            }
        }
        (wording, faults)
    }

    /// Takes a template, unless it cannot be read or fails with one of the pages that mails are made of.
    fn take_template(&mut self, file: &OverrideFile) -> Option<OverrideFault> {
        let outcome = self.templates.replace(&file.name, &file.text).and_then(|()| {
            let pages = samples();
            let (_, catalogue) = self.catalogues.first().ok_or((1, "has no language to speak".to_owned()))?;
            pages.iter().try_for_each(|(occasion, facts)| {
                let voice = Voice { catalogue, broken: RefCell::default() };
                let page = page(&voice, (Language::English, *occasion, Kind::Event), facts);
                self.templates.try_own(&file.name, &page)
            })
        });
        let (line, wrong) = outcome.err()?;
        self.templates.restore(&file.name);
        Some(OverrideFault { file: file.name.clone(), line, wrong: format!("{wrong}; our own template is used") })
    }
}

fn catalogue_name(language: Language) -> String {
    format!("{}.ftl", language.tag())
}

fn text_of<'a>(files: &'a [OverrideFile], name: &str) -> Option<&'a str> {
    files.iter().find(|file| file.name == name).map(|file| file.text.as_str())
}

fn unread(file: &OverrideFile) -> OverrideFault {
    let catalogues = Language::ALL.map(catalogue_name).join(", ");
    let wrong = format!("is read by nothing; files here are mail.txt, mail.html, {catalogues}");
    OverrideFault { file: file.name.clone(), line: 1, wrong }
}

/// A page with everything in it, and one with nothing.
fn samples() -> [(Occasion, Facts); 3] {
    let day = When::Day(chrono::NaiveDate::default());
    let some = |text: &str| Some(text.to_owned());
    let full = Facts {
        summary: some("Review"),
        description: some("One\n\nTwo"),
        location: some("Room 1"),
        start: Some(day.clone()),
        end: Some(day.clone()),
        recurrence: Some(Recurrence::intricate()),
        comment: some("Hello"),
        organizer: some("Ada"),
        attendee: some("Bob"),
        sent_by: some("eve@example.com"),
        before: Some(Box::new(Earlier { summary: some("Meeting"), ..Earlier::default() })),
        links: Some(Links {
            yes: "https://example.com/y".to_owned(),
            no: "https://example.com/n".to_owned(),
            maybe: "https://example.com/m".to_owned(),
        }),
        ..Facts::default()
    };
    let dates = Facts { scope: Scope::Instances { dates: vec![day.clone(), day], unlisted: 1 }, ..Facts::default() };
    [(Occasion::Update, full), (Occasion::Cancellation, dates), (Occasion::Reply, Facts::default())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(files: &[(&str, &str)]) -> (Wording, Vec<String>) {
        let files: Vec<OverrideFile> =
            files.iter().map(|(name, text)| OverrideFile { name: (*name).into(), text: (*text).into() }).collect();
        let (wording, faults) = Wording::with(Bodies::Both, &files);
        (wording, faults.iter().map(ToString::to_string).collect())
    }

    fn facts() -> Facts {
        Facts { summary: Some("Review".into()), organizer: Some("Ada".into()), ..Facts::default() }
    }

    #[test]
    fn a_part_of_a_catalogue_is_enough() {
        let (wording, faults) = with(&[("de.ftl", "subject-update = Neu: { $title }\n")]);
        assert_eq!(faults, Vec::<String>::new());
        let german = wording.write(Language::German, Occasion::Update, "VEVENT", &facts());
        assert_eq!(german.subject, "Neu: Review");
        assert!(german.text.starts_with("Ada hat "), "{}", german.text);
        assert_eq!(wording.write(Language::English, Occasion::Update, "VEVENT", &facts()).subject, "Updated: Review");
    }

    #[test]
    fn what_is_said_in_english_is_said_in_american_english() {
        let (wording, _) = with(&[("en.ftl", "subject-update = Moved: { $title }\n")]);
        let said = |language| wording.write(language, Occasion::Update, "VEVENT", &facts()).subject;
        assert_eq!(
            (said(Language::AmericanEnglish), said(Language::English)),
            ("Moved: Review".into(), "Moved: Review".into())
        );
    }

    #[test]
    fn broken_files_are_told_and_ours_stand_in() {
        let (wording, faults) = with(&[
            ("de.ftl", "subject-update = { $nobody }\n"),
            ("mail.txt", "{{ opening }}\n{% for %}\n"),
            ("mail.html", "<p>{{ opening }}</p>\n<p>{{ nobody }}</p>\n"),
            ("deutsch.ftl", "x = y\n"),
        ]);
        let expected = [
            "de.ftl:1: subject-update asks for $nobody",
            "mail.txt:2: ",
            "mail.html:2: ",
            "deutsch.ftl:1: is read by nothing",
        ];
        for (fault, expected) in faults.iter().zip(expected) {
            assert!(fault.starts_with(expected), "{fault}");
        }
        assert_eq!(faults.len(), expected.len());
        let ours = Wording::built_in(Bodies::Both);
        for language in Language::ALL {
            let (theirs, ours) = (
                wording.write(language, Occasion::Update, "VEVENT", &facts()),
                ours.write(language, Occasion::Update, "VEVENT", &facts()),
            );
            assert_eq!(theirs, ours);
        }
    }

    #[test]
    fn what_leaves_out_a_fact_is_told_and_ours_stands_in() {
        let (wording, faults) = with(&[(
            "en.ftl",
            "subject-update = Something changed\nin-zone = { $period }\ntime = { $hour12 }.{ $minute } { $half }\n\
             opening-update = This event has changed.\nsubject-dated = { $subject }\nlabelled = { $label }\n",
        )]);
        let expected = [
            "en.ftl:1: subject-update leaves out $title,",
            "en.ftl:2: in-zone leaves out $zone,",
            "en.ftl:6: labelled leaves out $text,",
        ];
        for (fault, expected) in faults.iter().zip(expected) {
            assert!(fault.starts_with(expected), "{fault}");
        }
        assert_eq!(faults.len(), expected.len(), "{faults:?}");
        let written = wording.write(Language::English, Occasion::Update, "VEVENT", &facts());
        assert!(written.subject.starts_with("Updated: ") && written.text.contains("This event has changed."));
    }

    #[test]
    fn a_template_has_its_own_shape_and_escapes_by_itself() {
        let (wording, faults) = with(&[("mail.html", "<b>{{ opening }}</b>"), ("mail.txt", "-- {{ opening | wrap }}")]);
        assert_eq!(faults, Vec::<String>::new());
        let facts = Facts { organizer: Some("<script>".into()), ..facts() };
        let written = wording.write(Language::English, Occasion::Update, "VEVENT", &facts);
        assert_eq!(written.html.as_deref(), Some("<b>&lt;script&gt; has changed this event.</b>"));
        assert_eq!(written.text, "-- <script> has changed this event.\n");
    }

    #[test]
    fn a_template_without_end_is_stopped() {
        let endless = "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}";
        let (_, faults) = with(&[("mail.txt", endless)]);
        assert_eq!(faults.len(), 1, "{faults:?}");
    }

    #[test]
    fn what_breaks_only_with_some_mail_is_noted_and_ours_stands_in() {
        // None of the pages that are tried has this organizer.
        let (wording, faults) = with(&[("mail.txt", "{% if 'Zoe' in opening %}{{ nobody }}{% endif %}{{ opening }}")]);
        assert_eq!(faults, Vec::<String>::new());
        let facts = Facts { organizer: Some("Zoe".into()), ..facts() };
        let written = wording.write(Language::English, Occasion::Update, "VEVENT", &facts);
        assert!(written.text.contains("Zoe has changed this event."));
        assert_eq!(written.broken.len(), 1);
        let cyclic = with(&[("en.ftl", "link-yes = a\nopening-update = { own }\nown = { opening-update }\n")]).0;
        let written = cyclic.write(Language::English, Occasion::Update, "VEVENT", &facts);
        assert!(written.text.contains("Zoe has changed this event."), "{}", written.text);
        assert_eq!(written.broken.len(), 1);
    }
}
