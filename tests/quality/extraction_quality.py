#!/usr/bin/python3
"""Measures extraction on annotated pages, and fails below floors.

    extraction_quality.py pieces       949 pages of many languages (trafilatura's evaluation): pieces of text that must
                                       come out, and pieces that must not
    extraction_quality.py readability  the 130 test pages of Mozilla's Readability: text and fields beside what
                                       @mozilla/readability gives in the same run, where Node and the package are there
    extraction_quality.py page_text    60 plain page texts with menus and teasers around the article (page_texts.py)
    extraction_quality.py learned      pages before and after `dateline extract --learn`: those of hosts that have three
                                       pages or more, and the 949 with siblings made of them (see made_siblings)

Every one takes --bin, the folder of the programs built, and prints what it finds; --half says which half of the pages
by the hash (MD5) of URL or id is measured: "even" for development, "odd" for reports, "all". --worst N lists the pages
that cost most. Exit status: 0, 1 below a floor, 77 if data or programs are missing (ctest shows that as skipped).
"""

import argparse
import base64
import collections
import datetime
import hashlib
import html
import html.parser
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import unicodedata
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import page_texts  # noqa: E402
SKIPPED = 77

# A little under what was measured; a change that falls below has to say why.
FLOORS = {
    ("pieces", "even"): {
        "precision": 0.930, "recall": 0.935, "F": 0.935, "F of de": 0.935, "F of en": 0.930, "F of es": 0.900,
        "title, right if given": 0.900, "author, right if given": 0.905, "date, right if given": 0.910},
    ("readability", "all"): {
        "text, mean token F1": 0.955, "title": 0.950, "byline": 0.890, "byline, where reference is right": 0.990,
        "published": 0.990, "language": 0.990, "direction": 0.990},
    ("page_text", "even"): {"token precision": 0.970, "token recall": 0.980},
}


def shared(path):
    """The path of optional data; ends the run, saying so, where it is not there."""
    found = os.path.join(os.environ.get("DATELINE_SHARED", "../shared"), path)
    if not os.path.exists(found):
        print(f"SKIPPED: the optional data is not here: {found} (set DATELINE_SHARED to its folder)")
        sys.exit(SKIPPED)
    return found


def extract(options, path, *flags):
    """The records of the file of pages with their extraction, one by one."""
    tool = os.path.join(options.bin, "extraction_tool")
    with subprocess.Popen([tool, path, *flags], stdout=subprocess.PIPE) as process:
        for line in process.stdout:
            yield json.loads(line)
    if process.returncode != 0:
        raise RuntimeError(f"{tool} {path}: exit status {process.returncode}")


def half_of(key):
    return "odd" if int(hashlib.md5(key.encode()).hexdigest(), 16) % 2 else "even"


def in_half(options, key):
    return options.half in ("all", half_of(key))


def spaced(text):
    return " ".join(unicodedata.normalize("NFC", text).split())


def letters(text):
    return "".join(c for c in unicodedata.normalize("NFKC", text).lower() if c.isalnum())


def tokens(text):
    """Words in lower case; each Han or kana character is one."""
    folded = unicodedata.normalize("NFKC", text).lower()
    return re.findall(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\u3040-\u30ff\u3400-\u9fff]+", folded)


def overlap(got, wanted):
    """Precision, recall and F1 of bags of tokens. Nothing where nothing was wanted is right."""
    got, wanted = collections.Counter(tokens(got)), collections.Counter(tokens(wanted))
    common = sum((got & wanted).values())
    precision = common / sum(got.values()) if got else float(not wanted)
    recall = common / sum(wanted.values()) if wanted else 1.0
    return precision, recall, 2 * precision * recall / (precision + recall) if common else float(not got and not wanted)


def mean(values):
    values = list(values)
    return sum(values) / len(values) if values else 0.0


class Verdict:
    """Prints figures and remembers which fell below their floors."""

    def __init__(self, what, half):
        self.floors = FLOORS.get((what, half), {})
        self.failed = []

    def figure(self, name, value, note=""):
        floor = self.floors.get(name)
        print(f"{name:<32} {value:7.3f}{'' if floor is None else f'  (floor {floor:.3f})'}  {note}".rstrip())
        if floor is not None and value < floor:
            self.failed.append(name)

    def status(self):
        if self.failed:
            print("below the floor:", ", ".join(self.failed))
        return 1 if self.failed else 0


# Pieces
# ----------------------------------------------------------------------------------------------------------------------

