#!/usr/bin/env python3
"""Reads mails of imipd with Python's email package, which knows nothing of how they were written.

    check_mails.py DIRECTORY      every *.eml in it; exit 1 at the first that is not as it should be
    check_mails.py --serve        what tests/lab/src/second_reader.rs asks for on stdin, until its end

Asked is one line at a time: `mail OCTETS` with a mail behind it, or `outbox PATH`, a database whose mails are read and
compared with what stands beside them. Answered is a line with the number of mails, and for each a line with the octets of
the mail and of a JSON object, and both. The object has `wrong`, a sentence when something is, and what was read.
"""

import email.errors
import functools
import html.parser
import json
import pathlib
import sqlite3
import sys
from email import message_from_bytes, message_from_string, policy


# The package reads a field anew whenever it is asked for; once is enough, and six times as fast.
ONCE = functools.lru_cache(maxsize=4096)(policy.default.header_factory)
DEFAULT = policy.default.clone(header_factory=ONCE)


def defects(part):
    found = list(part.defects)
    for value in part.values():
        found.extend(getattr(value, "defects", ()))
    for child in part.iter_parts() if part.is_multipart() else ():
        found.extend(defects(child))
    # What RFC 6532 §3.2 allows is one to Python still.
    return [defect for defect in found if not isinstance(defect, email.errors.NonASCIILocalPartDefect)]


def parse(raw):
    if raw.isascii():
        return message_from_bytes(raw, policy=DEFAULT)
    # An address outside of ASCII stands in the header as it is (RFC 6532); everything else is ASCII.
    text = raw.decode("utf-8")
    header, _, body = text.partition("\r\n\r\n")
    assert body.isascii(), "has octets beyond ASCII in its body"
    for field in header.replace("\r\n ", " ").split("\r\n"):
        name = field.split(":")[0]
        assert field.isascii() or name in ("From", "To", "Reply-To", "Sender"), f"{name} is not ASCII"
    return message_from_string(text, policy=DEFAULT.clone(utf8=True))


def check_octets(raw):
    assert b"\n" not in raw.replace(b"\r\n", b""), "has a bare LF"
    assert b"\r" not in raw.replace(b"\r\n", b""), "has a bare CR"
    assert b"\0" not in raw, "has a NUL"
    assert all(len(line) <= 998 for line in raw.split(b"\r\n")), "has a line that is too long"
    for line in raw.split(b"\r\n\r\n")[0].decode("utf-8").split("\r\n"):
        # What cannot be folded, such as a long address, may stand on a long line of its own.
        assert len(line) <= 78 or len(line.split()) <= 2, f"has a long line in its header: {line}"


def check_encodings(mail):
    for part in mail.walk():
        if part.get("Content-Transfer-Encoding") in ("quoted-printable", "base64"):
            lines = part.get_payload().splitlines()
            assert all(len(line) <= 76 for line in lines), "has an encoded line that is too long"


def check_text(text):
    for line in text.splitlines():
        # How wide other letters are is no business of Python's.
        long = len(line) > 78 and all(len(word) <= 50 for word in line.split())
        assert not (line.isascii() and long), f"has a line of text that is too long: {line}"


def unfolded(calendar):
    return calendar.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "").split("\n")


