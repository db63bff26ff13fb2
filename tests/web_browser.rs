//! The page behind the links in invitations, in headless Chromium: with scripts and without, by keyboard, on a telephone, in the
//! dark, and looked over by axe-core.

mod browser;
mod page;

use std::path::{Path, PathBuf};
use std::process::Command;

use browser::{ARROW_DOWN, ARROW_RIGHT, Browser, Driver, ENTER, SPACE, TAB, Wish, skip, start_or_skip};
use page::{Site, series, walk, week};
use serde_json::Value;

/// A site with its own threads: the browser's commands wait, and the server has to answer meanwhile.
struct Stage {
    runtime: tokio::runtime::Runtime,
    site: Site,
    driver: Driver,
}

impl Stage {
    fn set(event: &str) -> Option<Self> {
        let driver = start_or_skip()?;
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
        let site = runtime.block_on(Site::start("show_attendees = true"));
        runtime.block_on(site.put(event));
        Some(Self { runtime, site, driver })
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/answer/{path}", self.site.address)
    }

    /// Where the link in the newest mail leads, with what it says of the answer.
    fn link(&self, answer: &str) -> String {
        let token = self.runtime.block_on(self.site.link());
        self.url(&format!("{token}?answer={answer}"))
    }

    fn answers(&self) -> Vec<String> {
        self.runtime.block_on(self.site.answers())
    }
}

/// Nothing was fetched from anywhere else, nothing broke the policy, and nothing has to be scrolled sideways.
fn is_sound(browser: &Browser<'_>) {
    let script =
        "const elsewhere = performance.getEntriesByType('resource').filter(e => !e.name.startsWith(location.origin));
        return {elsewhere: elsewhere.length, wide: document.documentElement.scrollWidth - innerWidth,
                styled: getComputedStyle(document.querySelector('main')).maxWidth !== 'none'};";
    let found = browser.run(script);
    assert_eq!(found["elsewhere"], 0, "{found}");
    assert!(found["wide"].as_i64().is_some_and(|wide| wide <= 0), "{found}");
    assert_eq!(found["styled"], true, "the style sheet is let through");
}

#[test]
fn an_answer_is_given_and_changed() {
    let Some(stage) = Stage::set(&walk()) else { return };
    let browser = stage.driver.browser(&Wish::default());
    browser.open(&stage.link("yes"));
    browser.wait_for("Nothing has been sent yet");
    is_sound(&browser);
    assert_eq!(stage.answers(), ["NEEDS-ACTION"], "looking is no answer");
    browser.click(".send button");
    browser.wait_for("Thank you. Your answer has been passed on to Ada Lovelace.");
    assert_eq!(stage.answers(), ["ACCEPTED"]);
    browser.run("location.reload(); return 0;");
    browser.wait_for("Bo Diddley has accepted");
    assert_eq!(stage.runtime.block_on(stage.site.notes()).len(), 1, "reloading says nothing again");
    browser.click("input[value=no]");
    browser.click(".send button");
    browser.wait_for("Bo Diddley has declined");
    assert_eq!(stage.answers(), ["DECLINED"]);
}

#[test]
fn times_are_on_the_visitors_clock() {
    let Some(stage) = Stage::set(&walk()) else { return };
    let browser = stage.driver.browser(&Wish { zone: "America/New_York", language: "de-DE,de", ..Wish::default() });
    browser.open(&stage.link("yes"));
    browser.wait_for("04:00 bis 06:00 Uhr (America/New_York, UTC\u{2212}4)");
    assert!(
        browser.text().contains("Für Ada Lovelace: Freitag, 1. Juni 2040, 10:00 bis 12:00 Uhr (Europe/Berlin, UTC+2)")
    );
    browser.run("document.querySelector('#tz').value = 'Asia/Tokyo'; return 0;");
    browser.click(".zone button");
    browser.wait_for("17:00 bis 19:00 Uhr (Asia/Tokyo, UTC+9)");
    assert_eq!(
        browser.run("return document.querySelector('input[value=yes]').checked;"),
        true,
        "what was chosen stays"
    );
}