def rates(counts):
    found, missed, wrong = counts["found"], counts["missed"], counts["wrong"]
    precision = found / (found + wrong) if found + wrong else 1.0
    recall = found / (found + missed) if found + missed else 1.0
    return precision, recall, 2 * precision * recall / (precision + recall) if found else 0.0


def day_of(date):
    """The day; None if it is none, as in a few annotations."""
    try:
        return datetime.date.fromisoformat(date[:10])
    except ValueError:
        return None


def judge(field, extraction, wanted):
    """right, wrong or absent; what people noted of a title or name may be a part of it."""
    wanted = "; ".join(wanted) if isinstance(wanted, list) else wanted
    if field == "date":
        # Days as people noted them are those of the place, ours are UTC.
        got, same = extraction.get("published", ""), lambda got: abs((day_of(got) - day_of(wanted)).days) <= 1
    elif field == "title":
        got, same = extraction.get("title", ""), lambda got: letters(got) in letters(wanted) or letters(wanted) in letters(got)
    else:
        names = [letters(name) for name in re.split(r"[;,&]| und | and | y ", wanted) if letters(name)]
        got = " ".join(extraction.get("authors", []))
        same = lambda got: any(name in letters(got) or letters(got) in name for name in names)  # noqa: E731
    return ("right" if same(got) else "wrong") if got else "absent"


def pieces(options):
    path = shared("data/pages/trafilatura_eval.jsonl.zst")
    verdict = Verdict("pieces", options.half)
    total = collections.Counter()
    by_language = collections.defaultdict(collections.Counter)
    verdicts, odd_ones = collections.defaultdict(collections.Counter), []
    pages = []
    for record in extract(options, path):
        if not in_half(options, record["url"]):
            continue
        body = spaced(record["extraction"].get("body", ""))
        missed = [piece for piece in record["with"] if spaced(piece) not in body]
        wrong = [piece for piece in record["without"] if spaced(piece) in body]
        counts = {"pages": 1, "found": len(record["with"]) - len(missed), "missed": len(missed), "wrong": len(wrong)}
        language = record["extraction"].get("language", "").split("-")[0] or "not declared"
        if "error" in record["extraction"]:
            language = "no article found"
        total.update(counts)
        by_language[language].update(counts)
        pages.append((len(missed) + len(wrong), record["url"], missed, wrong, record["extraction"].get("error", "")))
        if "error" not in record["extraction"]:
            for field in ("title", "author", "date"):
                if record.get(field) and (field != "date" or day_of(record[field])):
                    verdicts[field].update([judge(field, record["extraction"], record[field])])
                    odd_ones.append((field, record["url"], record[field], record["extraction"]))
    print(f"{total['pages']} pages ({options.half} half by the MD5 of the URL)")
    precision, recall, f = rates(total)
    verdict.figure("precision", precision)
    verdict.figure("recall", recall)
    verdict.figure("F", f)
    for language, counts in sorted(by_language.items(), key=lambda item: -item[1]["pages"]):
        precision, recall, f_here = rates(counts)
        if counts["pages"] >= 20 and language != "no article found":
            verdict.figure(f"F of {language}", f_here, f"{counts['pages']} pages, {precision:.3f} / {recall:.3f}")
        else:
            print(f"  {language}: {counts['pages']} pages, {precision:.3f} / {recall:.3f} / {f_here:.3f}")
    for field, counts in verdicts.items():
        given = counts["right"] + counts["wrong"]
        verdict.figure(f"{field}, right if given", counts["right"] / given if given else 1.0,
                       f"{given} given of {sum(counts.values())} annotated")
    for field, url, wanted, got in odd_ones if options.worst else []:
        if judge(field, got, wanted) != "right":
            print(f"  {field}: {judge(field, got, wanted)}  {url}\n     wanted {wanted!r}\n"
                  f"     got    {got.get({'author': 'authors', 'date': 'published'}.get(field, field))!r}")
    for cost, url, missed, wrong, error in sorted(pages, reverse=True)[:options.worst]:
        print(f"\n{cost}  {url}  {error}")
        for piece in missed:
            print("   missed:", piece)
        for piece in wrong:
            print("   wrong: ", piece)
    return verdict.status()


# Readability
# ----------------------------------------------------------------------------------------------------------------------

