/** A difference as `iptables-restore --noflush` reads it: per table one transaction. */
import { commentOf } from "../names.ts";
import type { Difference } from "../ruleset.ts";

export function restoreInput(difference: Difference): string {
  return ["nat", "filter"].map((table) => tableInput(table, difference)).join("");
}

function tableInput(table: string, difference: Difference): string {
  const { newSets, chains, goneElements, newElements, goneChains, goneSets } = difference;
  const within = (name: string): string[] => (name.startsWith(`${table}/`) ? [name.slice(table.length + 1)] : []);
  const gone = [...goneChains, ...goneSets].flatMap(within);
  const declared = [...newSets.map(([name]) => name), ...chains.map(({ name }) => name)].flatMap(within);
  const lines = [
    // Makes the chain, or empties it.
    ...[...declared, ...gone].map((name) => `:${name} - [0:0]`),
    ...goneElements.flatMap(({ container, key, value }) =>
      within(container).map((name) =>
        gone.includes(name) ? "" : `-D ${name} ${isBuiltIn(name) ? "" : key} -j ${value}`,
      ),
    ),
    ...chains.flatMap(({ name, chain }) =>
      within(name).flatMap((to) =>
        chain.rules.map((rule, at) => `-A ${to} ${at === 0 ? comment(commentOf(chain)) : ""}${rule}`),
      ),
    ),
    ...newElements.flatMap(({ container, key, value }) =>
      within(container).map((name) => `${isBuiltIn(name) ? `-I ${name} 1` : `-A ${name}`} ${key} -j ${value}`),
    ),
    ...gone.map((name) => `-X ${name}`),
  ].filter((line) => line !== "");
  return lines.length === 0 ? "" : `*${table}\n${lines.join("\n")}\nCOMMIT\n`;
}

function comment(words: string): string {
  return `-m comment --comment "${words}" `;
}

/** Before others' rules: Docker's translate and drop. */
function isBuiltIn(chain: string): boolean {
  return /^[A-Z]+$/.test(chain);
}
