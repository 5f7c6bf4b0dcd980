#!/usr/bin/python3
"""Sources of every kind through `dateline extract` and `dateline ingest`: what is fetched, what is not, and what is kept.

    sources_test.py --bin build/dev/bin [-k PATTERN]

A web server on loopback stands for the sites; nothing else is asked.
"""

import argparse
import base64
import contextlib
import gzip
import http.server
import io
import ipaddress
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
from command_line import CommandLineTest, json_lines, run_program  # noqa: E402
from services import Services  # noqa: E402

BIN = None

BODY = (
    "The foreign ministers of Iran and Oman met in Muscat on Tuesday to speak of shipping through the strait. "
    "Tehran wants fewer patrols; Muscat wants quiet. Neither expects a treaty this year, and both said so.",
    "What they agreed is small: a telephone line between the two coast guards, and a second meeting in the autumn. "
    "Small things are what this relationship is made of, and they have outlasted larger ones.")


def page(title):
    return (f"<!doctype html><html lang=en><head><title>{title} | The Meridian</title></head><body>"
            f"<article><h1>{title}</h1>" + "".join(f"<p>{part}</p>" for part in BODY) + "</article></body></html>").encode()


def rss(*items):
    return ('<?xml version="1.0"?><rss version="2.0"><channel><title>The Meridian</title>' + "".join(
        f"<item><title>{title}</title><link>{link}</link><description>{text}</description></item>"
        for title, link, text in items) + "</channel></rss>").encode()


class Site:
    """`pages` by path: bytes, or (status, headers, bytes), or an iterator of bytes, which is sent until it or the client
    ends. Each has an ETag and is answered 304 to who has it."""

    def __init__(self, pages):
        self.pages = pages
        self.requests = []  # (path, status)
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # noqa: N802
                status, headers, content = site.answer(self.path, self.headers)
                site.requests.append((self.path, status))
                site.agents.add(self.headers["User-Agent"])
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if isinstance(content, bytes):
                    self.send_header("Content-Length", str(len(content)))
                    content = [content]
                else:
                    self.close_connection = True
                self.end_headers()
                with contextlib.suppress(OSError):
                    for part in content:
                        self.wfile.write(part)
                        site.sent += len(part)

            def log_message(self, *_):
                pass

        self.agents = set()
        self.sent = 0  # Bytes of contents.
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # A client that hangs up is none.
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.base = f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, path, asked):
        if path not in self.pages:
            return 404, {}, b"nothing here"
        found = self.pages[path]
        if not isinstance(found, bytes):
            return found
        etag = f'"{len(found)}-{sum(found)}"'
        if asked.get("If-None-Match") == etag:
            return 304, {"ETag": etag}, b""
        return 200, {"ETag": etag, "Content-Type": "text/html" if found.startswith(b"<!doctype html") else "text/xml"}, found

    def asked(self):
        """The paths that were asked for since the last call."""
        paths = [path for path, _ in self.requests]
        self.requests.clear()
        return paths

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def run(*arguments, **options):
    return run_program(os.path.join(BIN, "dateline"), *arguments, **options)


