#!/usr/bin/env python3
"""Reads mails with Python's email package, which knows nothing of how they were written.

    check_mails.py DIRECTORY      every *.eml in it; exit 1 at the first that is not as it should be
"""

import pathlib
import sys
from email import message_from_bytes, policy


def defects(part):
    found = list(part.defects)
    for value in part.values():
        found.extend(getattr(value, "defects", ()))
    for child in part.iter_parts() if part.is_multipart() else ():
        found.extend(defects(child))
    return found


def check(raw):
    assert raw.isascii(), "is not ASCII"
    assert b"\n" not in raw.replace(b"\r\n", b""), "has a bare LF"
    assert b"\r" not in raw.replace(b"\r\n", b""), "has a bare CR"
    assert all(len(line) <= 998 for line in raw.split(b"\r\n")), "has a line that is too long"
    mail = message_from_bytes(raw, policy=policy.default)
    assert not defects(mail), defects(mail)
    for name in ("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "MIME-Version"):
        assert len(mail.get_all(name, ())) == 1, f"{name} is not there once"
    assert mail.get_content_type() == "multipart/mixed"
    alternative, attachment = mail.iter_parts()
    assert alternative.get_content_type() == "multipart/alternative"
    text, html, calendar = alternative.iter_parts()
    assert [part.get_content_type() for part in (text, html, calendar)] == ["text/plain", "text/html", "text/calendar"]
    for part in mail.walk():
        if part.get("Content-Transfer-Encoding") in ("quoted-printable", "base64"):
            lines = part.get_payload().splitlines()
            assert all(len(line) <= 76 for line in lines), "has an encoded line that is too long"
    assert calendar.get_param("charset") == "utf-8" and calendar.get("Content-Disposition") is None
    said = calendar.get_content().replace("\r\n", "\n")
    unfolded = said.replace("\n ", "")
    method = next(line for line in unfolded.split("\n") if line.startswith("METHOD:")).removeprefix("METHOD:")
    assert calendar.get_param("method") == method, "method differs"
    assert f"BEGIN:{calendar.get_param('component')}\n" in unfolded, "component differs"
    assert attachment.get_content_type() == "application/ics" and attachment.get_filename() == "invite.ics"
    assert attachment.get_content().decode("utf-8").replace("\r\n", "\n") == said, "the two calendars differ"
    summary = next(line for line in unfolded.split("\n") if line.startswith("SUMMARY")).split(":", 1)[1]
    title = summary.replace("\\,", ",").replace("\\;", ";")
    assert title in mail["Subject"], f"{title!r} is not in {mail['Subject']!r}"
    # The reader of either body learns the title; shields of direction are no part of it.
    for part in (text, html):
        content = part.get_content().replace("\u2068", "").replace("\u2069", "")
        content = content.replace("<bdi>", "").replace("</bdi>", "")
        assert title in " ".join(content.split()), f"{title!r} is not in {part.get_content_type()}"
    assert all(len(line) <= 78 for line in text.get_content().splitlines()), "has a line of text that is too long"
    for remote in ("src=", "url(", "<link", "<script", "@import"):
        assert remote not in html.get_content(), f"{remote} in the HTML"


def main():
    mails = sorted(pathlib.Path(sys.argv[1]).glob("*.eml"))
    for path in mails:
        try:
            check(path.read_bytes())
        except (AssertionError, ValueError, StopIteration) as wrong:
            sys.exit(f"{path.name}: {wrong!r}")
    print(f"{len(mails)} mails")


main()
