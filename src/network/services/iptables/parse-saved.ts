/** What `iptables-save` prints, as far as it is ours: our chains by their marks, the lines of our lists, and the jumps of the built-in chains to us. */
import { emptyProgrammed, type Programmed } from "../ruleset.ts";
import { LISTS } from "./render-base.ts";

/** Key of a jump that comes too late: not the one that is wanted, so that it is put in its place. */
const LATE = "late";

export function parseSaved(text: string, short: string): Programmed {
  const programmed = emptyProgrammed();
  const rules = new Map<string, string[]>();
  const lists = new Set(LISTS.map((name) => name.replace("/", `/${short}`)));
  /** Built-in chains in which Docker comes before us, as after its restart: it would let pass what is to be refused. */
  const late = new Set<string>();
  let table = "";
  for (const line of text.split("\n")) {
    const [, declared] = /^:(\S+) /.exec(line) ?? [];
    const [, chain = "", rule = ""] = /^-A (\S+) ?(.*)$/.exec(line) ?? [];
    if (line.startsWith("*")) table = line.slice(1);
    else if (declared?.startsWith(`${short}-`)) rules.set(`${table}/${declared}`, []);
    else if (rules.has(`${table}/${chain}`)) rules.get(`${table}/${chain}`)?.push(rule);
    else if (rule.includes("-j DOCKER")) late.add(`${table}/${chain}`);
    // Of chains that are not ours only what leads to ours.
    else if (rule.includes(`-j ${short}-`)) readElement(`${table}/${chain}`, rule, late, programmed);
  }
  for (const [name, own] of rules) {
    const [, mark = "none"] = /#([0-9a-f]+)"/.exec(own[0] ?? "") ?? [];
    if (!lists.has(name)) programmed.chains.set(name, `${mark}/${own.length}`);
    else {
      programmed.sets.add(name);
      for (const rule of own) readElement(name, rule, late, programmed);
    }
  }
  return programmed;
}

function readElement(container: string, rule: string, late: ReadonlySet<string>, { elements }: Programmed): void {
  const [, key = "", value = ""] = /^(.*?) ?-j (\S+)$/.exec(rule) ?? [];
  elements.set(`${container} ${late.has(container) ? LATE : key}`, value);
}