class Extract(CommandLineTest):
    def extract(self, *arguments, code=0, **options):
        result = run("extract", "--output", "jsonl", *arguments, **options)
        self.assert_exit(result, code)
        return json_lines(result.stdout), result.stderr

    def test_a_feed_of_summaries_leads_to_its_pages(self):
        with Site({}) as site:
            site.pages = {"/feed": rss(("One", "/1", "A summary."), ("Two", "/gone", "Another summary."), ("Three", "/3", "")),
                          "/1": page("One, on its page"), "/3": (302, {"Location": "/three"}, b""),
                          "/three": page("Three")}
            articles, errors = self.extract(f"{site.base}/feed", "--fetch_delay", "0")
            self.assertEqual([found["title"] for found in articles], ["One", "Two", "Three"])
            self.assertEqual(articles[0]["body"].split("\n\n"), list(BODY))
            self.assertEqual(articles[0]["summary"], "A summary.")
            self.assertEqual(articles[1]["body"], "Another summary.")
            self.assertIn("404", errors)
            self.assertEqual(articles[2]["alternateUrls"], [f"{site.base}/3"])
            self.assertEqual(site.asked(), ["/feed", "/robots.txt", "/1", "/gone", "/3", "/three"])
            self.assertRegex(" ".join(site.agents), r"^dateline/\d")

    def test_a_file_makes_nobody_go_to_the_network(self):
        with Site({"/1": page("One, on its page")}) as site:
            path = self.write("feed.xml", rss(("One", f"{site.base}/1", "A summary.")))
            articles, _ = self.extract(path)
            self.assertEqual(articles[0]["body"], "A summary.")
            self.assertEqual(site.asked(), [])
            _, errors = self.extract(path, "--follow", "always")
            self.assertIn("--allow_private_addresses", errors)
            self.assertEqual(site.asked(), [])
            articles, _ = self.extract(path, "--follow", "always", "--allow_private_addresses")
            self.assertEqual(articles[0]["body"].split("\n\n"), list(BODY))
            self.assertEqual(site.asked(), ["/robots.txt", "/1"])

    def test_robots_txt_is_obeyed_but_for_what_the_user_named(self):
        with Site({}) as site:
            site.pages = {"/feed": rss(("One", "/private/1", "A summary."), ("Two", "/2", "A summary.")),
                          "/robots.txt": b"User-agent: *\nDisallow: /private\nDisallow: /feed\n",
                          "/private/1": page("One"), "/2": page("Two")}
            articles, errors = self.extract(f"{site.base}/feed", "--fetch_delay", "0")
            self.assertEqual([found["body"] == "A summary." for found in articles], [True, False])
            self.assertIn("robots.txt", errors)
            self.assertNotIn("/private/1", site.asked())
            articles, _ = self.extract(f"{site.base}/feed", "--fetch_delay", "0", "--ignore_robots")
            self.assertEqual([found["body"] == "A summary." for found in articles], [False, False])
            site.pages["/robots.txt"] = (503, {}, b"")
            _, errors = self.extract(f"{site.base}/feed", "--fetch_delay", "0")
            self.assertIn("robots.txt", errors, "a site that is out of order is left alone")

    def test_the_pace_is_kept(self):
        with Site({}) as site:
            site.pages = {"/feed": rss(*[(f"Part {n}", f"/{n}", "A summary.") for n in range(4)]),
                          **{f"/{n}": page(f"Part {n}") for n in range(4)}}
            began = time.monotonic()
            self.extract(f"{site.base}/feed", "--fetch_delay", "0.2")
            self.assertGreaterEqual(time.monotonic() - began, 0.6, "three pauses between four pages")
            self.assertEqual(len(site.asked()), 6)

    def test_sitemaps_lead_to_sitemaps_and_pages(self):
        with Site({}) as site:
            site.pages = {
                "/index.xml": b"<sitemapindex><sitemap><loc>/a.xml.gz</loc></sitemap><sitemap><loc>/index.xml</loc></sitemap>"
                              b"</sitemapindex>",
                "/a.xml.gz": gzip.compress(b"<urlset><url><loc>/1</loc></url><url><loc>/2</loc></url><url><loc>/1</loc></url>"
                                           b"<url><loc>/gone</loc></url></urlset>"),
                "/1": page("One"), "/2": page("Two")}
            articles, errors = self.extract(f"{site.base}/index.xml", "--fetch_delay", "0", code=3)
            self.assertEqual([found["title"] for found in articles], ["One", "Two"])
            self.assertEqual(articles[0]["url"], f"{site.base}/1")
            self.assertIn(f"{site.base}/gone: the server answered with HTTP status 404", errors)
            self.assertEqual(site.asked(), ["/index.xml", "/robots.txt", "/a.xml.gz", "/1", "/2", "/gone"])
            articles, errors = self.extract(f"{site.base}/index.xml", "--fetch_delay", "0", "--max_fetches", "2", code=3)
            self.assertEqual([found["title"] for found in articles], ["One"])
            self.assertEqual(errors.count("--max_fetches"), 1, errors)

    def test_a_sitemap_on_disk_says_what_to_do(self):
        path = self.write("sitemap.xml", "<urlset>" + "<url><loc>https://x.example/1</loc></url>" * 100 + "</urlset>")
        articles, errors = self.extract(path, code=3)
        self.assertEqual(articles, [])
        self.assertEqual(errors.count("--follow always"), 1, errors)

    def test_folders_and_archives_of_everything(self):
        line = json.dumps({"title": "A line", "body": "Text."})
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("deep/feed.xml", rss(("In a zip", "https://x.example/z", " ".join(BODY * 3))))
            archive.writestr("deep/photo.jpg", b"\xff\xd8\xff")
        self.write("in/a.jsonl.gz", gzip.compress(line.encode()))
        self.write("in/b.zip", packed.getvalue())
        self.write("in/c.csv", "Title,Body\nA row,Text.\n")
        self.write("in/d.json", json.dumps({"articles": [{"title": "An entry", "body": "Text."}]}))
        self.write("in/e.eml", "Subject: A letter\nFrom: Jane Roe <j@x.example>\n\nText.\n")
        self.write("in/f.html", page("A page"))
        self.write("in/photo.jpg", b"\xff\xd8\xff")
        articles, _ = self.extract(os.path.join(self.dir, "in"))
        self.assertEqual([found["title"] for found in articles],
                         ["A line", "In a zip", "A row", "An entry", "A letter", "A page"])

    def test_fields_are_mapped(self):
        record = {"headline": {"main": "Mapped"}, "content": f"<p>{BODY[0]}</p><p>{BODY[1]}</p>", "desk": "Foreign"}
        flags = ["--map", "title=headline.main", "--map", "body_html=content", "--map", "label.section=desk"]
        for name, text in (("a.json", json.dumps([record], indent=1)), ("a.jsonl", json.dumps(record))):
            articles, _ = self.extract(self.write(name, text), *flags)
            self.assertEqual(articles[0]["title"], "Mapped")
            self.assertEqual(articles[0]["body"].split("\n\n"), list(BODY))
            self.assertEqual(articles[0]["sourceLabels"], [{"kind": "section", "name": "Foreign"}])
        _, errors = self.extract(self.write("b.jsonl", json.dumps(record)), code=3)
        self.assertIn("headline, content, desk: map them", errors)


    def test_a_name_and_password_are_sent_and_not_shown(self):
        seen = []

        class Private(Site):
            def answer(self, path, asked):
                seen.append(asked.get("Authorization"))
                return super().answer(path, asked) if seen[-1] else (401, {}, b"")

        login = "Basic " + base64.b64encode(b"jane:s3c:ret").decode()
        with Private({}) as site:
            site.pages = {"/feed": rss(("One", "/1", "A summary.")), "/1": (302, {"Location": "/one"}, b""), "/one": page("One")}
            named = site.base.replace("http://", "http://jane:s3c%3Aret@")
            articles, notes = self.extract(named + "/feed", "--fetch_delay", "0")
            self.assertEqual([article["url"] for article in articles], [site.base + "/one"])
            self.assertEqual(set(seen), {login})
            result = run("extract", named + "/gone", named + "/feed", "--follow", "never")
            for text in (notes, json.dumps(articles), result.stdout, result.stderr):
                self.assertNotIn("s3c", text)
                self.assertNotIn("jane", text)

    def test_site_rules_are_for_pages_that_a_feed_names_as_well(self):
        rules = self.write("rules.txt", "[127.0.0.1]\ndrop = .mine\n")
        with Site({}) as site:
            site.pages = {"/feed": rss(("One", "/1", "")), "/1": page("One").replace(b"<p>", b"<p class=mine>", 1)}
            articles, _ = self.extract(site.base + "/feed", "--fetch_delay", "0", "--site_rules", rules)
            self.assertEqual(articles[0]["body"], BODY[1])

    def test_an_answer_that_breaks_off_is_not_taken_for_whole(self):
        packed = gzip.compress(rss(("One", "/1", BODY[0]), ("Two", "/2", BODY[1])))
        headers = {"Content-Type": "text/xml", "Content-Encoding": "gzip"}
        with Site({"/whole": (200, headers, packed), "/cut": (200, headers, packed[:-20]),
                   "/other": (200, {"Content-Encoding": "br"}, b"?")}) as site:
            self.assertEqual(len(self.extract(site.base + "/whole", "--follow", "never")[0]), 2)
            _, errors = self.extract(site.base + "/cut", code=3)
            self.assertIn("breaks off", errors)
            _, errors = self.extract(site.base + "/other", code=3)
            self.assertIn("Content-Encoding br", errors)

    def test_what_has_no_end_is_ended(self):
        html = {"Content-Type": "text/html"}
        robots = itertools.chain([b"User-agent: *\nDisallow: /private\n"], itertools.repeat(b"# and so on\n" * 5_000))
        with Site({}) as site:
            site.pages = {
                "/page": (200, html, itertools.chain([b"<html><body><p>"], itertools.repeat(b"hello world " * 5_000))),
                "/empty": (200, {**html, "Content-Encoding": "gzip"}, itertools.repeat(gzip.compress(b"") * 3_000)),
                "/feed": rss(("One", "/private/1", "A summary."), ("Two", "/2", "A summary.")), "/2": page("Two"),
                "/robots.txt": (200, {"Content-Type": "text/plain"}, robots)}
            _, errors = self.extract(site.base + "/page", code=3)
            self.assertIn("the page is larger than 16000000 bytes", errors)
            self.assertLess(site.sent, 40_000_000)
            _, errors = self.extract(site.base + "/empty", "--max_source_bytes", "20MB", code=3)
            self.assertIn("bytes", errors)
            site.sent = 0
            articles, errors = self.extract(site.base + "/feed", "--fetch_delay", "0")
            self.assertEqual([found["body"] == "A summary." for found in articles], [True, False])
            self.assertIn("robots.txt asks not to", errors)
            self.assertLess(site.sent, 20_000_000)

    def test_a_page_that_drips_is_not_waited_for(self):
        def drip():
            yield b"<html><body><p>"
            while True:
                time.sleep(0.2)
                yield b"hello world " * 20

        with Site({"/": (200, {"Content-Type": "text/html"}, drip())}) as site:
            began = time.monotonic()
            _, errors = self.extract(site.base + "/", code=3)
            self.assertIn("no complete answer within 30s", errors)
            self.assertLess(time.monotonic() - began, 60)

    def test_answers_that_are_none(self):
        with Site({"/part": (206, {"Content-Type": "text/html", "Content-Range": "bytes 0-99/9999"}, page("Part"))}) as site:
            _, errors = self.extract(site.base + "/part", code=3)
            self.assertIn("a part of it only", errors)
        for answer, expected in ((page("No header"), "no HTTP"), (b"\x1b[31m\0\xff garbage\r\n\r\n", "no HTTP"),
                                 (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 2_000_000 + b"\r\n\r\n", "header that is too long")):
            with socket.create_server(("127.0.0.1", 0)) as server:
                def serve(server=server, answer=answer):
                    with contextlib.suppress(OSError), server.accept()[0] as connection:
                        connection.recv(65_536)
                        connection.sendall(answer)
                        connection.shutdown(socket.SHUT_WR)
                        connection.recv(1)

                thread = threading.Thread(target=serve, daemon=True)
                thread.start()
                _, errors = self.extract(f"http://127.0.0.1:{server.getsockname()[1]}/", code=3)
                self.assertIn(expected, errors)
                thread.join(10)

    def test_what_goes_past_the_proxy_has_its_address_looked_at(self):
        def is_private(name):
            with contextlib.suppress(OSError):
                return all(ipaddress.ip_address(found[4][0].split("%")[0]).is_private
                           for found in socket.getaddrinfo(name, 80))
            return False

        name = next(filter(is_private, ("ip6-localhost", "ip6-loopback", socket.gethostname())), None)
        if name is None or name.startswith("localhost"):
            self.skipTest("no name of this machine but localhost")
        with Site({}) as proxy, socket.create_server(("127.0.0.1", 0)) as server:
            path = self.write("feed.xml", rss(("One", f"http://{name}:{server.getsockname()[1]}/1", "A summary.")))
            flags = (path, "--follow", "always", "--ignore_robots", "--fetch_delay", "0")
            _, errors = self.extract(*flags, env={"http_proxy": proxy.base, "no_proxy": name})
            self.assertIn("--allow_private_addresses", errors)
            self.assertEqual(proxy.asked(), [])
            self.extract(*flags, env={"http_proxy": proxy.base, "no_proxy": "example.org"})
            self.assertEqual(len(proxy.asked()), 1)

    def test_sitemaps_that_lead_too_deep_say_so(self):
        def index(*paths):
            return ("<sitemapindex>" + "".join(f"<sitemap><loc>{path}</loc></sitemap>" for path in paths)
                    + "</sitemapindex>").encode()

        with Site({}) as site:
            site.pages = {f"/{i}": index(f"/{i + 1}", f"/{i + 1}?b", "/0") for i in range(6)}
            articles, errors = self.extract(site.base + "/0", "--fetch_delay", "0", code=3)
            self.assertEqual(articles, [])
            self.assertEqual(errors.count("within 3 others"), 1, errors)
            self.assertNotIn("/4", site.asked())

    def test_a_fetched_export_may_be_longer_than_a_page(self):
        lines = "".join(json.dumps({"title": f"Article {i}", "body": BODY[0] + " " + "x y " * 500}) + "\n" for i in range(8_000))
        with Site({"/export.jsonl": (200, {"Content-Type": "application/jsonl"}, lines.encode()),
                   "/page.html": (200, {"Content-Type": "text/html"}, b"<p>" + b"word " * 4_000_000)}) as site:
            self.assertGreater(len(lines), 16_000_000)
            folder = os.path.join(self.dir, "tmp")
            os.mkdir(folder)
            articles, _ = self.extract(site.base + "/export.jsonl", env={"TMPDIR": folder})
            self.assertEqual(len(articles), 8_000)
            self.assertEqual(os.listdir(folder), [])
            _, errors = self.extract(site.base + "/export.jsonl", "--max_source_bytes", "17MB", code=3)
            self.assertIn("more than 17000000 bytes; --max_source_bytes", errors)
            _, errors = self.extract(site.base + "/page.html", code=3)
            self.assertIn("16000000 bytes", errors)
            _, errors = self.extract(site.base + "/export.jsonl", code=3, env={"TMPDIR": os.path.join(self.dir, "none")})
            self.assertIn("can't be kept in a temporary file: No such file or directory; TMPDIR names", errors)

    def test_lines_may_be_utf_16_and_a_second_list_is_named(self):
        lines = "".join(json.dumps({"title": title, "body": "\u0416 text."}) + "\n" for title in ("One", "Two"))
        articles, _ = self.extract(self.write("a.jsonl", lines.encode("utf-16")))
        self.assertEqual([found["title"] for found in articles], ["One", "Two"])
        both = {"items": [{"title": "One", "body": "Text."}], "articles": [{"title": "Two", "body": "Text."}]}
        path = self.write("two.json", json.dumps(both))
        articles, notes = self.extract(path)
        self.assertEqual([found["title"] for found in articles], ["One"])
        self.assertIn("two.json has another list of objects, articles, beside items", notes)
        articles, _ = self.extract(path, "--map", "items=articles")
        self.assertEqual([found["title"] for found in articles], ["Two"])

    def test_mistyped_flags_are_told(self):
        path = self.write("a.jsonl", json.dumps({"head": "A", "text": BODY[0]}))
        articles, notes = self.extract(path, "--map", "title=heading", "--map", "body=text")
        self.assertEqual(len(articles), 1)
        self.assertIn("--map title=heading: nothing was found there", notes)
        self.assertNotIn("body=text", notes)
        _, errors = self.extract(path, path, "--url", "https://x.example/1", code=2)
        self.assertIn("--url is the address of one page, and 2 inputs were named", errors)
        empty = os.path.join(self.dir, "empty")
        os.mkdir(empty)
        _, notes = self.extract(empty)
        self.assertIn("holds no files", notes)

    def test_nothing_in_a_text_moves_the_cursor(self):
        hostile = "A \x1b[2J\x9b31m\u202e title"
        strange = {"k\x1b[2J": 1}
        path = self.write("a.jsonl", "\n".join(json.dumps(line) for line in (
            {"id": "x\x1b[2J", "url": "https://x.example/\x1b[2J", "title": hostile, "body": f"{hostile} {BODY[0]}",
             "source": hostile, "authors": [hostile], "tags": [hostile], **strange}, strange)))
        for arguments in ([], ["--explain"], ["--output", "jsonl"], ["--output", "json"]):
            result = run("extract", path, *arguments)
            self.assert_exit(result, 3)
            for bad in ("\x1b", "\x9b", "\u202e"):
                self.assertNotIn(bad, result.stdout + result.stderr, arguments)


