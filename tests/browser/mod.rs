//! A real browser: headless Chromium, told what to do by chromedriver in the words of WebDriver (W3C), over plain HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The key under which WebDriver hands out elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

pub const TAB: &str = "\u{e004}";
pub const ENTER: &str = "\u{e007}";
pub const SPACE: &str = "\u{e00d}";
pub const ARROW_RIGHT: &str = "\u{e014}";
pub const ARROW_DOWN: &str = "\u{e015}";

/// chromedriver, stopped with all its browsers when it is dropped.
pub struct Driver {
    process: Child,
    /// Kept, since it writes there for as long as it lives.
    _stdout: BufReader<ChildStdout>,
    port: u16,
    profiles: tempfile::TempDir,
}

/// How a browser is to be.
#[derive(Clone, Debug)]
pub struct Wish {
    pub width: u32,
    pub height: u32,
    pub language: &'static str,
    pub zone: &'static str,
    pub is_dark: bool,
    pub has_scripts: bool,
}

impl Default for Wish {
    fn default() -> Self {
        Self { width: 1_000, height: 900, language: "en-GB", zone: "Europe/Berlin", is_dark: false, has_scripts: true }
    }
}

/// One browser with one page.
pub struct Browser<'a> {
    driver: &'a Driver,
    session: String,
}

/// Chromedriver, or nothing where it is not installed, which is said loudly; in CI nothing may be skipped.
pub fn start_or_skip() -> Option<Driver> {
    if find("chromium").is_some() && find("chromedriver").is_some() {
        return Some(Driver::start());
    }
    skip("Chromium is not installed; on Debian: apt-get install chromium chromium-driver (or scripts/install-servers)");
    None
}