class TextOf(html.parser.HTMLParser):
    """The text of simple HTML, with spaces where block elements begin and end."""

    INLINE = {"a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "dfn", "em", "font", "i", "ins", "kbd", "mark", "q",
              "s", "samp", "small", "span", "strong", "sub", "sup", "time", "u", "var", "wbr", "del", "tt", "strike"}
    SKIPPED = {"script", "style", "noscript", "template", "svg", "math"}

    def __init__(self, markup):
        super().__init__(convert_charrefs=True)
        self.parts, self.depth = [], 0
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.depth += tag in self.SKIPPED
        self.parts.append("" if tag in self.INLINE else " ")

    def handle_endtag(self, tag):
        self.depth -= tag in self.SKIPPED and self.depth > 0
        self.parts.append("" if tag in self.INLINE else " ")

    def handle_data(self, data):
        if not self.depth:
            self.parts.append(data)

    def text(self):
        return spaced("".join(self.parts))


def alike(got, wanted):
    """Letters and digits the same."""
    return letters(got) == letters(wanted)


def time_of(text):
    """Seconds, or the day alone, of an ISO date; None if it is none."""
    try:
        moment = datetime.datetime.fromisoformat(re.sub(r"(\.\d{3})\d+", r"\1", text.strip().replace("Z", "+00:00")))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)


def reference(options, records):
    """What @mozilla/readability makes of the pages, by id; None where it can't be run."""
    script = os.path.join(HERE, "..", "..", "bench", "readability", "readability.mjs")
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps({"id": record["id"], "html": record["html"]}) + "\n")
        file.flush()
        try:
            result = subprocess.run(["node", script, "articles", file.name], capture_output=True, text=True, check=False)
        except FileNotFoundError:
            return None, "there is no node"
    if result.returncode != 0:
        return None, result.stderr.strip().splitlines()[-1] if result.stderr.strip() else "it failed"
    return {row["id"]: row for row in map(json.loads, result.stdout.splitlines())}, ""


FIELDS = ("title", "byline", "published", "language", "direction")

# What the reference gives is not always what the page says; looked up in the pages, one by one.
WRONG_REFERENCES = {
    ("byline", "herald-sun-1"): "another column's author: the page names Laurie Oakes",
    ("byline", "liberation-1"): "a teaser's author: the page names AFP",
    ("byline", "nytimes-5"): "a teaser's author: a front page",
    ("byline", "royal-road"): "a button, Follow Author",
    ("byline", "salon-1"): "a teaser's author: the page names Richard (R.J.) Eskow",
    ("byline", "seattletimes-1"): "dates; the page names Benjamin Romano",
    ("byline", "spiceworks"): "a date",
    ("byline", "yahoo-4"): "a word of the menu",
    ("title", "v8-blog"): "the part behind the colon of \"Outside the web: standalone WebAssembly …\"",
    ("title", "yahoo-2"): "the front page's",
}


def fields_of_ours(extraction):
    direction = extraction.get("attributes", {}).get("direction", [""])[0]
    # A house that signs its articles itself is their source, not their author.
    names = extraction.get("authors", []) or [extraction.get("source", "")]
    return {"title": extraction.get("title", ""), "byline": "\n".join(names),
            "published": extraction.get("published", ""), "language": extraction.get("language", ""),
            "direction": direction}


def right(field, got, wanted):
    """Whether a field says what the reference says, where the reference says something."""
    if field == "byline":
        # The reference keeps the byline as it stands, with roles, dates and places in it, and the last of several; ours
        # are all the names.
        # A name that catalogues invert ("Roe, Jane") stands so there.
        names = [letters(name) for name in got.split("\n")]
        family, comma, given = wanted.partition(",")
        turned = letters(given + family) if comma else letters(wanted)
        return bool(letters(got)) and (all(name in letters(wanted) for name in names) or letters(wanted) in names
                                       or turned in names)
    if field == "published":
        ours, theirs = time_of(got), time_of(wanted)
        if ours is None or theirs is None:
            return alike(got, wanted)
        if len(got) == 10:
            return ours.date() == theirs.date()
        return ours.replace(microsecond=0) == theirs.replace(microsecond=0)
    if field == "language":
        return got.lower().replace("_", "-").split("-")[0] == wanted.lower().replace("_", "-").split("-")[0]
    if field == "title" and wanted.startswith(got) and got:
        # The reference leaves the site's name behind the title where it is no longer than the title's words allow.
        return not wanted[len(got):] or re.match(r"\s*[|\-–—:·_\[»@＜（]", wanted[len(got):]) is not None
    return alike(got, wanted)