class Learn(CommandLineTest):
    """Site rules from several pages of one host."""

    BOX = "<div class='well'><p>Our work is paid for by readers such as you, and a small gift keeps the desk going.</p></div>"

    def page(self, number, box=BOX):
        text = "".join(f"<p>Boat {number}-{part} came in at dawn with {number * 7 + part} crates of herring, and the harbour "
                       f"master of pier {number + part} wrote each of them down.</p>" for part in range(3))
        return (f"<html><head><title>Piece {number}</title><link rel=canonical href='https://example.org/{number}'></head>"
                f"<body><h1>Piece {number} of the year</h1><div class=story>{text}{box}{text.replace('Boat', 'Ship')}</div>")

    def folder(self, *pages):
        for place, text in enumerate(pages):
            with open(os.path.join(self.folder_of_pages, f"{place}.html"), "w", encoding="utf-8") as file:
                file.write(text)
        return self.folder_of_pages

    def setUp(self):
        super().setUp()
        self.folder_of_pages = os.path.join(self.dir, "pages")
        os.mkdir(self.folder_of_pages)
        self.rules = os.path.join(self.dir, "rules.txt")

    def test_what_repeats_is_dropped_from_a_page_that_was_not_there(self):
        learned = run("extract", "--learn", self.folder(*map(self.page, range(4))))
        self.assert_exit(learned, 0)
        self.assertIn("[example.org]\n", learned.stdout)
        self.assertIn("\ndrop = div.well\n", learned.stdout)
        with open(self.rules, "w", encoding="utf-8") as file:
            file.write(learned.stdout)
        unseen = self.page(70)
        before = run("extract", "-", "--output", "jsonl", stdin=unseen)
        after = run("extract", "-", "--output", "jsonl", "--site_rules", self.rules, stdin=unseen)
        body_before, body_after = (json_lines(result.stdout)[0]["body"] for result in (before, after))
        self.assertIn("paid for by readers", body_before)
        self.assertEqual([part for part in body_before.split("\n\n") if "paid for by readers" not in part],
                         body_after.split("\n\n"))

    def test_rules_for_other_hosts_say_so(self):
        with open(self.rules, "w", encoding="utf-8") as file:
            file.write("[exampel.org]\ndrop = .well\n")
        mistyped = run("extract", "-", "--site_rules", self.rules, stdin=self.page(1))
        self.assert_exit(mistyped, 0)
        self.assertIn("--site_rules: no section of the file is for the host of a page", mistyped.stderr)
        named = run("extract", "-", "--site_rules", self.rules, "--url", "https://www.exampel.org/1", stdin=self.page(1))
        self.assertNotIn("--site_rules", named.stderr)
        self.assertNotIn("paid for by readers", named.stdout)

    def test_the_pages_may_lie_in_an_archive(self):
        path = os.path.join(self.folder_of_pages, "pages.zip")
        with zipfile.ZipFile(path, "w") as archive:
            for number in range(4):
                archive.writestr(f"{number}.html", self.page(number))
        learned = run("extract", "--learn", path)
        self.assert_exit(learned, 0)
        self.assertIn("\ndrop = div.well\n", learned.stdout)

    def test_where_nothing_is_to_be_learned_it_says_so_in_a_line(self):
        few = run("extract", "--learn", self.folder(self.page(1), self.page(2)))
        self.assert_exit(few, 0)
        self.assertRegex(few.stdout, r"\A# Nothing to be learned: no host has 3 different articles.*\n\Z")
        none = run("extract", "--learn", self.folder(*(self.page(number, box="") for number in range(4))))
        self.assert_exit(none, 0)
        self.assertNotIn("drop", none.stdout)

    def test_what_does_not_go_together_is_refused(self):
        folder = self.folder(self.page(1))
        for arguments, expected in (((folder, "--output", "json"), "--output must be text"),
                                    (("-",), "reads its pages more than once"),
                                    ((folder, "--explain"), "--explain")):
            result = run("extract", "--learn", *arguments, stdin="")
            self.assert_exit(result, 2)
            self.assertIn(expected, result.stderr)


