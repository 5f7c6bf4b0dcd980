#!/usr/bin/python3
"""Makes classifier_service/data/gazetteer/gazetteer.tsv from the sources and the reviewed part beside it.

    DATELINE_SHARED=FOLDER scripts/make_gazetteer.py

Needs the optional data (gazetteer/entities.jsonl.zst, gazetteer/organisations.jsonl and corpora/news.jsonl.zst under
$DATELINE_SHARED/data), the Debian packages iso-codes, libicu72 (CLDR 42: other versions give other display names) and
zstd. The output depends on nothing else and comes out the same every time; it is committed, so that neither building
nor running needs any of this.

What stands in curated.txt outranks everything. names.txt (scripts/learn_names.py) has names of people, demonyms.txt what
peoples are called in other languages than English; well-known cities in these languages are those by which ICU names
time zones. Of all these, a surface form is taken only if it is unlikely to mean something else: the news corpus says how
often a word is written in lower case, and how often the name of a city is used as a place (after "in", "from", ...)
rather than as a person's name.
"""

import collections
import ctypes
import glob
import json
import os
import re
import subprocess
import sys
import unicodedata

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DATA = os.path.join(ROOT, "classifier_service", "data", "gazetteer")
SHARED = os.environ.get("DATELINE_SHARED", os.path.join(os.path.dirname(ROOT), "shared"))
ICU_VERSION = "72"
# Display names are kept in these; those whose names are also looked for in texts are the same.
LANGUAGES = "en ar de es fa fr he hi id it ja ko pt ru tr uk ur zh".split()
KINDS = set("NAME DEMONYM CAPITAL METONYM CITY SUBDIVISION PLACE LEADER PERSON ORGANISATION CURRENCY".split())
FLAGS = "display nomatch alias any caps word hyphen comma weak person aside each disputed successor".split()
PREPOSITIONS = set("in at from near to of outside around across visited toward towards into".split())
# People and other words of these roles stand for their country; envoys and governors are named where they are posted.
ROLE = re.compile(r"president|prime minister|premier|chancellor|king|queen|emir|sultan|monarch|head of state"
                  r"|head of government|chief of state|foreign|secretary of state|minister|supreme leader"
                  r"|central bank|speaker", re.I)
NOT_ROLE = re.compile(r"ambassador|governor of|permanent rep|mayor|deputy|junior|consul", re.I)
# Demonyms and cities are taken in these, beside English.
TRANSLATED = "ar fa fr es de ru tr he zh".split()
MAX_TOKENS = 8
# Names of cities that are words of their language, parts of common ones, or names of people.
CITY_WORDS = set("مسقط سيول سئول سول لومي ديلي أبيا أكرا سمراء صوفيا صوفیه دوشنبه ریاض اسلو وین برن رم الخلیل دارون داروین "
                 "אפיה דילי סופיה דרווין הוברט София Дарвин Аделаида Adelaida Riad Saint-Domingue "
                 "达尔文 河内 里加 达卡 罗马 马累 万象".split())
OBSOLETE_LATIN_NAMES = {"de", "es", "fr", "id", "it", "pt", "tr"}


def lines(path):
    if path.endswith(".zst"):
        with subprocess.Popen(["zstd", "-dc", path], stdout=subprocess.PIPE) as process:
            for line in process.stdout:
                yield line.decode("utf-8")
    else:
        with open(path, encoding="utf-8") as file:
            yield from file


def fold(text):
    text = unicodedata.normalize("NFD", text.casefold())
    return unicodedata.normalize("NFC", "".join(c for c in text if unicodedata.category(c) != "Mn"))


def tokens(text):
    return re.findall(r"\w+", fold(text))


def key(text):
    return " ".join(tokens(text.replace(".", "") if re.fullmatch(r"(\w\.)+\w?\.?", text) else text))


def is_latin(text):
    return all("LATIN" in unicodedata.name(c, "") for c in text if c.isalpha())


