//! The page of an invitation behind nginx, configured as README.md says.

mod page;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use page::{Site, walk};

/// nginx; it ends with the test.
struct Nginx {
    process: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The master would leave its workers behind when it is killed.
        let told = Command::new("kill").arg("-QUIT").arg(self.process.id().to_string()).status();
        if !told.is_ok_and(|status| status.success()) {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

/// The lines of README.md from the one that begins like this to the end of its block, as they are to be written.
fn block(readme: &str, first: &str) -> String {
    let lines = readme.lines().skip_while(|line| !line.starts_with(&format!("    {first}")));
    let block = lines.take_while(|line| line.is_empty() || line.starts_with("    "));
    block.map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or(line))).collect()
}

/// What README.md says, for ports of this test and without TLS, which is the business of nginx and the certificate's owner.
fn configuration(folder: &Path, (port, web): (u16, u16)) -> String {
    let readme = include_str!("../README.md");
    let proxy = block(readme, "proxy_set_header Host");
    assert!(proxy.contains("X-Forwarded-For $remote_addr") && proxy.contains("client_max_body_size"), "{proxy}");
    std::fs::write(folder.join("imipd-proxy"), proxy).expect("written");
    let server = block(readme, "server {");
    let kept = server.lines().filter(|line| !line.contains("ssl_certificate") && !line.contains("listen [::]"));
    let server = kept
        .map(|line| line.replace("443 ssl", &format!("127.0.0.1:{port}")).replace(":8025", &format!(":{web}")))
        .map(|line| line.replace("/etc/nginx/imipd-proxy", &folder.join("imipd-proxy").display().to_string()))
        .collect::<Vec<_>>()
        .join("\n");
    assert_eq!(server.matches(&format!("proxy_pass http://127.0.0.1:{web};")).count(), 2, "{server}");
    let below = |name: &str| folder.join(name).display().to_string();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|name| format!("{name}_temp_path {};\n", below(name)))
        .collect();
    // As in Debian's nginx.conf, all that a server does not forbid is logged.
    format!(
        "user root;\ndaemon off;\npid {};\nerror_log {} info;\nevents {{}}\nhttp {{\naccess_log {};\n{temporary}{server}\n}}\n",
        below("pid"),
        below("error.log"),
        below("access.log")
    )
}

fn start_or_skip(web: u16) -> Option<Nginx> {
    let places = ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"];
    let Some(program) = places.iter().map(PathBuf::from).find(|path| path.is_file()) else {
        let why = "nginx is not installed; on Debian: apt-get install nginx-light (or scripts/install-servers)";
        assert!(std::env::var_os("CI").is_none(), "{why}");
        // Past the test harness, which would keep it to itself.
        let _ = std::io::stderr().write_all(format!("\n*** SKIPPED: the page behind nginx: {why}\n\n").as_bytes());
        return None;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    std::fs::write(folder.path().join("nginx.conf"), configuration(folder.path(), (port, web))).expect("written");
    let error_log = folder.path().join("error.log");
    let process = Command::new(program)
        .args(["-p", &folder.path().display().to_string(), "-c", "nginx.conf", "-e"])
        .arg(&error_log)
        .stdin(Stdio::null())
        .spawn()
        .expect("nginx");
    let nginx = Nginx { process, port, folder };
    let until = Instant::now() + Duration::from_secs(20);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < until, "{}", std::fs::read_to_string(&error_log).unwrap_or_default());
        std::thread::sleep(Duration::from_millis(20));
    }
    Some(nginx)
}

impl Nginx {
    /// Sends a request as it is; status, and the whole answer.
    fn ask(&self, request: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
        // Of what is refused early, not all is read.
        let _ = stream.write_all(request.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).expect("text");
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.unwrap_or_else(|| panic!("no answer: {answer}")), answer)
    }

    fn get(&self, path: &str, more: &str) -> (u16, String) {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: calendar.example.com\r\nConnection: close\r\n{more}\r\n"))
    }

    fn post(&self, path: &str, form: &str) -> (u16, String) {
        let form_type = "Content-Type: application/x-www-form-urlencoded";
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: calendar.example.com\r\nConnection: close\r\n{form_type}\r\n");
        self.ask(&format!("{head}Content-Length: {}\r\n\r\n{form}", form.len()))
    }

    fn logged(&self) -> String {
        let log = |name: &str| std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        log("access.log") + &log("error.log")
    }
}

#[test]
fn the_page_is_answered_through_nginx_as_the_readme_configures_it() {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    let site = runtime.block_on(Site::start(""));
    runtime.block_on(site.put(&walk()));
    let token = runtime.block_on(site.link());
    let Some(nginx) = start_or_skip(site.address.port()) else { return };
    let path = format!("/answer/{token}");
    let (status, page) = nginx.get(&format!("{path}?answer=yes"), "");
    assert!(status == 200 && page.contains("Walk across the moor"), "{page}");
    assert!(page.contains("content-security-policy: default-src 'none'") && page.contains("Strict-Transport-Security"));
    for file in ["/answer/page.css", "/answer/page.js"] {
        assert_eq!(nginx.get(file, "").0, 200, "{file}");
    }
    let (status, answer) = nginx.post(&path, "answer=yes&comment=Through+a+proxy");
    assert!(status == 303 && answer.contains(&format!("{token}?saved=1")), "{answer}");
    assert_eq!(runtime.block_on(site.answers()), ["ACCEPTED"]);
    for hidden in ["/health", "/metrics", "/push/dovecot", "/answer/../metrics", "/answer/%2e%2e/metrics", "/"] {
        assert_eq!(nginx.get(hidden, "").0, 404, "{hidden}");
    }
    assert_eq!(nginx.post(&path, &"x".repeat(40_000)).0, 413);
    // What nginx refuses by itself is not logged either.
    assert_eq!(nginx.get(&path, &format!("X-Long: {}\r\n", "x".repeat(40_000))).0, 400);
    assert_eq!(nginx.get(&path, "Host: another\r\n").0, 400);
    assert!(!nginx.logged().contains(&token), "{}", nginx.logged());
    // Whatever a visitor says of their address, it is nginx that is believed.
    let guess = |n: u32| nginx.get("/answer/AAAAAAAAAAAAAAAAAAAAAA", &format!("X-Forwarded-For: 192.0.2.{n}\r\n")).0;
    let statuses: Vec<u16> = (0..25).map(guess).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 5, "{statuses:?}");
}