def check_calendar(part):
    """The calendar, when its part is one that every client offers buttons for."""
    # get_content() would end every line as Python likes it.
    octets = part.get_payload(decode=True)
    text = octets.decode("utf-8")
    assert text.endswith("END:VCALENDAR\r\n") and text.startswith("BEGIN:VCALENDAR\r\n"), "the calendar is cut"
    assert not any(c < " " and c not in "\t\r\n" for c in text), "the calendar has control characters"
    assert "\n" not in text.replace("\r\n", "") and "\r" not in text.replace("\r\n", ""), "the calendar has bare line ends"
    assert all(len(line) <= 75 for line in octets.split(b"\r\n")), "the calendar has a line that is not folded"
    lines = unfolded(text)
    opened = []
    for line in lines:
        if line.upper().startswith("BEGIN:"):
            opened.append(line[6:].upper())
        elif line.upper().startswith("END:"):
            assert opened and opened.pop() == line[4:].upper(), f"{line} ends what is not open"
    methods = [line.removeprefix("METHOD:") for line in lines if line.startswith("METHOD:")]
    assert methods == [part.get_param("method")], f"METHOD {methods} beside {part.get_param('method')}"
    kinds = {line[6:] for line in lines if line in ("BEGIN:VEVENT", "BEGIN:VTODO", "BEGIN:VJOURNAL", "BEGIN:VFREEBUSY")}
    assert kinds == {part.get_param("component")}, f"components {kinds} beside {part.get_param('component')}"
    assert part.get_param("charset") == "utf-8", "the calendar has no charset"
    assert part.get("Content-Disposition") is None, "the calendar is an attachment"
    return text


class Page(html.parser.HTMLParser):
    """An HTML body without anything remote, and without what runs."""

    ELEMENTS = set("html head meta title style body main p dl dt dd br span a bdi".split())
    ATTRIBUTES = set("lang dir charset name content class href".split())
    is_style = False

    def handle_starttag(self, tag, attributes):
        assert tag in self.ELEMENTS, f"<{tag}> in the HTML"
        assert {name for name, _ in attributes} <= self.ATTRIBUTES, f"{attributes} in the HTML"
        self.is_style = tag == "style"

    def handle_data(self, data):
        assert not (self.is_style and ("url(" in data or "@import" in data)), "remote content in the style"


def check_letter(mail):
    """The calendar of a scheduling message."""
    assert mail["X-Auto-Response-Suppress"] == "OOF, AutoReply", "invites absence notes"
    alternative, attachment = mail.iter_parts()
    assert alternative.get_content_type() == "multipart/alternative"
    types = [part.get_content_type() for part in alternative.iter_parts()]
    assert types in (["text/plain", "text/html", "text/calendar"], ["text/plain", "text/calendar"]), types
    bodies = list(alternative.iter_parts())
    check_text(bodies[0].get_content())
    if len(bodies) == 3:
        Page().feed(bodies[1].get_content())
    calendar = check_calendar(bodies[-1])
    assert attachment.get_content_type() == "application/ics" and attachment.get_filename() == "invite.ics"
    assert attachment.get_content_disposition() == "attachment"
    assert attachment.get_content().decode("utf-8") == calendar, "the two calendars differ"
    return calendar


def check_note(mail):
    """The text of a mail that is no scheduling message; with links it has a page beside it."""
    if mail.get_content_type() == "multipart/alternative":
        text, page = mail.iter_parts()
        assert page.get_content_type() == "text/html", f"has {page.get_content_type()} beside its text"
        Page().feed(page.get_content())
    else:
        text = mail
    assert text.get_content_type() == "text/plain", f"is {text.get_content_type()}"
    check_text(text.get_content())
    return text


def read(raw):
    """What the mail says, when it is as it should be."""
    check_octets(raw)
    mail = parse(raw)
    assert not defects(mail), defects(mail)
    for name in ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version"):
        assert len(mail.get_all(name, ())) == 1, f"{name} is not there once"
    assert mail["Date"].datetime is not None, "Date is none"
    assert mail.get("Auto-Submitted") in (None, "auto-generated", "auto-replied")
    for name in ("In-Reply-To", "References"):
        for id in str(mail.get(name, "")).split():
            assert id.startswith("<") and id.endswith(">") and "@" in id, f"{name} holds {id}"
    check_encodings(mail)
    if mail.get_content_type() == "multipart/mixed":
        assert len(mail.get_all("Reply-To", ())) == 1, "Reply-To is not there once"
        calendar, text = check_letter(mail), next(iter(next(mail.iter_parts()).iter_parts()))
    else:
        calendar, text = None, check_note(mail)
    return {
        "from": [address.addr_spec for address in mail["From"].addresses],
        "to": [address.addr_spec for address in mail["To"].addresses],
        "subject": str(mail["Subject"]),
        "message_id": str(mail["Message-ID"]),
        "text": text.get_content().replace("\r\n", "\n"),
        "calendar": calendar,
    }