class News:
    """How the words of a large body of news are written."""

    def __init__(self):
        self.lower = collections.Counter()
        self.upper = collections.Counter()
        self.placed = collections.Counter()   # Capitalised after a preposition of place.
        self.named = collections.Counter()    # Capitalised beside another capitalised word.
        self.pairs = collections.Counter()    # Two words, the first in lower case.
        word = re.compile(r"[^\W\d_]+(?:[.,;:!?\"”’'()]?)")
        for count, line in enumerate(lines(os.path.join(SHARED, "data/corpora/news.jsonl.zst"))):
            if count % 3:
                continue
            record = json.loads(line)
            before, glued = "", False
            for raw in word.findall(record.get("body") or record.get("text") or ""):
                bare = raw if raw[-1].isalpha() else raw[:-1]
                if not bare:
                    continue
                folded = bare.lower()
                if bare[0].isupper():
                    self.upper[folded] += 1
                    if before.lower() in PREPOSITIONS:
                        self.placed[folded] += 1
                    if glued and before[:1].isupper():
                        self.named[folded] += 1
                        self.named[before.lower()] += 1
                else:
                    self.lower[folded] += 1
                    if glued:
                        self.pairs[before.lower() + " " + folded] += 1
                before, glued = bare, raw[-1].isalpha()

    def is_word(self, surface, share=0.02):
        """Written in lower case often enough to be mistaken."""
        parts = [fold(part) for part in surface.split()]
        if len(parts) == 1:
            low = self.lower[parts[0]]
            return low >= 3 and low > share * (low + self.upper[parts[0]])
        return len(parts) == 2 and self.pairs[" ".join(parts)] >= 2

    def is_place(self, surface):
        """A single word that news uses as a place at least as often as not; unseen ones are taken for places."""
        folded = surface.lower()
        seen = self.upper[folded]
        if seen < 8:
            return True
        return self.placed[folded] >= 0.22 * seen and self.named[folded] < 0.75 * seen


class Table:
    def __init__(self):
        self.rows = {}        # (key, target) -> row
        self.owners = collections.defaultdict(list)
        self.order = 0

    def add(self, surface, target, kind, lang="", source="", start="", end="", flags=(), first=False):
        surface = unicodedata.normalize("NFC", " ".join(surface.split()))
        if not surface or "\t" in surface:
            return
        identity = (key(surface) if kind not in ("MEMBER", "GIVEN", "SURNAME") else surface + kind, target, kind == "MEMBER", lang,
                    "hyphen" in flags, start if kind == "MEMBER" else "", "display" in flags)
        if identity in self.rows:
            return
        self.order += 1
        self.rows[identity] = (0 if first else 1, self.order, surface, target, kind, lang, source, str(start), str(end),
                               set(flags))
        if "nomatch" not in flags and kind not in ("MEMBER", "GIVEN", "SURNAME"):
            self.owners[key(surface)].append(target)

    def owner(self, surface):
        return self.owners.get(key(surface), [])


