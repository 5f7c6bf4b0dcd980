"""Plain texts of pages as a browser's "save as text" gives them, with what of them is the article.

Made of real articles and real pages, with a seed: `from_articles` sets the paragraphs of an article of the corpora into
menus, share bars, labels, a biography, a newsletter box and teasers of other articles of the same corpus, in the manner
of one of several sites; `from_pages` renders whole HTML pages, of which the article is known, a line for each block.
"""

import html.parser
import random
import re
import unicodedata

TERMINAL = tuple(".!?:…。！？؟\"”’'»)")


def words(text):
    return len(text.split())


def paragraphs_of(body):
    """The paragraphs of a corpus article without the scraps that its collector left: bylines, places, credits."""
    lines = [" ".join(line.split()) for line in re.split(r"\n+", body)]
    lines = [line for line in lines if line]
    kept = []
    for i, line in enumerate(lines):
        prose = words(line) >= 8 and line.endswith(TERMINAL)
        amid = 0 < i < len(lines) - 1 and all(words(lines[k]) >= 15 and lines[k].endswith(TERMINAL) for k in (i - 1, i + 1))
        heading = amid and 2 <= words(line) <= 8 and line[0].isupper() and line[-1].isalnum()
        short = amid and line.endswith((".", "?", "!", "”", '"'))
        if prose or heading or short:
            kept.append(line)
    return kept


def usable(article):
    """Whether an article is long and clean enough to stand for one."""
    lines = [line for line in article["body"].split("\n") if line.strip()]
    kept = paragraphs_of(article["body"])
    furniture = re.compile(r"subscribe|newsletter|copyright|all rights reserved|click here|advertisement|read more|related:|"
                           r"follow (us|him|her|me)\b|posted (in|by)|filed under|photo:|image:|https?://|\bwww\.|@\w", re.I)
    return (words(article.get("title", "")) >= 4 and len(kept) >= 6 and len(kept) >= 0.8 * len(lines)
            and 250 <= words(" ".join(kept)) <= 2500 and not any(furniture.search(line) for line in kept)
            and not any(len(word) > 60 for word in article["body"].split()))


MONTHS = ("January February March April May June July August September October November December").split()
FIRST = "Maria Daniel Aisha Peter Sofia Omar Helen Lukas Nadia Victor Elena Samuel Grace Tomás Ingrid Yusuf".split()
LAST = "Okafor Lindqvist Haddad Moreno Whitfield Petrov Castellani Nakamura Dufour Rahman Kowalski Barnes Achebe".split()
COUNTRIES = "Iran Nigeria Brazil Ukraine Kenya Turkey Japan Mexico Poland Egypt India Chile".split()
ISSUES = "Geopolitics|Trade|Energy|Human Rights|Elections|Climate|Security|Migration|Economy".split("|")
SITES = "The Harbour Review|Policy Lantern|Open Meridian|Northfield Institute|Daily Compass|The Ledger Post".split("|")
MENUS = [
    "Home|About|Publications|Events|Programs|Experts|Media|Contact|Donate".split("|"),
    "News|World|Politics|Business|Opinion|Culture|Sport|Video|Podcasts|Newsletters|Subscribe|Sign in".split("|"),
    "Latest|Analysis|Regions|Africa|Asia|Europe|Middle East|Americas|Issues|Reports|Search".split("|")]
FOOTERS = [
    ["About Us", "Careers", "Privacy Policy", "Terms of Use", "Cookie Settings", "© 2023 {site}. All rights reserved."],
    ["Contact", "Press", "Advertise with us", "RSS", "Follow us", "Facebook", "Twitter", "LinkedIn",
     "Copyright © 2024 {site}"]]