/// Says that a test does not take place.
pub fn skip(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{why}");
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    // Past the test harness, which would keep it to itself.
    let _ = std::io::stderr().write_all(format!("\n*** SKIPPED: {test}: {why}\n\n").as_bytes());
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

impl Driver {
    fn start() -> Self {
        let mut command = Command::new("chromedriver");
        command.args(["--port=0", "--allowed-ips=127.0.0.1"]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("chromedriver");
        let mut stdout = BufReader::new(process.stdout.take().expect("its output"));
        let said =
            |line: String| line.split_once("successfully on port ")?.1.trim_end_matches(['.', '\n']).parse().ok();
        let port = stdout.by_ref().lines().map_while(Result::ok).find_map(said).expect("the port of chromedriver");
        Self { process, _stdout: stdout, port, profiles: tempfile::tempdir().expect("a folder") }
    }

    /// Opens a browser, which cannot reach anything but this machine.
    pub fn browser(&self, wish: &Wish) -> Browser<'_> {
        let profile = tempfile::tempdir_in(self.profiles.path()).expect("a folder").keep();
        let args = [
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--hide-scrollbars".to_owned(),
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1".to_owned(),
            format!("--accept-lang={}", wish.language),
            format!("--user-data-dir={}", profile.display()),
        ];
        let scripts = if wish.has_scripts { 1 } else { 2 };
        let preferences = json!({"profile.managed_default_content_settings.javascript": scripts});
        let options = json!({"args": args, "prefs": preferences});
        let wanted = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}});
        let session = self.call("POST", "/session", &wanted)["sessionId"].as_str().expect("a session").to_owned();
        let browser = Browser { driver: self, session };
        let size = json!({"width": wish.width, "height": wish.height, "deviceScaleFactor": 1, "mobile": false});
        browser.devtools("Emulation.setDeviceMetricsOverride", &size);
        browser.devtools("Emulation.setTimezoneOverride", &json!({"timezoneId": wish.zone}));
        let scheme = if wish.is_dark { "dark" } else { "light" };
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        browser.devtools("Emulation.setEmulatedMedia", &features);
        browser
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.exchange(method, path, body);
        assert_eq!(status, 200, "{method} {path}: {answer}");
        answer["value"].clone()
    }

    fn exchange(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("chromedriver");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout");
        let head = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close", self.port);
        let head = format!("{head}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all((head + &body).as_bytes()).expect("sent");
        // chromedriver keeps the connection open, whatever it is told.
        let mut answer = BufReader::new(stream);
        let mut lines = answer.by_ref().lines().map(|line| line.expect("a line"));
        let head: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
        let status = head.first().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status");
        let fields = head.iter().filter_map(|line| line.split_once(':'));
        let mut lengths = fields.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let length = lengths.next().and_then(|(_, length)| length.trim().parse().ok()).expect("a length");
        let mut body = vec![0; length];
        answer.read_exact(&mut body).expect("a body");
        (status, serde_json::from_slice(&body).expect("JSON"))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Browser<'_> {
    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        self.driver.call(method, &format!("/session/{}{path}", self.session), body)
    }

    fn devtools(&self, command: &str, parameters: &Value) {
        self.call("POST", "/goog/cdp/execute", &json!({"cmd": command, "params": parameters}));
    }

    pub fn open(&self, url: &str) {
        self.call("POST", "/url", &json!({"url": url}));
    }

    pub fn url(&self) -> String {
        self.call("GET", "/url", &Value::Null).as_str().expect("a URL").to_owned()
    }

    /// The text of the page, as somebody sees it.
    pub fn text(&self) -> String {
        self.text_of("body")
    }

    pub fn text_of(&self, selector: &str) -> String {
        let wanted = json!({"using": "css selector", "value": selector});
        // Between the two questions another page may have come.
        for _ in 0..50 {
            let element = self.attempt("POST", "/element", &wanted);
            let element = element.and_then(|found| found[ELEMENT].as_str().map(str::to_owned));
            let text = element.and_then(|one| self.attempt("GET", &format!("/element/{one}/text"), &Value::Null));
            if let Some(text) = text {
                return text.as_str().expect("a text").to_owned();
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{selector} is not on {}", self.url());
    }

    /// The same as a call, for what may be gone: nothing then.
    fn attempt(&self, method: &str, path: &str, body: &Value) -> Option<Value> {
        let (status, answer) = self.driver.exchange(method, &format!("/session/{}{path}", self.session), body);
        assert!(matches!(status, 200 | 404), "{method} {path}: {answer}");
        (status == 200).then(|| answer["value"].clone())
    }

    fn element(&self, selector: &str) -> String {
        let found = self.call("POST", "/element", &json!({"using": "css selector", "value": selector}));
        found[ELEMENT].as_str().expect("an element").to_owned()
    }

    pub fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.call("POST", &format!("/element/{element}/click"), &json!({}));
    }

    /// Presses keys, wherever the focus is.
    pub fn press(&self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key.to_string()})))
            .collect();
        let actions = json!({"actions": [{"type": "key", "id": "keys", "actions": actions}]});
        self.call("POST", "/actions", &actions);
    }

    /// What a script says, whose last statement is a `return`. Works where the page's own scripts are off.
    pub fn run(&self, script: &str) -> Value {
        self.call("POST", "/execute/sync", &json!({"script": script, "args": []}))
    }

    /// What a script says by a promise.
    pub fn run_to_end(&self, script: &str) -> Value {
        let script = format!("const done = arguments[0]; ({script}).then(done, error => done(String(error)));");
        self.call("POST", "/execute/async", &json!({"script": script, "args": []}))
    }

    /// Waits until the page says something.
    pub fn wait_for(&self, text: &str) {
        let until = Instant::now() + Duration::from_secs(20);
        while !self.text().contains(text) {
            assert!(Instant::now() < until, "{text}: {} {}", self.url(), self.text());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// A picture of an element, all of it, as PNG.
    pub fn picture_of(&self, selector: &str) -> Vec<u8> {
        let element = self.element(selector);
        let encoded = self.call("GET", &format!("/element/{element}/screenshot"), &Value::Null);
        STANDARD.decode(encoded.as_str().expect("a picture")).expect("base64")
    }
}

impl Drop for Browser<'_> {
    fn drop(&mut self) {
        self.driver.exchange("DELETE", &format!("/session/{}", self.session), &Value::Null);
    }
}