def curated(table, news):
    dropped = set()
    groups = set()
    for number, line in enumerate(lines(os.path.join(DATA, "curated.txt")), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        head, _, body = line.partition(" :")
        words = head.split()
        surfaces = [part.strip() for part in body.split(";") if part.strip()]
        if words[0] == "drop":
            dropped.update(key(surface) for surface in surfaces)
            continue
        target, kind, flags, language, start, end, case = words[0], words[1], set(), "", "", "", False
        for word in words[2:]:
            if word == "case":
                case = True
            elif word in FLAGS:
                flags.add(word)
            elif word in LANGUAGES:
                language = word
            elif re.fullmatch(r"-?\d{4}-?|\d{4}-\d{4}", word):
                start, _, end = word.partition("-")
            else:
                sys.exit(f"curated.txt:{number}: unknown flag {word}")
        if kind not in KINDS | {"MEMBER", "GIVEN"}:
            sys.exit(f"curated.txt:{number}: unknown kind {kind}")
        if "display" in flags:
            groups.add(target)
            flags.add("alias")
        for surface in surfaces:
            forms = [surface[:-1], surface[:-1] + "s"] if surface.endswith("+") and target != "opec_plus" else [surface]
            for form in forms:
                mine = set(flags)
                if form.endswith("-"):
                    form, mine = form[:-1], mine | {"hyphen"}
                if kind in ("MEMBER", "GIVEN"):
                    table.add(form, target, kind, "", "dateline", start, end, mine)
                    continue
                if "." in form and re.fullmatch(r"(\w\.)+\w?\.?", form):
                    mine.add("caps")
                elif form.isupper() and len(form) <= 4 and " " not in form and form not in ("NATO", "OPEC"):
                    mine.add("caps")
                lang = language or ("en" if "display" in mine or "alias" in mine else "")
                simple = kind in ("NAME", "DEMONYM", "CAPITAL") and not language and not case and \
                    not mine & {"caps", "weak", "hyphen"}
                if simple and not news.is_word(form):
                    mine.add("any")
                table.add(form, target, kind, lang, "dateline", start, end, mine, first=True)
    return dropped, groups


def names_of_people(table):
    for line in lines(os.path.join(DATA, "names.txt")):
        kind, _, names = line.strip().partition(" : ")
        if kind in ("GIVEN", "SURNAME"):
            for name in names.split("; "):
                if not table.owner(name):
                    table.add(name, "-", kind, source="news")


def countries(table, news, dropped):
    with open("/usr/share/iso-codes/json/iso_3166-1.json", encoding="utf-8") as file:
        codes = {row["alpha_2"]: row for row in json.load(file)["3166-1"]}
    codes["XK"] = {"alpha_2": "XK", "name": "Kosovo"}
    library = ctypes.CDLL(sorted(glob.glob(f"/usr/lib/*/libicuuc.so.{ICU_VERSION}"))[0])
    display = getattr(library, f"uloc_getDisplayCountry_{ICU_VERSION}")
    for code in sorted(codes):
        for lang in LANGUAGES:
            buffer, status = (ctypes.c_uint16 * 256)(), ctypes.c_int(0)
            length = display(f"und_{code}".encode(), lang.encode(), buffer, 256, ctypes.byref(status))
            name = bytes(buffer)[:2 * length].decode("utf-16-le")
            if status.value > 0 or not name or name == code:
                continue
            short = re.sub(r"\s*[(（].*?[)）]\s*", "", name)
            flags = {"display"}
            latin = is_latin(name)
            taken = [owner for owner in table.owner(short) if owner != code]
            unwanted = key(short) in dropped and (lang != "en" or code == "RE")
            if unwanted or taken or (latin and lang != "en" and
                                                  (len(short) < 4 or news.is_word(short) or not news.is_place(short))):
                flags.add("nomatch")
            elif not latin or (lang == "en" and not news.is_word(short)):
                flags.add("any")
            if lang == "en" and code in ("GG", "JE", "TD", "JO", "GN", "MU", "CN"):
                flags.discard("any")
            if short == name:
                table.add(name, code, "NAME", lang, "CLDR", flags=flags)
            else:
                table.add(name, code, "NAME", lang, "CLDR", flags={"display", "nomatch"})
                table.add(short, code, "NAME", lang, "CLDR", flags=flags - {"display"})
            if lang == "en" and " & " in name:
                table.add(name.replace("&", "and"), code, "NAME", "en", "CLDR", flags={"alias", "any"})
            if lang == "en" and name.startswith("St. "):
                table.add(name.replace("St. ", "Saint "), code, "NAME", "en", "CLDR", flags={"alias", "any"})
                table.add(name.replace("St. ", "St "), code, "NAME", "en", "CLDR", flags={"alias", "any"})
            if lang == "de" and " " not in short and "nomatch" not in flags and short[-1] not in "sxz" and \
                    not table.owner(short + "s") and not news.is_word(short + "s"):
                table.add(short + "s", code, "NAME", lang, "CLDR")    # "Österreichs".
            if lang in ("ru", "uk"):
                for form in slavic_cases(short):
                    if not table.owner(form):
                        table.add(form, code, "NAME", lang, "CLDR", flags={"any"})
        official = codes[code].get("official_name", "")
        if official and "," not in official and not table.owner(official):
            table.add(official, code, "NAME", "en", "iso-codes", flags={"alias"})
    return codes


def slavic_cases(name):
    """The other cases of a Russian or Ukrainian name of one word, by its ending."""
    if " " in name or "-" in name or name[-1] in "оеиыуюіє":
        return []
    stem, last = name[:-1], name[-1]
    if name.endswith(("ия", "ія")):
        return [stem + end for end in ("и", "ю", "ей", "ї", "єю")]
    if last == "я":
        return [stem + end for end in ("и", "е", "ю", "ей", "і")]
    if last == "а":
        return [stem + end for end in ("ы", "е", "у", "ой", "и", "і", "ою")]
    if last == "ь":
        return [stem + end for end in ("я", "ю", "ем", "и")]
    if last == "й":
        return [stem + end for end in ("я", "ю", "ем")]
    return [name + end for end in ("а", "у", "ом", "е", "і")]


def years(record):
    """First and last year of an entity; '' where unknown."""
    if record.get("from") or record.get("to"):
        return (record.get("from") or "")[:4], (record.get("to") or "")[:4]
    period = (record.get("period") or "").replace(" ", "")
    match = re.fullmatch(r"([<>]?)(\d{6,8})(?:-(\d{6,8}))?", period)
    if not match:
        return "", ""

    def year(digits):
        if len(digits) == 8:
            return digits[:4]
        return ("20" if int(digits[:2]) < 30 else "19") + digits[:2]
    first, last = year(match.group(2)), year(match.group(3)) if match.group(3) else ""
    if match.group(1) == "<":
        return "", first
    return first, last


def career(terms):
    """The years from somebody's first term to the last; no end where one is open, or the sources may not have the next:
    they were made in the 2010s."""
    starts, ends = [start for _, start, _ in terms], [end for _, _, end in terms]
    last = "" if "" in ends or max(ends) >= "2005" else max(ends)
    return {"start": "" if "" in starts else min(starts), "end": last}


# What the sources have among persons and is none: parliaments, palaces and offices, which speak for their state, and bodies.
SEAT = re.compile(r"\b(House|Palace|Congress|Senate|Assembly|House of Representatives|Secretary|Spokes\w+|Attorney General"
                  r"|Commander in Chief|Trade Representative|(Secretary|Chancellor) of (State|Defen[cs]e|Germany|Homeland Security))$")
BODY = re.compile(r"\b(Corps|Administration|Bureau|Board|Corporation|Foundation|Institute|Service|Staff|Patrol|Survey|Reserve"
                  r"|Scientists|Region)$|^(Bureau|Federation) of ")
# What only groups have in their names, and before the names of persons among them.
GROUP = re.compile(r"\b(Arm(y|ies)|Armed|Forces?|Groups?|Front|Movement|Organi[sz]ation|Party|Brigades?|Battalions?|Squads?|Units?"
                   r"|Command\w*|Militia|Factions?|Cells?|Committee|Council|Union|League|Network|Gang|Guards?|Corps|Rifles"
                   r"|Mujah\w+|Volunteers|Warriors|Defenders|Club|Commission|Alliance|Congress|Resistance|Liberation|Revolution\w*"
                   r"|Foundation|Agency|Clan|Knights|Klans?|Solidarity|Jihad\w*|Islam\w*|Suicide|Team|Program\w*|Staff|National"
                   r"|Military|Navy|Marines|Police|Republic|State|Province|Hawks|Tigers|Nation|Church|Order|Communist|Posse|Sena|Qaeda)\b")
HONORIFIC = re.compile(r"(Prime Minister|President|General|Colonel|Sheikh?|Say[ye][ie]d|Seyyed|Ayatollah|Mullah|Abu) ")


def kind_of_person(surface):
    """The kind of a candidate that a source calls a person or a government."""
    return "METONYM" if SEAT.search(surface) else "ORGANISATION" if BODY.search(surface) else "PERSON"


def is_person(surface, given_names):
    """Whether a candidate that a source calls a force or an armed group is one of its leaders or spokesmen."""
    if GROUP.search(surface) or kind_of_person(surface) != "PERSON" or re.search(r"\d", surface):
        return False
    return bool(HONORIFIC.match(surface)) or surface.split()[0] in given_names


def clean(surface):
    return surface if re.fullmatch(r"[^\W\d_][\w .'’-]*[\w.]", surface) else ""


def sources(table, news, dropped, codes):
    places = collections.defaultdict(lambda: collections.defaultdict(int))
    people = collections.defaultdict(dict)
    groups = collections.defaultdict(dict)
    # Given names by which persons among the armed groups are known: of officials, whose role the source says.
    given_names = collections.Counter(row[2] for row in table.rows.values() if row[4] == "GIVEN" and "weak" not in row[9])
    for line in lines(os.path.join(SHARED, "data/gazetteer/entities.jsonl.zst")):
        record = json.loads(line)
        surface, code, kind = clean(record["surface"]), record["iso2"], record["kind"]
        if not surface or code not in codes or key(surface) in dropped or len(tokens(surface)) > MAX_TOKENS:
            continue
        count = len(tokens(surface))
        if kind == "city":
            population = record.get("pop") or 0
            places[surface][code] = max(places[surface][code], population + (10**7 if record.get("feature") == "PPLC" else 0))
        elif kind == "admin1":
            places[surface][code] = max(places[surface][code], 1)
        elif kind in ("person", "person-or-gov"):
            role, tag = record.get("role", ""), record.get("code", "")
            if count < 2 or count > 4 or len(surface) < 8 or any(len(part) < 2 for part in surface.split()):
                continue
            if (role and (not ROLE.search(role) or NOT_ROLE.search(role))) or (tag and not re.search("GOV|ELI", tag)):
                continue
            if tag and not re.fullmatch(r"[A-Z][^ ]+(?: [A-Za-z'.’-]+){1,3}", surface):
                continue
            if re.search(r"Ministry|Minister|Government|Party|Court|Army|Council|Office|Bank|Committee|Agency|Police"
                         r"|Commission|Embassy|Cabinet|Parliament|Force|Department|Official|Authority|President\b|Leader",
                         surface):
                continue
            if role and count < 4:
                given_names[surface.split()[0]] += 1
            surface = re.sub(r"^(President|Governor General|Governor|King|Queen|Premier) ", "", surface)
            if len(surface.split()) < 2:
                continue
            people[surface].setdefault(code, []).append((record["source"], *years(record)))
        elif kind == "armed_group" and count >= 2 and len(surface) >= 12:
            groups[surface].setdefault(code, (record["source"], *years(record)))
        elif kind == "military" and count >= 2:
            groups[surface].setdefault(code, (record["source"], *years(record)))
        elif kind in ("demonym", "official") and not table.owner(surface) and not news.is_word(surface):
            flags = {"alias"} if kind == "official" and not surface.startswith("The ") else set()
            table.add(surface, code, "DEMONYM" if kind == "demonym" else "NAME", "en" if flags else "",
                      record["source"], flags=flags)
    for surface, by_code in sorted(places.items()):
        code, population = max(by_code.items(), key=lambda item: (item[1], item[0]))
        rest = sum(value for other, value in by_code.items() if other != code)
        single = len(surface.split()) == 1
        division = population == 1
        if table.owner(surface) or len(surface) < 4 or (len(by_code) > 1 and population < 6 * rest):
            continue
        if not division and population < (100_000 if single else 60_000):
            continue
        if news.is_word(surface, 0.01) or (single and not news.is_place(surface)):
            continue
        if division and (single and news.upper[surface.lower()] < 4 or surface.split()[0] in
                         ("North", "South", "East", "West", "Central", "Northern", "Southern", "Eastern", "Western", "Saint",
                          "St", "St.", "San", "Santa", "Upper", "Lower", "City", "New")):
            continue
        table.add(surface, code, "CAPITAL" if population >= 10**7 * 2 else "SUBDIVISION" if division else "CITY",
                  source="GeoNames")
    for surface, by_code in sorted(people.items()):
        if len(by_code) > 1 or table.owner(surface) or news.is_word(surface):
            continue
        (code, terms), = by_code.items()
        if code in table.owner(surface.removeprefix("The ")):
            continue
        table.add(surface, code, kind_of_person(surface), source=terms[0][0], **career(terms))
    for surface, by_code in sorted(groups.items()):
        if len(by_code) > 1 or table.owner(surface) or news.is_word(surface):
            continue
        (code, (source, start, end)), = by_code.items()
        if code in table.owner(surface.removeprefix("The ")):
            continue
        kind = "PERSON" if is_person(surface, given_names) else "ORGANISATION"
        table.add(surface, code, kind, source=source, start=start, end=end)
    for line in lines(os.path.join(SHARED, "data/gazetteer/organisations.jsonl")):
        record = json.loads(line)
        surface, code = clean(record["surface"]), record.get("iso2")
        if surface and code in codes and not table.owner(surface) and key(surface) not in dropped and \
                len(surface) >= 5 and not news.is_word(surface):
            table.add(surface, code, "ORGANISATION", source="organisations")


def french(word):
    if word.endswith(("en", "on")):
        return [word, word + "ne", word + "s", word + "nes"]
    if word.endswith("e"):
        return [word, word + "s"]
    if word.endswith(("s", "x")):
        return [word, word + "e", word + "es"]
    return [word, word + "e", word + "s", word + "es"]


def spanish(word):
    if word.endswith("o"):
        return [word[:-1] + end for end in ("o", "a", "os", "as")]
    if word[-2] in "áéíóú" and word[-1] in "ns":
        stem = word[:-2] + fold(word[-2]) + word[-1]
        return [word] + [stem + end for end in ("a", "es", "as")]
    if word.endswith("í"):
        return [word, word + "es", word + "s"]
    if word.endswith(("e", "a")):
        return [word, word + "s"]
    return [word + end for end in ("", "a", "es", "as")]


def german(word):
    if word.endswith(("isch", "deutsch")):
        return [word + end for end in ("", "e", "er", "es", "en", "em")]
    if word.endswith("e"):
        return [word, word + "n", word[:-1] + "in", word[:-1] + "innen"]
    return [word + end for end in ("", "n", "s", "in", "innen")]


def russian(word):
    """Women ("болгарка", "финка") are other words as often as not; so are genitives like "чехов" and "поляков"."""
    if word.endswith(("ский", "цкий")):
        return [word[:-2] + end for end in "ий ая ое ие ого ому им ом ой ую их ими".split()]
    if word.endswith("ец"):
        stem = word[:-2] + ("йц" if word[-3] in "ие" else "ьц" if word[-3] == "л" else "ц")
        return [word] + [stem + end for end in "а у ем е ы ев ам ами ах".split()]
    if word.endswith("нин"):
        return [word + end for end in ("", "а", "у", "ом", "е")] + [word[:-2] + end for end in ("е", "", "ам", "ами", "ах")]
    return [word + end for end in ("", "а", "у", "ом", "е", "и" if word[-1] in "кгх" else "ы", "ам", "ами", "ах")]


def turkish(word):
    last = [c for c in word.lower() if c in "aıoueiöü"][-1]
    plural = word + ("lar" if last in "aıou" else "ler")
    ends = ("", "ın", "a", "ı", "dan", "la") if last in "aıou" else ("", "in", "e", "i", "den", "le")
    return [word] + [plural + end for end in ends]


def arabic(word):
    """With and without the article; the matcher takes off what else is written as part of the next word."""
    parts = word.split()
    if parts[-1].endswith("ي"):
        if len(parts) == 2 and not parts[0].endswith("ي"):    # "جنوب أفريقي": the first word stays.
            forms = [parts[0] + " " + form for end in ("", "ة", "ون", "ين", "ات")
                     for form in (parts[1] + end, "ال" + parts[1] + end)]
            return forms
        forms = [" ".join(part + end for part in parts) for end in ("", "ة", "ون", "ين", "ات")]
    else:
        forms = [word]
    return forms + [" ".join("ال" + part for part in form.split()) for form in forms]


def persian(word):
    return [word, word + "ها"] + ([word + "ان"] if word.endswith("ی") else [])


def hebrew(word):
    return [word + end for end in ("", "ת", "ם", "ים", "ות")] if word.endswith("י") else [word]


INFLECT = {"fr": french, "es": spanish, "de": german, "ru": russian, "tr": turkish, "ar": arabic, "fa": persian, "he": hebrew}


class Translations:
    """Adds forms of other languages to what is there: a form is looked for in texts once for each target, and not if
    English news has it (unless told to `keep` it) or it is a name of another target."""

    def __init__(self, table, news, dropped):
        self.table, self.news, self.dropped = table, news, dropped
        self.owners = collections.defaultdict(set)
        self.people = set()
        for _, _, surface, target, kind, *_, flags in table.rows.values():
            if kind in ("GIVEN", "SURNAME"):
                self.people.add(self.key(surface))
            elif kind != "MEMBER" and "nomatch" not in flags:
                self.owners[self.key(surface)].add(target)

    @staticmethod
    def key(surface):
        """As gazetteer.cc sees it: letters that Arabic and Persian keyboards give each other's places are the same."""
        return key(surface.replace("\u200c", "")).translate(str.maketrans("یىکہە", "ييكهه"))

    def is_english(self, surface):
        form = self.key(surface)
        return is_latin(surface) and " " not in form and (
            form in self.people or form in self.dropped or form in self.news.lower or form in self.news.upper)

    def add(self, surface, target, kind, lang, source, flags):
        form = self.key(surface)
        flags = set(flags)
        if self.owners[form] or (self.is_english(surface) and "keep" not in flags):
            flags = {"nomatch"}
        elif "nomatch" not in flags:
            self.owners[form].add(target)
        self.table.add(surface, target, kind, lang, source, flags=flags - {"keep"})


def demonyms(table, translations):
    """What peoples are called in other languages: demonyms.txt, inflected."""
    words = collections.defaultdict(list)    # (language, word as it stands) -> its targets, with their flags.
    lang = ""
    for number, line in enumerate(lines(os.path.join(DATA, "demonyms.txt")), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if re.fullmatch(r"\[[a-z]{2}\]", line):
            lang = line[1:-1]
            continue
        head, _, body = line.partition(" : ")
        target, *flags = head.split()
        if lang not in INFLECT or not body or set(flags) - {"weak", "nomatch", "keep"}:
            sys.exit(f"demonyms.txt:{number}: write TARGET [weak|nomatch|keep] : word; word, below a [LANGUAGE] of "
                     f"{' '.join(INFLECT)}")
        for word in body.split("; "):
            words[lang, word].append((target, set(flags)))
    for (lang, word), targets in words.items():
        if targets[0][0] == "-":
            table.add(word, "-", "NAME", lang, "dateline", flags={"any"})
            continue
        for form in [word[1:]] if word.startswith("=") else dict.fromkeys(INFLECT[lang](word)):
            # German nouns and all that Turkish calls a people have capital letters.
            case = set() if form[0].isupper() else {"any"}
            for target, flags in targets:
                if len(targets) > 1:
                    table.add(form, target, "DEMONYM", lang, "dateline", flags=flags | case)
                else:
                    translations.add(form, target, "DEMONYM", lang, "dateline", flags | case)


def cities(table, codes, translations):
    """The cities after which ICU names the time zones of a country: its capital, and what curated.txt has in English."""
    common = ctypes.CDLL(sorted(glob.glob(f"/usr/lib/*/libicuuc.so.{ICU_VERSION}"))[0])
    i18n = ctypes.CDLL(sorted(glob.glob(f"/usr/lib/*/libicui18n.so.{ICU_VERSION}"))[0])

    def call(library, name, result, *arguments):
        function = getattr(library, f"{name}_{ICU_VERSION}")
        function.restype = result
        status = ctypes.c_int(0)
        value = function(*arguments, ctypes.byref(status))
        return value if status.value <= 0 else None

    def string_at(bundle, name):
        length = ctypes.c_int(0)
        text = call(common, "ures_getStringByKey", ctypes.c_void_p, bundle, name, ctypes.byref(length))
        return ctypes.string_at(text, 2 * length.value).decode("utf-16-le") if text else ""

    def zones(code):
        found = call(i18n, "ucal_openTimeZoneIDEnumeration", ctypes.c_void_p, 2, code.encode(), None)   # Canonical, located.
        found = ctypes.c_void_p(found)
        length = ctypes.c_int(0)
        while (name := call(common, "uenum_next", ctypes.c_char_p, found, ctypes.byref(length))) is not None:
            yield name.decode()
        getattr(common, f"uenum_close_{ICU_VERSION}")(found)

    words = {translations.key(word) for word in CITY_WORDS}
    kinds = {}    # What is known of English names.
    for _, _, surface, target, kind, lang, source, start, end, flags in table.rows.values():
        known = kind == "CAPITAL" or (kind == "CITY" and source == "dateline")
        if known and lang in ("", "en") and "nomatch" not in flags and not start and not end:
            kinds.setdefault((key(surface), target), kind)
    located = [(code, zone) for code in sorted(codes) if code != "XK" for zone in sorted(zones(code))]
    names = {}    # (language, zone) -> city.
    for lang in ["en"] + TRANSLATED:
        bundle = ctypes.c_void_p(call(common, "ures_open", ctypes.c_void_p, f"icudt{ICU_VERSION}l-zone".encode(), lang.encode()))
        strings = ctypes.c_void_p(call(common, "ures_getByKey", ctypes.c_void_p, bundle, b"zoneStrings", None))
        for _, zone in located:
            entry = call(common, "ures_getByKey", ctypes.c_void_p, strings, zone.replace("/", ":").encode(), None)
            if entry:
                names[lang, zone] = string_at(ctypes.c_void_p(entry), b"ec")
                getattr(common, f"ures_close_{ICU_VERSION}")(ctypes.c_void_p(entry))
        getattr(common, f"ures_close_{ICU_VERSION}")(strings)
        getattr(common, f"ures_close_{ICU_VERSION}")(bundle)
    for code, zone in located:
        english = names.get(("en", zone)) or zone.rpartition("/")[2].replace("_", " ")
        kind = kinds.get((key(english), code))
        if not kind or set(table.owner(english)) != {code}:
            continue
        for lang in TRANSLATED:
            name = re.sub(r"\xad| *\(.*", "", names.get((lang, zone), ""))
            short = len(name) < (2 if lang == "zh" else 4)
            if not name or short or translations.key(name) in words or translations.owners[translations.key(name)] or \
                    translations.is_english(name):
                continue
            forms = [name] + (slavic_cases(name) if lang == "ru" else [])
            for form in forms:
                if not translations.owners[translations.key(form)]:
                    translations.add(form, code, kind, lang, "CLDR", set())



def main():
    news = News()
    table = Table()
    dropped, groups = curated(table, news)
    codes = countries(table, news, dropped)
    sources(table, news, dropped, codes)
    names_of_people(table)
    translations = Translations(table, news, dropped)
    demonyms(table, translations)
    cities(table, codes, translations)
    known = set(codes) | groups | {"-"}
    rows = []
    for rank, order, surface, target, kind, lang, source, start, end, flags in table.rows.values():
        if target not in known:
            sys.exit(f"{surface}: unknown target {target}")
        rows.append((target, kind != "MEMBER", "display" not in flags, rank, kind if rank else "", order,
                     "\t".join([surface, target, kind, lang, source, start, end,
                                ",".join(flag for flag in FLAGS if flag in flags)])))
    # Curated rows keep their order, because the first target of an ambiguous form is its default: the whole is sorted
    # by target, and each such form's rank among targets is the order in which curated.txt names them.
    ambiguous = {form: owners for form, owners in table.owners.items() if len(set(owners)) > 1}
    with open(os.path.join(DATA, "gazetteer.tsv"), "w", encoding="utf-8", newline="\n") as out:
        out.write("# Made by scripts/make_gazetteer.py from curated.txt and the sources named in ATTRIBUTION.md: do not edit.\n"
                  "# surface\ttarget\tkind\tlanguage\tsource\tfrom\tto\tflags\n")
        first = []
        for row in sorted(rows, key=lambda item: item[5]):
            fields = row[6].split("\t")
            if fields[2] not in ("MEMBER", "GIVEN", "SURNAME") and "nomatch" not in fields[7] and key(fields[0]) in ambiguous:
                first.append(row)
        chosen = {row[5] for row in first}
        later = [row for row in rows if row[5] not in chosen]
        out.write("# Forms with more than one meaning, the usual one first.\n")
        for row in first:
            out.write(row[6] + "\n")
        out.write("# All others, by target.\n")
        for row in sorted(later):
            out.write(row[6] + "\n")
    print(f"{len(rows)} rows, {len(first)} of ambiguous forms", file=sys.stderr)


if __name__ == "__main__":
    main()