def readability(options):
    path = shared("data/pages/readability_pages.jsonl.zst")
    verdict = Verdict("readability", options.half)
    records = [record for record in extract(options, path, "keep") if in_half(options, record["id"])]
    theirs, why = (None, "as told (--alone)") if options.alone else reference(options, records)
    print(f"{len(records)} pages ({options.half} half by the MD5 of the id)")
    if theirs is None:
        print(f"@mozilla/readability was not run: {why}")
    scores, their_scores, worst = [], [], []
    wrong = []
    asked, ours_right, theirs_right = (collections.Counter() for _ in range(3))
    for record in records:
        wanted = TextOf(record["expected_html"]).text()
        precision, recall, f = overlap(record["extraction"].get("body", ""), wanted)
        scores.append(f)
        worst.append((f, record["id"], precision, recall, record["extraction"].get("error", "")))
        expected = {"title": record["metadata"].get("title"), "byline": record["metadata"].get("byline"),
                    "published": record["metadata"].get("publishedTime"), "language": record["metadata"].get("lang"),
                    "direction": record["metadata"].get("dir")}
        ours = fields_of_ours(record["extraction"])
        reference_row = (theirs or {}).get(record["id"], {})
        if theirs is not None:
            their_scores.append(overlap(TextOf(reference_row.get("content", "")).text(), wanted)[2])
        for field in FIELDS:
            if not expected[field]:
                continue
            asked[field] += 1
            theirs_right[field] += right(field, reference_row.get(field, ""), expected[field])
            if right(field, ours[field], expected[field]):
                ours_right[field] += 1
            else:
                wrong.append((field, record["id"], expected[field], ours[field]))
    verdict.figure("text, mean token F1", mean(scores),
                   f"@mozilla/readability {mean(their_scores):.3f}" if theirs is not None else "")
    for field in FIELDS:
        if asked[field]:
            note = f"of {asked[field]}"
            if theirs is not None:
                note += f"; @mozilla/readability {theirs_right[field] / asked[field]:.3f}"
            verdict.figure(field, ours_right[field] / asked[field], note)
            mistaken = {name for of, name in WRONG_REFERENCES if of == field} & {record["id"] for record in records}
            if mistaken:
                still = sum(1 for of, name, _, _ in wrong if of == field and name not in mistaken)
                count = asked[field] - len(mistaken)
                verdict.figure(f"{field}, where reference is right", 1.0 - still / count, f"of {count}")
    for f, name, precision, recall, error in sorted(worst)[:options.worst]:
        print(f"  {f:.3f}  precision {precision:.3f}  recall {recall:.3f}  {name}  {error}")
    if options.worst:
        for field, name, wanted, got in sorted(wrong):
            print(f"  {field}  {name}\n     wanted {wanted!r}\n     got    {got!r}")
    return verdict.status()


# Plain page texts
# ----------------------------------------------------------------------------------------------------------------------

CORPORA = ("data/corpora/news.jsonl.zst", "data/corpora/socialistworker.jsonl.zst", "data/corpora/market_blogs.jsonl.zst")
OF_ARTICLES, OF_PAGES = 40, 20