def answer(raw, meant=None):
    try:
        said = read(raw)
        for name, value in (meant or {}).items():
            assert said_about(said, name) == value, f"{name} is {said_about(said, name)!r}, meant was {value!r}"
    except Exception as wrong:  # Whatever it is, whose mail it is has to be said.
        said = {"wrong": f"{type(wrong).__name__}: {wrong}"}
    told = json.dumps(said).encode()
    sys.stdout.buffer.write(b"%d %d\n" % (len(raw), len(told)) + raw + told)


def said_about(said, name):
    if name in said:
        return sorted(address.lower() for address in said["to"]) if name == "to" else said[name]
    lines = unfolded(said["calendar"] or "")
    return next((line.split(":", 1)[1] for line in lines if line.startswith((f"{name}:", f"{name};"))), None)


def outbox(path):
    """All mails of a database with what the gateway noted beside them."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20) as database:
        rows = database.execute("SELECT id, raw, message_id, subject, method, cal_uid FROM outbox WHERE raw <> ''").fetchall()
        to = database.execute("SELECT outbox_id, address FROM outbox_recipient").fetchall()
    database.close()
    for id, raw, message_id, subject, method, uid in rows:
        # Tests of the outbox alone enter what is no mail of ours.
        if b"\r\nMIME-Version: 1.0\r\n" not in raw:
            continue
        meant = {"message_id": message_id, "subject": subject, "to": sorted(a.lower() for i, a in to if i == id)}
        if b"\r\nContent-Type: multipart/mixed;" in raw:
            # As the calendar writes it (RFC 5545 §3.3.11).
            for plain, escaped in (("\\", "\\\\"), (",", "\\,"), (";", "\\;"), ("\n", "\\n"), ("\r", "\\r")):
                uid = uid.replace(plain, escaped)
            # An answer that we pass on to the organizer ourselves is a note, and a REPLY to who reads it.
            meant |= {"METHOD": "REPLY"} if method == "NOTE" else {"METHOD": method, "UID": uid}
        yield raw, meant


def serve():
    for line in sys.stdin.buffer:
        kind, rest = line.rstrip(b"\n").split(b" ", 1)
        mails = [(sys.stdin.buffer.read(int(rest)), None)] if kind == b"mail" else list(outbox(rest.decode()))
        sys.stdout.buffer.write(b"%d\n" % len(mails))
        for raw, meant in mails:
            answer(raw, meant)
        sys.stdout.buffer.flush()


def says_title(raw):
    """The title stands in the subject and in both bodies; true of mails with a short one."""
    mail = parse(raw)
    text, page, calendar = next(mail.iter_parts()).iter_parts()
    summary = next(line for line in unfolded(calendar.get_content()) if line.startswith("SUMMARY")).split(":", 1)[1]
    title = summary.replace("\\,", ",").replace("\\;", ";")
    assert title in mail["Subject"], f"{title!r} is not in {mail['Subject']!r}"
    # The reader of either body learns the title; shields of direction are no part of it.
    for part in (text, page):
        content = part.get_content().replace("\u2068", "").replace("\u2069", "")
        content = content.replace("<bdi>", "").replace("</bdi>", "")
        assert title in " ".join(content.split()), f"{title!r} is not in {part.get_content_type()}"


def main():
    if sys.argv[1] == "--serve":
        return serve()
    mails = sorted(pathlib.Path(sys.argv[1]).glob("*.eml"))
    for path in mails:
        try:
            read(path.read_bytes())
            says_title(path.read_bytes())
        except (AssertionError, ValueError, StopIteration) as wrong:
            sys.exit(f"{path.name}: {wrong!r}")
    print(f"{len(mails)} mails")


main()