class WithServices(CommandLineTest):
    """One classifier for all, and a collection of its own for each test."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.shared = cls.enterClassContext(Services(BIN, with_search=False, with_gateway=False))

    def setUp(self):
        super().setUp()
        self.services = self.enterContext(Services(BIN, with_classifier=False, with_search=False, with_gateway=False))
        self.services.start_search(classifier=self.shared.classifier.address)

    def dateline(self, *arguments):
        return run("--search", self.services.search.address, "--classifier", self.shared.classifier.address, *arguments)

    def ingest(self, *arguments, code=0):
        result = self.dateline("ingest", "--output", "jsonl", "--fetch_delay", "0", *arguments)
        self.assert_exit(result, code)
        return [answer["outcome"].removeprefix("INGEST_OUTCOME_") for answer in json_lines(result.stdout)]

    def body_of(self, url):
        return json.loads(self.dateline("get", url, "--output", "json").stdout)["article"]["body"]


class Ingest(WithServices):
    def test_a_summary_never_takes_the_place_of_an_article(self):
        full = self.write("full.jsonl", json.dumps({"url": "https://x.example/1", "title": "One", "body": "\n\n".join(BODY)}))
        summary = self.write("feed.xml", rss(("One", "https://x.example/1", "A summary."),
                                             ("Two", "https://x.example/2", "A summary.")))
        self.assertEqual(self.ingest(full), ["CREATED"])
        self.assertEqual(sorted(self.ingest(summary)), ["CREATED", "UNCHANGED"])
        self.assertEqual(self.body_of("https://x.example/1"), "\n\n".join(BODY))
        self.assertEqual(self.body_of("https://x.example/2"), "A summary.")
        # Within one run, too, and the other way round a fuller text comes in.
        both = self.write("both.jsonl", json.dumps({"url": "https://x.example/2", "title": "Two", "body": "\n\n".join(BODY)}))
        self.assertEqual(sorted(self.ingest(both, summary)), ["UNCHANGED", "UNCHANGED", "UPDATED"])
        self.assertEqual(self.body_of("https://x.example/2"), "\n\n".join(BODY))

    def test_a_source_that_breaks_off_is_never_forgiven(self):
        rows = "".join(f"Row {i},Text of row {i}.\n" for i in range(20))
        report = os.path.join(self.dir, "report.json")
        for name, text in (("quote.csv", f"title,body\n{rows}Open,\"quote\n{rows}"), ("cut.xml", rss(("One", "", BODY[0]))[:-30]),
                           ("cut.json", '[{"title": "One", "body": "Text."}, {"ti'), ("header.csv", "a,b\nc,d\n")):
            self.ingest(self.write(name, text), "--max_rejects", "100%", "--report", report, code=3)
            with open(report, encoding="utf-8") as file:
                written = json.load(file)
            self.assertEqual(written["cutOff"], 1, name)
            self.assertEqual([rejected["cutsOff"] for rejected in written["rejected"]], [True], name)
        self.ingest(os.path.join(self.dir, "missing.html"), "--max_rejects", "100%", code=3)
        self.ingest(self.write("bad.jsonl", json.dumps({"title": "A", "body": "B."}) + "\n{\n"), "--max_rejects", "50%")

    def test_what_has_not_changed_is_not_fetched_again(self):
        with Site({}) as site:
            site.pages = {
                "/sitemap.xml": b"<urlset><url><loc>/1</loc><lastmod>2024-01-01</lastmod></url><url><loc>/2</loc></url></urlset>",
                "/1": page("One"), "/2": page("Two")}
            arguments = [f"{site.base}/sitemap.xml", "--fetch_state", os.path.join(self.dir, "state.json")]
            self.assertEqual(self.ingest(*arguments), ["CREATED", "CREATED"])
            site.asked()
            self.assertEqual(self.ingest(*arguments), [])
            self.assertEqual(site.requests, [("/sitemap.xml", 304)])
            site.asked()
            site.pages["/sitemap.xml"] = site.pages["/sitemap.xml"].replace(
                b"</urlset>", b"<url><loc>/3</loc></url></urlset>")
            site.pages["/3"] = page("Three")
            self.assertEqual(self.ingest(*arguments), ["CREATED"])
            self.assertEqual(site.requests, [("/sitemap.xml", 200), ("/robots.txt", 404), ("/2", 304), ("/3", 200)])

    def test_what_an_index_names_is_asked_for_each_time(self):
        def index(*paths):
            return ("<sitemapindex>" + "".join(f"<sitemap><loc>{path}</loc></sitemap>" for path in paths)
                    + "</sitemapindex>").encode()

        def sitemap(*paths):
            return ("<urlset>" + "".join(f"<url><loc>{path}</loc></url>" for path in paths) + "</urlset>").encode()

        with Site({}) as site:
            site.pages = {"/index.xml": index("/a.xml"), "/a.xml": sitemap("/1"), "/1": page("One"), "/2": page("Two")}
            arguments = [f"{site.base}/index.xml", "--fetch_state", os.path.join(self.dir, "state.json")]
            self.assertEqual(self.ingest(*arguments), ["CREATED"])
            self.assertEqual(self.ingest(*arguments), [])
            site.pages["/a.xml"] = sitemap("/1", "/2")
            self.assertEqual(self.ingest(*arguments), ["CREATED"])

    def test_pages_beyond_the_limit_are_never_forgiven(self):
        with Site({}) as site:
            site.pages = {"/sitemap.xml": b"<urlset>" + b"".join(b"<url><loc>/%d</loc></url>" % i for i in range(5)) + b"</urlset>",
                          **{f"/{i}": page(f"Page {i}") for i in range(5)}}
            arguments = [f"{site.base}/sitemap.xml", "--max_rejects", "10", "--fetch_state", os.path.join(self.dir, "state.json")]
            self.assertEqual(sorted(self.ingest(*arguments, "--max_fetches", "2", code=3)), ["CREATED", "CREATED", "REJECTED"])
            self.assertEqual(self.ingest(*arguments), ["CREATED"] * 3)

    def test_the_beginning_before_a_paywall_never_takes_the_place_of_an_article(self):
        full = self.write("full.html", page("One").replace(b"<head>", b"<head><link rel=canonical href=https://x.example/1>"))
        stub = self.write("stub.html", page("One").replace(b"<head>", b"<head><link rel=canonical href=https://x.example/1>")
                          .replace(f"<p>{BODY[1]}</p>".encode(), b"").replace(b"</article>", b"</article><p>Subscribe to continue reading</p>"))
        self.assertEqual(self.ingest(full), ["CREATED"])
        self.assertEqual(self.ingest(stub), ["UNCHANGED"])
        self.assertEqual(self.body_of("https://x.example/1"), "\n\n".join(BODY))

    def test_a_site_that_is_not_there_is_not_blamed_for_its_robots(self):
        feed = self.write("feed.xml", rss(("One", "http://127.0.0.1:9/1", "")))
        result = self.dateline("ingest", feed, "--follow", "always", "--allow_private_addresses")
        self.assert_exit(result, 3)
        self.assertIn("robots.txt can't be read, so that nothing of it is fetched:", result.stdout + result.stderr)

    def test_what_failed_is_fetched_again(self):
        with Site({}) as site:
            site.pages = {"/feed": rss(("One", "/1", "")), "/1": (500, {}, b"")}
            arguments = [f"{site.base}/feed", "--fetch_state", os.path.join(self.dir, "state.json")]
            self.assertEqual(self.ingest(*arguments, code=3), ["REJECTED"])
            site.pages["/1"] = page("One")
            self.assertEqual(self.ingest(*arguments), ["CREATED"])
            self.assertEqual(self.body_of(f"{site.base}/1").split("\n\n"), list(BODY))

    def test_a_state_that_is_none_is_said_before_anything_is_done(self):
        state = self.write("state.json", "[]")
        result = self.dateline("ingest", self.write("a.jsonl", "{}"), "--fetch_state", state)
        self.assert_exit(result, 2)
        self.assertIn("--fetch_state", result.stderr)
        result = self.dateline("ingest", self.write("a.jsonl", "{}"), "--fetch_state", self.dir)
        self.assert_exit(result, 2)
        self.assertIn("is a folder; name a file", result.stderr)
        result = self.dateline("ingest", self.write("a.jsonl", "{}"), "--report", self.dir)
        self.assert_exit(result, 2)
        self.assertIn("is a folder; name a file in it", result.stderr)


def sitemap(*paths):
    return ("<urlset>" + "".join(f"<url><loc>{path}</loc></url>" for path in paths) + "</urlset>").encode()


def record(number, **fields):
    return {"id": f"r-{number}", "title": f"Record {number}", "body": f"{BODY[0]}\n\nThis is record {number}.", **fields}


def jsonl(*records):
    return "".join(json.dumps(one) + "\n" for one in records)


class Watch(WithServices):
    """`dateline ingest --watch`: what a folder and a feed bring, for as long as it runs."""

    class Watcher:
        def __init__(self, test, *arguments):
            self.process = subprocess.Popen(
                [os.path.join(BIN, "dateline"), "--search", test.services.search.address, "ingest", "--output", "jsonl",
                 "--watch=0.2", "--fetch_delay", "0", *arguments],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
                env={name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")})
            test.addCleanup(self.end)

        def next(self):
            answer = json.loads(self.process.stdout.readline())
            return answer["title"] or answer["position"], answer["outcome"].removeprefix("INGEST_OUTCOME_")

        def end(self, number=signal.SIGTERM):
            if self.process.poll() is None:
                self.process.send_signal(number)
            rest, errors = self.process.communicate(timeout=60) if not self.process.stdout.closed else ("", "")
            return self.process.returncode, rest, errors

    def old(self, name, content):
        """A file that nobody is writing to any more."""
        path = self.write("making/" + name, content)
        os.utime(path, (1_700_000_000 + len(content), 1_700_000_000 + len(content)))
        os.makedirs(os.path.join(self.dir, "in"), exist_ok=True)
        os.rename(path, os.path.join(self.dir, "in", name))

    def test_what_is_new_or_has_changed_is_taken_and_nothing_else_said(self):
        self.old("one.jsonl", jsonl(record(1), record(2), {"id": 7}))
        report = os.path.join(self.dir, "report.json")
        with Site({}) as site:
            # Neither says by itself that nothing has changed.
            site.pages = {"/feed": (200, {}, rss(("One", "/1", ""))), "/1": (200, {"Content-Type": "text/html"}, page("One")),
                          "/2": (200, {"Content-Type": "text/html"}, page("Two"))}
            watcher = self.Watcher(self, os.path.join(self.dir, "in"), f"{site.base}/feed", "--report", report)
            self.assertEqual(sorted(watcher.next() for _ in range(4)),
                             [("One", "CREATED"), ("Record 1", "CREATED"), ("Record 2", "CREATED"), ("line 3", "REJECTED")])
            self.old("two.jsonl", jsonl(record(3)))
            self.assertEqual(watcher.next(), ("Record 3", "CREATED"))
            self.old("one.jsonl", jsonl(record(1), record(2, title="Record 2, revised"), {"id": 7}))
            self.assertEqual(watcher.next(), ("Record 2, revised", "UPDATED"))
            site.pages["/feed"] = (200, {}, rss(("Two", "/2", ""), ("One", "/1", "")))
            self.assertEqual(watcher.next(), ("Two", "CREATED"))
            # A file that has just been written is taken once it is left alone.
            self.write("in/three.jsonl", jsonl(record(4)))
            self.assertEqual(watcher.next(), ("Record 4", "CREATED"))
            # A few rounds more, by what the site is asked for.
            rounds = sum(path == "/feed" for path, _ in site.requests)
            deadline = time.monotonic() + 60
            while sum(path == "/feed" for path, _ in site.requests) < rounds + 3 and time.monotonic() < deadline:
                time.sleep(0.05)
            code, rest, errors = watcher.end()
        self.assertEqual((code, rest), (3, ""), errors)
        self.assertIn("interrupted; 8 articles: 6 created, 1 updated, 1 rejected", errors)
        with open(report, encoding="utf-8") as file:
            written = json.load(file)
        self.assertEqual((written["total"], written["exitCode"], written["replacedInRun"]), (8, 3, 0))

    def test_a_checkpoint_is_kept_while_watching(self):
        self.old("one.jsonl", jsonl(record(1)))
        arguments = [os.path.join(self.dir, "in"), "--checkpoint", os.path.join(self.dir, "job.checkpoint")]
        watcher = self.Watcher(self, *arguments)
        self.assertEqual(watcher.next(), ("Record 1", "CREATED"))
        self.assertEqual(watcher.end(signal.SIGINT)[0], 0)
        self.assertEqual(self.ingest(*arguments), [])

    def test_a_service_that_goes_away_is_waited_for(self):
        self.old("one.jsonl", jsonl(record(1)))
        watcher = self.Watcher(self, os.path.join(self.dir, "in"))
        self.assertEqual(watcher.next(), ("Record 1", "CREATED"))
        port = self.services.search.port
        self.services.search.kill()
        self.old("two.jsonl", jsonl(record(2)))
        self.assertIn("trying again", watcher.process.stderr.readline())
        self.services.start_search(listen=f"127.0.0.1:{port}", classifier=self.shared.classifier.address)
        self.assertEqual(watcher.next(), ("Record 2", "CREATED"))
        code, _, errors = watcher.end()
        self.assertEqual(code, 0, errors)
        self.assertNotIn("trying again", errors, "said once")


class Sync(WithServices):
    """`dateline sync`: what is gone from the places goes."""

    def sync(self, *arguments, code=0):
        report = os.path.join(self.dir, "report.json")
        result = self.dateline("sync", "--output", "jsonl", "--fetch_delay", "0", "--report", report, *arguments)
        self.assert_exit(result, code)
        with open(report, encoding="utf-8") as file:
            self.report = json.load(file)
        self.errors = result.stderr
        found = [line["deletion"] for line in json_lines(result.stdout) if "deletion" in line]
        return sorted((one["id"], one["outcome"], one["reason"]) for one in found)

    def stored(self):
        return sorted(line.split("\t")[0] for line in self.dateline("list").stdout.splitlines())

    def test_what_an_export_no_longer_has_is_previewed_and_deleted(self):
        path = self.write("in.jsonl", jsonl(*[record(n, source="The Meridian") for n in range(20)]))
        other = self.write("other.jsonl", jsonl(record(99, source="Another")))
        self.ingest(path, other)
        self.write("in.jsonl", jsonl(*[record(n, source="The Meridian") for n in range(2, 21)]))
        of = ["--of", 'source = "The Meridian"']
        expected = [("r-0", "absent"), ("r-1", "absent")]
        self.assertEqual(self.sync(path, *of, "--dry_run"), [(one, "would be deleted", why) for one, why in expected])
        self.assertEqual(len(self.stored()), 21)
        self.assertEqual((self.report["dryRun"], self.report["wouldBeSent"], self.report["deletions"]["missing"]), (True, 19, 2))
        self.assertEqual(self.sync(path, *of), [(one, "deleted", why) for one, why in expected])
        self.assertEqual(self.report["deletions"], {"stored": 21, "missing": 2, "deleted": 2, "kept": 0, "heldBack": "",
                                                    "deletedIds": ["r-0", "r-1"]})
        self.assertEqual(self.stored(), sorted([f"r-{n}" for n in range(2, 21)] + ["r-99"]))
        self.assertEqual(self.sync(path, *of), [])

    def test_more_than_a_tenth_goes_by_force_only(self):
        path = self.write("in.jsonl", jsonl(*[record(n, url=f"https://x.example/{n}") for n in range(10)]))
        self.ingest(path)
        self.write("in.jsonl", jsonl(*[record(n, url=f"https://x.example/{n}") for n in range(8)]))
        arguments = [path, "--host", "x.example"]
        self.assertEqual(self.sync(*arguments, code=5), [])
        self.assertIn("2 of 10 stored articles are missing", self.errors)
        self.assertIn("more than 10 %", self.report["deletions"]["heldBack"])
        self.assertEqual(len(self.sync(*arguments, "--dry_run", code=5)), 2)
        self.assertEqual(len(self.stored()), 10)
        self.assertEqual(len(self.sync(*arguments, "--force")), 2)
        self.assertEqual(len(self.stored()), 8)

    def test_what_the_condition_does_not_have_is_told(self):
        path = self.write("in.jsonl", jsonl(*[record(n, source="The Meridian") for n in range(3)], record(3, source="Another")))
        self.assertEqual(self.sync(path, "--of", 'source = "The Meridian"'), [])
        self.assertIn("1 of 4 articles taken is not among those that the places are to have all of (--of)", self.errors)
        self.sync(path, "--of", 'source = "Nobody"')
        self.assertIn("4 of 4 articles taken are not among those", self.errors)
        self.sync(path, "--of", 'source = "The Meridian" OR source = "Another"')
        self.assertNotIn("not among those", self.errors)

    def test_nothing_goes_if_a_source_was_not_read_to_its_end(self):
        path = self.write("in.json", json.dumps([record(n, url=f"https://x.example/{n}") for n in range(20)]))
        self.ingest(path)
        self.write("in.json", json.dumps([record(n, url=f"https://x.example/{n}") for n in range(1, 20)])[:-20])
        self.assertEqual(self.sync(path, "--host", "x.example", "--force", code=3), [])
        self.assertIn("was not read to its end", self.report["deletions"]["heldBack"])
        self.assertEqual((self.report["deletions"]["stored"], self.report["deletions"]["deleted"]), (20, 0))
        # Nor if something can't be told from what is stored.
        self.write("in.json", json.dumps([record(n, url=f"https://x.example/{n}") for n in range(1, 20)] + [7]))
        self.assertEqual(self.sync(path, "--host", "x.example", "--force", code=3), [])
        self.assertEqual(len(self.stored()), 20)
        self.assertEqual(len(self.sync(path, "--host", "x.example", "--max_rejects", "1")), 1)

    def test_a_sitemap_says_what_a_site_has_fetched_or_not(self):
        with Site({}) as site:
            numbers = range(20)
            site.pages = {"/sitemap.xml": sitemap(*[f"/{n}" for n in numbers], "/moved"), "/moved": (302, {"Location": "/new"}, b""),
                          "/new": page("Moved"), **{f"/{n}": page(f"Page {n}") for n in numbers}}
            arguments = [f"{site.base}/sitemap.xml", "--fetch_state", os.path.join(self.dir, "state.json")]
            self.ingest(*arguments)
            other = self.write("other.jsonl", jsonl(record(1, url="https://x.example/1")))
            self.ingest(other)
            self.assertEqual(self.sync(*arguments), [], "unchanged is not gone")
            self.assertEqual(self.report["deletions"]["stored"], 21)
            # One page is gone and still named, one is no longer named, one breaks.
            site.pages["/sitemap.xml"] = sitemap(*[f"/{n}" for n in numbers if n != 1], "/moved")
            site.pages["/0"] = (410, {}, b"")
            site.pages["/2"] = (500, {}, b"")
            deleted = self.sync(*arguments, "--max_rejects", "2")
            self.assertEqual([(outcome, reason) for _, outcome, reason in sorted(deleted, key=lambda one: one[2])],
                             [("deleted", "absent"), ("deleted", "gone")])
            left = {line.split("\t")[1] for line in self.dateline("list").stdout.splitlines()}
            self.assertEqual(left, {f"{site.base}/{n}" for n in numbers if n > 1} | {f"{site.base}/new", "https://x.example/1"})

    def test_a_page_that_is_gone_is_no_article_that_was_rejected(self):
        with Site({}) as site:
            numbers = range(20)
            site.pages = {"/sitemap.xml": sitemap(*[f"/{n}" for n in numbers]), **{f"/{n}": page(f"Page {n}") for n in numbers}}
            arguments = [f"{site.base}/sitemap.xml"]
            self.sync(*arguments)
            del site.pages["/0"]
            self.assertEqual([one[1:] for one in self.sync(*arguments)], [("deleted", "gone")])
            self.assertEqual((self.report["gone"], self.report["goneUrls"]), (1, [f"{site.base}/0"]))
            self.assertEqual((self.report["outcomes"]["rejected"], self.report["total"]), (0, 19))
            self.assertIn(f"1 page that the places name is gone (404 or 410): {site.base}/0", self.errors)
            self.assertEqual(self.sync(*arguments), [], "it is still named, and still gone")
            # More than a tenth, and one that can't be read.
            for n in (1, 2, 3):
                site.pages[f"/{n}"] = (410, {}, b"")
            self.assertEqual(self.sync(*arguments, code=5), [])
            site.pages["/4"] = (500, {}, b"")
            self.assertEqual(self.sync(*arguments, code=5), [])
            self.assertEqual(self.report["outcomes"]["rejected"], 1)
            self.assertEqual(len(self.sync(*arguments, "--force", code=3)), 3)
            # `ingest` deletes nothing, and says of each what is wrong.
            self.assertEqual(sorted(self.ingest(*arguments, code=3))[:5], ["REJECTED"] * 5)

    def test_a_page_whose_article_is_not_stored_is_fetched_however_little_it_has_changed(self):
        with Site({}) as site:
            numbers = range(20)
            site.pages = {"/sitemap.xml": sitemap(*[f"/{n}" for n in numbers]), **{f"/{n}": page(f"Page {n}") for n in numbers}}
            arguments = [f"{site.base}/sitemap.xml", "--max_rejects", "1", "--fetch_state", os.path.join(self.dir, "state.json")]

            def created():
                self.sync(*arguments)
                return self.report["outcomes"]["created"]

            self.assertEqual(created(), 20)
            self.assertEqual(created(), 0)
            # Its page was gone for a while.
            kept = site.pages.pop("/0")
            self.assertEqual([one[1:] for one in self.sync(*arguments)], [("deleted", "gone")])
            site.pages["/0"] = kept
            self.assertEqual(created(), 1)
            # The sitemap did not name it for a while.
            site.pages["/sitemap.xml"] = sitemap(*[f"/{n}" for n in numbers if n != 1])
            self.assertEqual([one[1:] for one in self.sync(*arguments)], [("deleted", "absent")])
            with open(os.path.join(self.dir, "state.json"), encoding="utf-8") as file:
                self.assertEqual(set(json.load(file)["urls"]), {f"{site.base}/{n}" for n in [*numbers, "sitemap.xml"] if n != 1})
            site.pages["/sitemap.xml"] = sitemap(*[f"/{n}" for n in numbers])
            self.assertEqual(created(), 1)
            # Somebody has deleted it, and the sitemap says that it has not changed since.
            site.pages["/sitemap.xml"] = site.pages["/sitemap.xml"].replace(b"/2</loc>", b"/2</loc><lastmod>2024-01-01</lastmod>")
            self.assertEqual(created(), 0)
            ids = {url: one for one, url, *_ in (line.split("\t") for line in self.dateline("list").stdout.splitlines())}
            self.assert_exit(self.dateline("delete", ids[f"{site.base}/2"], "--yes"), 0)
            self.assertEqual(created(), 1)
            # What is purged stays away, and is not fetched for ever.
            self.assert_exit(self.dateline("delete", ids[f"{site.base}/3"], "--purge", "--yes"), 0)
            self.assertEqual(created(), 0)
            self.assertIn("1 article stays away: it was purged", self.errors)
            self.assertEqual(self.report["rejectedByReason"], {})
            site.asked()
            self.assertEqual(created(), 0)
            self.assertNotIn("stays away", self.errors)
            self.assertIn(("/3", 304), site.requests)
            # Another collection.
            self.services.search.terminate()
            with Services(BIN, with_classifier=False, with_search=False, with_gateway=False) as other:
                other.start_search(classifier=self.shared.classifier.address)
                self.services = other
                self.assertEqual(created(), 19)

    def test_what_a_feed_no_longer_has_goes_if_its_page_is_gone(self):
        with Site({}) as site:
            numbers = range(20)
            site.pages = {"/feed": rss(*[(f"Page {n}", f"/{n}", "") for n in numbers]),
                          **{f"/{n}": page(f"Page {n}") for n in numbers}}
            self.ingest(f"{site.base}/feed")
            site.pages["/feed"] = rss(*[(f"Page {n}", f"/{n}", "") for n in numbers if n > 3])
            del site.pages["/1"]
            site.pages["/2"] = (500, {}, b"")
            self.assertEqual(self.sync(f"{site.base}/feed", "--max_fetches", "16"), [], "not asked for is not gone")
            self.assertIn("were not asked for", self.errors)
            site.asked()
            self.assertEqual([(one[1:]) for one in self.sync(f"{site.base}/feed")], [("deleted", "gone")])
            self.assertTrue({"/0", "/1", "/2", "/3"} <= set(site.asked()))
            left = {line.split("\t")[1] for line in self.dateline("list").stdout.splitlines()}
            self.assertEqual(left, {f"{site.base}/{n}" for n in numbers if n != 1})
            # A page is no list of its site.
            self.assertEqual(self.sync(f"{site.base}/4", code=5), [])
            self.assertIn("--host or --of says", self.errors)


def main():
    global BIN
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="folder with the built programs")
    options, rest = parser.parse_known_args()
    BIN = os.path.abspath(options.bin)
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