def unpacked(options, path, limit):
    """The first records of a packed file."""
    tool = os.path.join(options.bin, "extraction_tool")
    with subprocess.Popen([tool, path, "unpack"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        for line in process.stdout:
            yield json.loads(line)
            limit -= 1
            if limit == 0:
                process.kill()
                return


def page_text(options):
    # The halves are other articles and other pages, and another seed.
    records = []
    seed = {"even": 2, "odd": 1, "all": 3}[options.half]
    articles = []
    for corpus in CORPORA:
        for article in unpacked(options, shared(corpus), 4000):
            if in_half(options, article["id"]) and article["title"]:
                articles.append(article)
    records += page_texts.from_articles(articles, OF_ARTICLES, seed)
    pages = [page for page in unpacked(options, shared("data/pages/readability_pages.jsonl.zst"), 1000)
             if in_half(options, page["id"])]
    records += page_texts.from_pages(pages, OF_PAGES, seed)
    verdict = Verdict("page_text", options.half)
    by_kind, worst = collections.defaultdict(list), []
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps(record) + "\n")
        file.flush()
        for record in extract(options, file.name, "keep"):
            body = record["extraction"].get("body", "")
            precision, recall, f = overlap(body, record["expected"])
            by_kind[record["id"].split()[0]].append((precision, recall, f))
            worst.append((f, precision, recall, record, body))
    every = [scores for kind in by_kind.values() for scores in kind]
    print(f"{len(every)} plain texts of pages ({options.half} half by the MD5 of the id)")
    for name, place in (("token precision", 0), ("token recall", 1)):
        note = ", ".join(f"{mean(s[place] for s in scores):.3f} of {len(scores)} from {kind}s"
                         for kind, scores in sorted(by_kind.items()))
        verdict.figure(name, mean(scores[place] for scores in every), note)
    for f, precision, recall, record, body in sorted(worst, key=lambda row: row[0])[:options.worst]:
        print(f"\n  {f:.3f}  precision {precision:.3f}  recall {recall:.3f}  {record['id']}")
        wanted, got = set(record["expected"].split("\n\n")), {line.removeprefix("- ") for line in body.split("\n")}
        for line in record["expected"].split("\n\n"):
            if line.removeprefix("• ") not in got:
                print("     missed:", line[:150])
        for line in got:
            if line and line not in wanted and "• " + line not in wanted:
                print("     wrong: ", line[:150])
    return verdict.status()


# Learned site rules
# ----------------------------------------------------------------------------------------------------------------------

SIBLINGS = 5


def host_of(url):
    return (urllib.parse.urlsplit(url).hostname or "").removeprefix("www.")


def paragraphs(options, count):
    """Paragraphs of real articles, none of them twice."""
    found = {}
    for article in unpacked(options, shared("data/corpora/news.jsonl.zst"), 4000):
        for part in article["body"].split("\n"):
            if len(part) >= 60:
                found[part] = True
        if len(found) >= count:
            break
    return list(found)


def made_siblings(page, without, texts, chosen, count):
    """`count` copies of a page, in each of which every text of 20 bytes of letters and more is another, but for the pieces that
    people noted as no part of the article: those stay, as if the site had them on all its pages."""
    kept = [letters(piece) for piece in without if letters(piece)]
    parts = re.split(r"(<script\b.*?</script\s*>|<style\b.*?</style\s*>|<!--.*?-->|<[^>]*>)", page,
                     flags=re.DOTALL | re.IGNORECASE)
    own = []
    for place, part in enumerate(parts):
        key = letters(html.unescape(part)) if place % 2 == 0 else ""
        if len(key.encode()) >= 20 and not any(piece in key or key in piece for piece in kept):
            own.append(place)
    copies = []
    for _ in range(count):
        copy = list(parts)
        for place in own:
            text = ""
            while len(text) < len(parts[place].strip()):
                text += (" " if text else "") + chosen.choice(texts)
            cut = text[:max(20, len(parts[place].strip()))]
            copy[place] = f" {html.escape(cut.rsplit(' ', 1)[0])}. "
        copies.append("".join(copy))
    return copies


def with_address(page, url):
    link = f'<link rel="canonical" href="{html.escape(url)}">'
    page = re.sub(r"<link[^>]*\brel=[\"']?canonical[^>]*>", "", page, flags=re.IGNORECASE)
    page = re.sub(r"<meta[^>]*\bproperty=[\"']?og:url[^>]*>", "", page, flags=re.IGNORECASE)
    opened = re.search(r"<head\b[^>]*>", page, flags=re.IGNORECASE)
    return page[:opened.end()] + link + page[opened.end():] if opened else link + page


def learn(options, folder, rules):
    program = os.path.join(options.bin, "dateline")
    result = subprocess.run([program, "extract", "--learn", folder], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                            check=False)
    if result.returncode not in (0, 3):
        raise RuntimeError(f"{program} extract --learn: exit status {result.returncode}")
    with open(rules, "wb") as file:
        file.write(result.stdout)
    return result.stdout.decode()


def bodies(options, paths, *flags):
    """The body by path; nothing for those without an article."""
    found = {}
    program = os.path.join(options.bin, "dateline")
    for path in paths:
        result = subprocess.run([program, "extract", path, "--output", "jsonl", *flags], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, check=False)
        found[path] = json.loads(result.stdout).get("body", "") if result.stdout.strip() else ""
    return found


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def learned(options):
    pieces_path = shared("data/pages/trafilatura_eval.jsonl.zst")
    readability_path = shared("data/pages/readability_pages.jsonl.zst")
    texts = paragraphs(options, 20000)
    verdict = Verdict("learned", options.half)
    with tempfile.TemporaryDirectory() as folder:
        # Pages of hosts that have several: what is learned from the others is measured on each.
        hosts = collections.defaultdict(list)
        for record in unpacked(options, readability_path, 1000):
            stated = re.search(r"<link[^>]*\brel=[\"']?canonical[^>]*\bhref=[\"']?([^\"' >]+)", record["html"])
            if stated:
                hosts[host_of(stated.group(1))].append((record, stated.group(1)))
        real_before, real_after, rows = [], [], []
        for host, records in sorted(hosts.items()):
            if len(records) < 4:  # One is left out.
                continue
            for place, (record, url) in enumerate(records):
                if not in_half(options, record["id"]):
                    continue
                base = os.path.join(folder, "real", host, str(place))
                for other, (sibling, address) in enumerate(records):
                    if other != place:
                        write(os.path.join(base, f"{other}.html"), with_address(sibling["html"], address))
                rules = learn(options, base, base + ".rules")
                path = write(base + ".page/page.html", with_address(record["html"], url))
                wanted = TextOf(record["expected_html"]).text()
                before = overlap(bodies(options, [path])[path], wanted)[2]
                after = overlap(bodies(options, [path], "--site_rules", base + ".rules")[path], wanted)[2]
                real_before.append(before)
                real_after.append(after)
                rows.append((record["id"], before, after, rules.count("\ndrop")))
        print(f"{len(real_before)} pages of hosts with four pages or more ({options.half} half by the MD5 of the id)")
        verdict.figure("mean token F1, before", mean(real_before))
        verdict.figure("mean token F1, after", mean(real_after))
        for name, before, after, drops in rows:
            print(f"  {before:.3f} {after:.3f}  {drops} rules  {name}")

        # Siblings that were made.
        records, made = [], 0
        chosen = random.Random(2)
        for record in unpacked(options, pieces_path, 1000):
            if not in_half(options, record["url"]):
                continue
            page = base64.b64decode(record["html_base64"])
            try:
                page = page.decode("utf-8")
            except UnicodeDecodeError:
                continue
            number = len(records)
            for copy, text in enumerate(made_siblings(page, record["without"], texts, chosen, SIBLINGS)):
                write(os.path.join(folder, "made", f"{number}-{copy}.html"),
                      with_address(text, f"https://site-{number}.example/{copy}"))
            path = write(os.path.join(folder, "pages", f"{number}.html"),
                         with_address(page, f"https://site-{number}.example/page"))
            records.append((path, record))
        rules = learn(options, os.path.join(folder, "made"), os.path.join(folder, "made.rules"))
        if options.worst:
            print(rules)
        made = rules.count("\n[") + rules.startswith("[")
        before = bodies(options, [path for path, _ in records])
        after = bodies(options, [path for path, _ in records], "--site_rules", os.path.join(folder, "made.rules"))
        totals = {"before": collections.Counter(), "after": collections.Counter()}
        changed = 0
        for path, record in records:
            changed += before[path] != after[path]
            for when, found in (("before", before), ("after", after)):
                body = spaced(found[path])
                missed = sum(spaced(piece) not in body for piece in record["with"])
                wrong = sum(spaced(piece) in body for piece in record["without"])
                totals[when].update({"found": len(record["with"]) - missed, "missed": missed, "wrong": wrong})
            if options.worst and before[path] != after[path]:
                lost = set(before[path].split("\n\n")) - set(after[path].split("\n\n"))
                gained = set(after[path].split("\n\n")) - set(before[path].split("\n\n"))
                print(path, record["url"], "\n  lost", [t[:80] for t in lost], "\n  gained", [t[:80] for t in gained])
        print(f"{len(records)} pages with {SIBLINGS} siblings made of each ({options.half} half by the MD5 of the URL); "
              f"rules for {made}, {changed} texts changed by them")
        for when, counts in totals.items():
            precision, recall, f = rates(counts)
            print(f"  {when}: {dict(counts)}")
            verdict.figure(f"pieces, {when}: precision", precision)
            verdict.figure(f"pieces, {when}: recall", recall)
            verdict.figure(f"pieces, {when}: F", f)
    return verdict.status()


# ----------------------------------------------------------------------------------------------------------------------

def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["pieces", "readability", "page_text", "learned"])
    parser.add_argument("--bin", required=True, help="folder of the built programs")
    parser.add_argument("--half", choices=["even", "odd", "all"], default="even")
    parser.add_argument("--alone", action="store_true", help="don't run @mozilla/readability beside")
    parser.add_argument("--worst", type=int, default=0, help="list that many pages")
    options = parser.parse_args()
    return {"pieces": pieces, "readability": readability, "page_text": page_text,
            "learned": learned}[options.what](options)


if __name__ == "__main__":
    sys.exit(main())