#[test]
fn everything_works_without_scripts() {
    let Some(stage) = Stage::set(&series()) else { return };
    let browser = stage.driver.browser(&Wish { has_scripts: false, zone: "Asia/Tokyo", ..Wish::default() });
    browser.open(&stage.link("no"));
    assert!(browser.text().contains("19:00 to 21:00 (Europe/Berlin, UTC+2)"), "{}", browser.text());
    browser.click(&format!("input[value='{}']", week(1)));
    browser.click(".send button");
    browser.wait_for("Thank you.");
    assert_eq!(stage.answers(), ["NEEDS-ACTION", "DECLINED"]);
    let mark = browser.text_of(".dates label:has(input:checked) .mark");
    assert_eq!(mark, "No", "beside the date that was answered");
}

#[test]
fn the_keyboard_is_enough() {
    let Some(stage) = Stage::set(&series()) else { return };
    let browser = stage.driver.browser(&Wish::default());
    let token = stage.runtime.block_on(stage.site.link());
    browser.open(&stage.url(&token));
    browser.wait_for("Will you come?");
    let focused = |what: &str| {
        let script = format!(
            "return document.activeElement.matches({what:?}) && getComputedStyle(\
            document.activeElement.closest('label') ?? document.activeElement).outlineStyle;"
        );
        let style = browser.run(&script);
        assert_eq!(
            style,
            "solid",
            "{what} has the focus, and it is seen: {}",
            browser.run("return document.activeElement.outerHTML;")
        );
    };
    browser.press(TAB);
    focused("input[name=answer]");
    browser.press(SPACE);
    browser.press(ARROW_RIGHT);
    focused("input[value=maybe]:checked");
    browser.press(TAB);
    focused("input[value=all]");
    browser.press(ARROW_DOWN);
    focused(&format!("input[value='{}']:checked", week(0)));
    browser.press(TAB);
    focused("textarea");
    browser.press("If the train runs");
    browser.press(TAB);
    focused(".send button");
    browser.press(ENTER);
    browser.wait_for("Thank you.");
    assert_eq!(stage.answers(), ["NEEDS-ACTION", "TENTATIVE"]);
    let note = stage.runtime.block_on(stage.site.notes()).remove(0);
    let calendar = imipd::imip::extract(&note.debt.raw).calendars.remove(0).text;
    assert!(calendar.contains("COMMENT:If the train runs"), "{calendar}");
}

#[test]
fn a_telephone_is_wide_enough() {
    let Some(stage) =
        Stage::set(&series().replace("SUMMARY:Rehearsal", &format!("SUMMARY:{}", "Donaudampfschiff".repeat(12))))
    else {
        return;
    };
    for (language, width) in [("de", 320), ("pl", 360), ("ja", 390)] {
        let browser = stage.driver.browser(&Wish { width, height: 700, language, ..Wish::default() });
        browser.open(&stage.link("yes"));
        is_sound(&browser);
        let script = "return Math.min(...[...document.querySelectorAll('button, select, .choices label')].map(e => e.offsetHeight));";
        let height = browser.run(script).as_i64().expect("a height");
        assert!(height >= 44, "a finger finds it: {height}");
    }
}

#[test]
fn a_closed_link_says_so() {
    let Some(stage) = Stage::set(&walk()) else { return };
    let browser = stage.driver.browser(&Wish::default());
    let expired = stage.runtime.block_on(stage.site.link_with(|link| (link.expires_at, link.sequence) = (1, 9)));
    browser.open(&stage.url(&expired));
    assert_eq!(browser.text_of("h1"), "This link has expired");
    let link = stage.link("yes");
    browser.open(&link);
    browser.wait_for("Will you come?");
    // Called off while the page stands open.
    stage.runtime.block_on(stage.site.put(&walk().replace("END:VEVENT", "STATUS:CANCELLED\r\nEND:VEVENT")));
    browser.click(".send button");
    browser.wait_for("Ada Lovelace has cancelled this event.");
    assert_eq!(browser.text_of("h1"), "Cancelled: Walk across the moor");
    is_sound(&browser);
    assert_eq!(stage.answers(), ["NEEDS-ACTION"]);
}

/// axe-core; nothing where it cannot be had, which is said loudly.
fn axe() -> Option<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/fetch-axe");
    let output = Command::new(script).output().expect("the script");
    if !output.status.success() {
        skip(&String::from_utf8_lossy(&output.stderr));
        return None;
    }
    let path = PathBuf::from(String::from_utf8(output.stdout).expect("a path").trim());
    Some(std::fs::read_to_string(path).expect("axe-core"))
}

