/** What `nft list table` prints, as far as it is ours. Rules are not compared word by word (nft prints them in its own): a chain is known by the mark in its first comment and the number of its rules. */
import { emptyProgrammed, type Programmed } from "../ruleset.ts";

export function parseTable(text: string, prefix: string): Programmed {
  const programmed = emptyProgrammed();
  for (const [, kind, name = "", body = ""] of text.matchAll(
    /^\t(chain|set|map|ct timeout) (\S+) \{\n(.*?)^\t\}$/gms,
  )) {
    if (!name.startsWith(prefix)) continue;
    if (kind === "chain") programmed.chains.set(name, markIn(body));
    else {
      programmed.sets.add(name);
      // Clients of an endpoint are the kernel's own to write.
      if (!/^\t\tflags .*dynamic/m.test(body)) readElements(name, body, programmed.elements);
    }
  }
  return programmed;
}

function markIn(body: string): string {
  const rules = body.split("\n").filter((line) => line.startsWith("\t\t") && !line.startsWith("\t\ttype "));
  const [, mark = "none"] = /#([0-9a-f]+)"/.exec(rules[0] ?? "") ?? [];
  return `${mark}/${rules.length}`;
}

function readElements(container: string, body: string, elements: Map<string, string>): void {
  const [, list = ""] = /elements = \{(.*)\}/s.exec(body) ?? [];
  for (const item of list.split(",")) {
    const [, key, value = ""] = /^\s*(\S.*?)(?: comment "[^"]*")?(?: : goto (\S+))?\s*$/.exec(item) ?? [];
    if (key !== undefined) elements.set(`${container} ${key}`, value);
  }
}