class Site:
    """One site's manner, chosen by a seed."""

    def __init__(self, rng, articles):
        self.rng, self.articles = rng, articles
        self.name = rng.choice(SITES)

    def date(self):
        rng = self.rng
        day, month, year = rng.randint(1, 28), rng.choice(MONTHS), rng.randint(2015, 2024)
        return rng.choice([f"{month} {day}, {year}", f"{day} {month} {year}"])

    def person(self):
        return f"{self.rng.choice(FIRST)} {self.rng.choice(LAST)}"

    def menu(self):
        items = self.rng.choice(MENUS)
        bullet = self.rng.choice(["• ", "* ", "  • ", ""])
        return [bullet + item for item in items]

    def cut(self, text, count):
        return " ".join(text.split()[:count]).rstrip(".,;:") + self.rng.choice(["...", "…", " […]"])

    def teasers(self, count, manner):
        """Titles of other articles with what sites set beside them."""
        lines = []
        for article in self.rng.sample(self.articles, count):
            lead = paragraphs_of(article["body"])[0]
            if manner == "titles":
                lines.append([article["title"]])
            elif manner == "dated":
                lines.append([article["title"], self.date(), self.cut(lead, 45) if words(lead) > 55 else lead])
            elif manner == "cut":
                lines.append([self.rng.choice(COUNTRIES), article["title"], "Commentary",
                              self.cut(lead, self.rng.randint(12, 25))])
            else:
                lines.append([article["title"], f"By {self.person()}", self.cut(lead, 20), "Read more"])
        return [line for group in lines for line in group]

    def head(self, article, author):
        rng = self.rng
        lines = []
        if rng.random() < 0.5:
            lines += ["Skip to content"]
        lines += self.menu()
        if rng.random() < 0.3:
            lines += ["We use cookies to improve your experience. By continuing to use this site you accept them.", "Accept"]
        if rng.random() < 0.3:
            lines += self.teasers(3, "titles")
        if rng.random() < 0.6:
            lines += ["• Home", f"• {article['title']}"]
        lines += [article["title"]]
        if rng.random() < 0.6:
            lines += [f"By {author}"]
        if rng.random() < 0.7:
            lines += [self.date()]
        if rng.random() < 0.3:
            lines += [f"{rng.randint(2, 12)} min read"]
        if rng.random() < 0.4:
            lines += rng.sample(["Share", "Facebook", "Twitter", "LinkedIn", "Email", "Print"], 4)
        return lines

    def text(self, paragraphs):
        """The paragraphs with what stands among them; returns the lines."""
        rng = self.rng
        lines = []
        for i, paragraph in enumerate(paragraphs):
            lines.append(paragraph)
            prose = words(paragraph) > 20 and 0 < i < len(paragraphs) - 1 and words(paragraphs[i + 1]) > 12
            if prose and rng.random() < 0.06:
                lines.append(f"Read also: {rng.choice(self.articles)['title']}")
            elif prose and rng.random() < 0.05:
                lines.append("Advertisement")
            elif prose and rng.random() < 0.04:
                lines.append(f"Photo: {self.person()} / {self.name}")
        return lines

    def tail(self, author):
        rng = self.rng
        lines = []
        if rng.random() < 0.5:
            lines += [rng.choice([
                f"The views and opinions expressed in this article are those of the author and do not necessarily reflect "
                f"the views of {self.name}.",
                f"The opinions expressed here are solely those of the author and do not represent {self.name}."])]
        if rng.random() < 0.6:
            lines += [f"Issue: {rng.choice(ISSUES)}", f"Country: {rng.choice(COUNTRIES)}"]
        elif rng.random() < 0.5:
            lines += [f"Tags: {', '.join(rng.sample(ISSUES, 3))}"]
        bio = [f"{author} is a {rng.choice(['senior fellow', 'researcher', 'professor of politics'])} at the "
               f"{rng.choice(SITES)} and the author of several books on {rng.choice(ISSUES).lower()}."]
        if rng.random() < 0.3:
            bio = ["About the author"] + bio
        newsletter = ["Subscribe to our newsletter", "Get the week's best reading in your inbox every Friday.", "Email address",
                      "Sign up"]
        related = [rng.choice(["Related articles", "Read more", "More from this author", "You may also like"])]
        related += self.teasers(rng.randint(3, 5), rng.choice(["dated", "cut", "signed"]))
        comments = [f"{rng.randint(2, 40)} comments", "Log in to comment",
                    self.person(), "I could not agree more with what is written here, and I will send it to my friends.",
                    "Reply"]
        sidebar = self.teasers(rng.randint(4, 8), "cut")
        parts = [bio if rng.random() < 0.6 else [], newsletter if rng.random() < 0.5 else [], related,
                 comments if rng.random() < 0.3 else []]
        rng.shuffle(parts)
        for part in parts:
            lines += part
        lines += sidebar
        if rng.random() < 0.5:
            lines += sidebar  # For small screens and large ones.
        lines += [line.format(site=self.name) for line in rng.choice(FOOTERS)]
        return lines


