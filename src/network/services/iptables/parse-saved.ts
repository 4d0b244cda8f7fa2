/** What `iptables-save` prints, as far as it is ours: our chains by their marks, the lines of our lists, and the jumps of the built-in chains to us. */
import { emptyProgrammed, type Programmed } from "../ruleset.ts";
import { LISTS } from "./render-base.ts";

export function parseSaved(text: string, short: string): Programmed {
  const programmed = emptyProgrammed();
  const rules = new Map<string, string[]>();
  const lists = new Set(LISTS.map((name) => name.replace("/", `/${short}`)));
  let table = "";
  for (const line of text.split("\n")) {
    const [, declared] = /^:(\S+) /.exec(line) ?? [];
    const [, chain = "", rule = ""] = /^-A (\S+) ?(.*)$/.exec(line) ?? [];
    if (line.startsWith("*")) table = line.slice(1);
    else if (declared?.startsWith(`${short}-`)) rules.set(`${table}/${declared}`, []);
    else if (chain !== "") readRule(`${table}/${chain}`, rule, short, rules, programmed);
  }
  for (const [name, own] of rules) {
    const [, mark = "none"] = /#([0-9a-f]{10})"/.exec(own[0] ?? "") ?? [];
    if (!lists.has(name)) programmed.chains.set(name, `${mark}/${own.length}`);
    else {
      programmed.sets.add(name);
      for (const rule of own) readElement(name, rule, programmed);
    }
  }
  return programmed;
}

function readRule(
  container: string,
  rule: string,
  short: string,
  rules: Map<string, string[]>,
  programmed: Programmed,
): void {
  const own = rules.get(container);
  if (own !== undefined) own.push(rule);
  // Of chains that are not ours only what leads to ours.
  else if (rule.includes(`-j ${short}-`)) readElement(container, rule, programmed);
}

function readElement(container: string, rule: string, { elements }: Programmed): void {
  const [, key = "", value = ""] = /^(.*?) ?-j (\S+)$/.exec(rule) ?? [];
  elements.set(`${container} ${key}`, value);
}