/// What axe-core finds serious or critical on the page.
fn serious(browser: &Browser<'_>, axe: &str) -> Vec<Value> {
    browser.run(&format!("{axe}; return 0;"));
    let found = browser.run_to_end("axe.run(document, {resultTypes: ['violations', 'incomplete']})");
    assert!(found["passes"].as_array().is_some_and(|passes| passes.len() > 5), "it has looked: {found}");
    let violations = found["violations"].as_array().expect("violations");
    let is_serious = |rule: &&Value| matches!(rule["impact"].as_str(), Some("serious" | "critical"));
    violations.iter().filter(is_serious).cloned().collect()
}

#[test]
fn nothing_keeps_anybody_out() {
    let (Some(axe), Some(stage)) = (axe(), Stage::set(&series())) else { return };
    let token = stage.runtime.block_on(stage.site.link());
    stage.runtime.block_on(stage.site.post(&token, &format!("answer=no&date={}", week(1))));
    let other = |change: fn(&mut imipd::ledger::Link)| stage.runtime.block_on(stage.site.link_with(change));
    let pages = [
        (format!("{token}?answer=yes&tz=America/Denver"), "Nothing has been sent yet"),
        (format!("{token}?saved=1&date={}", week(1)), "Thank you"),
        (other(|link| (link.expires_at, link.sequence) = (1, 8)), "This link has expired"),
        (other(|link| (link.revoked_at, link.sequence) = (1, 9)), "no longer valid"),
        (other(|link| link.attendee = "eve@example.net".to_owned()), "no longer invited"),
        ("nothing".to_owned(), "does not work"),
    ];
    // The others one after the other, since there is one event: each after a change.
    let later = series().replace("T190000", "T180000").replace("T210000", "T200000");
    let off = later.replace("END:VEVENT", "STATUS:CANCELLED\r\nEND:VEVENT");
    let looks = [(false, 1_000), (true, 360)];
    let browsers = looks.map(|(is_dark, width)| stage.driver.browser(&Wish { is_dark, width, ..Wish::default() }));
    let check = |page: &str, told: &str| {
        for (browser, look) in browsers.iter().zip(looks) {
            browser.open(&stage.url(page));
            browser.wait_for(told);
            assert_eq!(serious(browser, &axe), Vec::<Value>::new(), "{told}, dark and width: {look:?}");
        }
    };
    pages.iter().for_each(|(page, told)| check(page, told));
    for browser in &browsers {
        browser.open(&stage.url(&token));
        browser.run("document.querySelector('form.answer').noValidate = true; return 0;");
        browser.click(".send button");
        browser.wait_for("Please choose one of the answers.");
        assert_eq!(serious(browser, &axe), Vec::<Value>::new(), "the fault");
    }
    for (text, told) in [(later, "This invitation has been replaced"), (off, "has cancelled this event")] {
        stage.runtime.block_on(stage.site.put(&text));
        check(&token, told);
    }
    // Whoever guesses is told to wait; so is everybody here from now on.
    for _ in 0..20 {
        stage.runtime.block_on(stage.site.get("AAAAAAAAAAAAAAAAAAAAAA"));
    }
    check(&token, "Too many attempts");
}

/// Makes the pictures of the documentation, where `IMIPD_PICTURES` names a folder: `scripts/screenshots` does.
#[test]
fn pictures_are_taken() {
    let Some(folder) = std::env::var_os("IMIPD_PICTURES").map(PathBuf::from) else { return };
    let Some(stage) = Stage::set(&series().replace("COUNT=12", "COUNT=4")) else { return };
    let dark =
        Wish { width: 390, height: 1_300, is_dark: true, language: "de", zone: "Europe/Lisbon", ..Wish::default() };
    let take = |stage: &Stage, name: &str, wish: &Wish, url: &str| {
        let browser = stage.driver.browser(wish);
        browser.open(url);
        std::fs::write(folder.join(format!("{name}.png")), browser.picture_of("main")).expect("written");
    };
    take(&stage, "page-telephone-dark", &dark, &stage.link("maybe"));
    let link = stage.link("yes");
    stage.runtime.block_on(stage.site.put(&series().replace("END:VEVENT", "STATUS:CANCELLED\r\nEND:VEVENT")));
    take(&stage, "page-cancelled", &Wish { width: 640, language: "ja", ..Wish::default() }, &link);
    let Some(stage) = Stage::set(&walk()) else { return };
    take(
        &stage,
        "page-answer",
        &Wish { width: 640, height: 1_100, zone: "America/New_York", ..Wish::default() },
        &stage.link("yes"),
    );
}
