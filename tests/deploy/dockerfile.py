"""Reads the container files of deploy/docker: the instructions they use, no more; anything else is an error."""

import dataclasses
import json
import os
import re
import shlex

KNOWN = ("ARG", "FROM", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "VOLUME", "STOPSIGNAL", "HEALTHCHECK",
         "ENTRYPOINT", "CMD", "ENV")


@dataclasses.dataclass
class Instruction:
    word: str
    text: str


@dataclasses.dataclass
class Stage:
    base: str
    name: str
    instructions: list

    def only(self, word):
        """The text of the last such instruction; an error if there is none."""
        return [i.text for i in self.instructions if i.word == word][-1]

    def command(self, word):
        """ENTRYPOINT or CMD, which we write as JSON lists."""
        return json.loads(self.only(word))

    def health_command(self):
        options, command = self.only("HEALTHCHECK").split("CMD", 1)
        assert "--interval" in options, options
        return json.loads(command)

    def copies(self):
        """(source stage or None, sources, destination) of each COPY."""
        for instruction in self.instructions:
            if instruction.word != "COPY":
                continue
            words = shlex.split(instruction.text)
            stage = None
            if words[0].startswith("--from="):
                stage = words.pop(0).removeprefix("--from=")
            yield stage, words[:-1], words[-1]


def parse(path):
    """The stages of a container file, with ARGs before the first FROM filled in."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r"(?m)^\s*#.*\n", "", text).replace("\\\n", " ")
    arguments, stages = {}, []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        word, _, rest = line.partition(" ")
        if word not in KNOWN:
            raise ValueError(f"{path}: unknown instruction: {line}")
        rest = rest.strip()
        if word == "ARG" and not stages:
            name, _, value = rest.partition("=")
            arguments[name] = os.environ.get(f"ARG_{name}", value)
        elif word == "FROM":
            rest = re.sub(r"\$\{(\w+)\}", lambda match: arguments[match.group(1)], rest)
            base, _, name = rest.partition(" AS ")
            stages.append(Stage(base, name.strip(), []))
        else:
            stages[-1].instructions.append(Instruction(word, rest))
    return stages
