#!/usr/bin/python3
"""Writes classifier_service/data/gazetteer/names.txt: given names and surnames, as a body of news uses them.

    DATELINE_SHARED=FOLDER scripts/learn_names.py

The gazetteer knows by them that "Kenya Moore" and "Jools Holland" are people. A pair of capitalised words is a person's
name where the news itself says so: it is followed by an age ("Kenya Moore, 44,"), or it is a speaker ("said Kenya Moore").
A given name stands before many surnames, a surname behind several given names or a title. Words that the same news writes
in lower case are left out ("Price", "Young"), and so are names that one article alone has. Needs the optional data
(corpora/news.jsonl.zst under $DATELINE_SHARED/data) and zstd; the same data give the same file.
"""

import collections
import json
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SHARED = os.environ.get("DATELINE_SHARED", os.path.join(os.path.dirname(ROOT), "shared"))
OUT = os.path.join(ROOT, "classifier_service", "data", "gazetteer", "names.txt")
WORD = r"[A-Z][a-zà-öø-ÿ]{2,}(?:[-'’][A-Z][a-z]+)?"
AGED = re.compile(rf"\b({WORD}) ((?:Mc|Mac|O['’]|De|La|Le)?{WORD}), \d\d,")
SPEAKER = re.compile(rf"\b(?:said|says|told|added|according to) ({WORD}) ((?:Mc|Mac|O['’]|De|La|Le)?{WORD})\b")
TITLED = re.compile(rf"\b(?:Mr|Mrs|Ms)\.? ((?:Mc|Mac|O['’]|De|La|Le)?{WORD})\b")
# Capitalised beside names all the same.
NO_NAMES = set("""President Prime Minister Senator Secretary Sir Lord Lady Dame Judge Justice Doctor Professor Captain Major
General Colonel Sergeant Lieutenant Inspector Detective Superintendent Constable Officer Chief Director Manager Coach Chairman
Chairwoman Spokesman Spokeswoman Governor Mayor Councillor King Queen Prince Princess Duke Pope Father Bishop Archbishop
Reverend Brother Sister Uncle Aunt The This That His Her Their Our Your And But For With From When Where While After Before
Former Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June July August September
October November December North South East West Northern Southern Eastern Western Central New Old Great United Royal National
American British English French German Russian Chinese Japanese Indian Irish Scottish Welsh Australian Canadian Israeli Iranian
Iraqi Syrian Turkish Greek Italian Spanish Dutch Swedish Republican Democratic Democrat Labour Conservative Police Attorney
Representative Congressman Congresswoman Commissioner Ambassador Deputy Vice Acting Trump Brexit Twitter Facebook Google""".split())


def main():
    given, family, titled = (collections.defaultdict(set) for _ in range(3))
    seen_in = collections.defaultdict(set)
    lower = collections.Counter()
    path = os.path.join(SHARED, "data", "corpora", "news.jsonl.zst")
    with subprocess.Popen(["zstd", "-dc", path], stdout=subprocess.PIPE) as process:
        for number, line in enumerate(process.stdout):
            body = json.loads(line)["body"]
            for pattern in (AGED, SPEAKER):
                for first, last in pattern.findall(body):
                    if first in NO_NAMES or last in NO_NAMES:
                        continue
                    given[first].add(last)
                    family[last].add(first)
                    for name in (first, last):
                        seen_in[name].add(number)
            for last in TITLED.findall(body):
                if last not in NO_NAMES:
                    titled[last].add(number)
            if number % 2 == 0:
                lower.update(re.findall(r"\b[a-zà-öø-ÿ]{3,}\b", body))
    word = lambda name: lower[name.lower()] >= 4 * max(1, len(seen_in[name]) // 20)
    firsts = sorted(n for n in given if len(given[n]) >= 4 and len(seen_in[n]) >= 4 and not word(n))
    lasts = sorted(n for n in set(family) | set(titled)
                   if (len(family[n]) >= 2 or len(titled[n]) >= 3) and len(seen_in[n] | titled[n]) >= 3 and not word(n))
    with open(OUT, "w", encoding="utf-8") as out:
        out.write("# Learned from news by scripts/learn_names.py: do not edit. GIVEN before surnames, SURNAME behind given names.\n")
        out.write("GIVEN : " + "; ".join(firsts) + "\n")
        out.write("SURNAME : " + "; ".join(lasts) + "\n")
    print(len(firsts), "given names,", len(lasts), "surnames")


if __name__ == "__main__":
    main()
