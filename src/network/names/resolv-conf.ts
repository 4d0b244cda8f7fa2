/** resolv.conf(5), as far as we read and write it. Pure. */
import { isIP } from "node:net";

export interface ResolvConf {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

/** glibc's limits since 2.26 for the search list are none; Kubernetes' are these. */
export const MOST_NAMESERVERS = 3;
export const MOST_SEARCHES = 32;

export function parseResolvConf(text: string): ResolvConf {
  const nameservers: string[] = [];
  let searches: readonly string[] = [];
  const options: string[] = [];
  for (const line of text.split("\n")) {
    const [word, ...values] = line
      .replace(/[#;].*$/, "")
      .trim()
      .split(/\s+/);
    if (word === "nameserver" && isIP((values[0] ?? "").replace(/%.*$/, "")) !== 0) nameservers.push(values[0] ?? "");
    // The last one counts, of both words.
    else if (word === "search" || word === "domain") searches = values.map((name) => name.replace(/\.$/, ""));
    else if (word === "options") options.push(...values);
  }
  return { nameservers, searches: searches.filter((name) => name !== ""), options };
}

const BEGIN = "# styrmann begins: names of the cluster";
const END = "# styrmann ends";

/** With our server before all others, and the names that short ones are looked for below. Undefined: it is so already. */
export function withOurs(text: string, address: string, searches: readonly string[]): string | undefined {
  const rest = withoutOurs(text) ?? text;
  const own = parseResolvConf(rest);
  const search = [...new Set([...own.searches, ...searches])].slice(0, MOST_SEARCHES);
  // A later `search` replaces an earlier one, so ours stands at the end; nameservers count in their order.
  const lines = [BEGIN, `nameserver ${address}`, END, rest.replace(/\n*$/, "")];
  const tail = search.length > own.searches.length ? ["", BEGIN, `search ${search.join(" ")}`, END] : [];
  const wanted = [...lines, ...tail, ""].join("\n");
  return wanted === text ? undefined : wanted;
}

/** As it was before; undefined: there is nothing of ours in it. */
export function withoutOurs(text: string): string | undefined {
  if (!text.includes(BEGIN)) return undefined;
  const kept: string[] = [];
  let isOurs = false;
  for (const line of text.split("\n")) {
    if (line === BEGIN) isOurs = true;
    else if (line === END && isOurs) isOurs = false;
    else if (!isOurs) kept.push(line);
  }
  return `${kept.join("\n").replace(/\n*$/, "")}\n`;
}