def wrapped(lines, width):
    out = []
    for line in lines:
        current = ""
        for word in line.split():
            if current and len(current) + 1 + len(word) > width:
                out.append(current)
                current = word
            else:
                current = f"{current} {word}".strip()
        out += [current, ""]
    return out


def from_articles(articles, count, seed):
    """`count` records {"id", "text", "expected"} from articles {"id", "title", "body"}."""
    rng = random.Random(seed)
    good = [article for article in articles if usable(article)]
    records = []
    for article in rng.sample(good, count):
        site = Site(rng, [other for other in rng.sample(good, 60) if other["id"] != article["id"]])
        author = site.person()
        paragraphs = paragraphs_of(article["body"])
        lines = site.head(article, author) + site.text(paragraphs) + site.tail(author)
        manner = rng.random()
        if manner < 0.6:
            text = "\n\n".join(lines)
        elif manner < 0.85:
            text = "\n".join(lines)
        else:
            text = "\n".join(wrapped(lines, rng.choice([72, 78])))
        records.append({"id": f"article {article['id']}", "text": text, "expected": "\n\n".join(paragraphs)})
    return records


class Lines(html.parser.HTMLParser):
    """A page's text, a line for each block, as browsers save it."""

    INLINE = {"a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "dfn", "em", "font", "i", "ins", "kbd", "mark", "q",
              "s", "samp", "small", "span", "strong", "sub", "sup", "time", "u", "var", "wbr", "del", "tt", "strike", "img"}
    HIDDEN = {"script", "style", "noscript", "template", "svg", "math", "head", "iframe", "object", "select", "textarea"}

    def __init__(self, markup):
        super().__init__(convert_charrefs=True)
        self.lines, self.line, self.hidden = [], "", []
        self.feed(markup)
        self.close()
        self.end_line()

    def end_line(self):
        text = " ".join(unicodedata.normalize("NFC", self.line).split())
        if text.strip("•* "):
            self.lines.append(text)
        self.line = ""

    def handle_starttag(self, tag, attrs):
        if self.hidden or tag in self.HIDDEN:
            if tag in self.HIDDEN:
                self.hidden.append(tag)
            return
        if tag not in self.INLINE:
            self.end_line()
            self.line = "• " if tag == "li" else ""

    def handle_startendtag(self, tag, attrs):
        if tag not in self.HIDDEN:
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        if tag in self.HIDDEN:
            if tag in self.hidden:
                del self.hidden[self.hidden.index(tag):]
        elif not self.hidden and tag not in self.INLINE:
            self.end_line()

    def handle_data(self, data):
        if not self.hidden:
            self.line += data


def from_pages(pages, count, seed):
    """`count` records of pages {"id", "html", "expected_html"} with an article of some length and much around it."""
    rng = random.Random(seed)
    records = []
    for page in rng.sample(pages, len(pages)):
        lines = Lines(page["html"]).lines
        article = [line for line in Lines(page["expected_html"]).lines]
        prose = [line for line in article if words(line) >= 12 and line.endswith(TERMINAL)]
        whole, part = words(" ".join(lines)), words(" ".join(article))
        if len(prose) < 6 or words(" ".join(prose)) < 0.85 * part or whole < 1.3 * part or part > 5000:
            continue  # Lists, tables, code; or nothing around it.
        records.append({"id": f"page {page['id']}", "text": "\n\n".join(lines), "expected": "\n\n".join(article)})
        if len(records) == count:
            break
    return records
