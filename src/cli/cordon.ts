import type { Command } from "commander";
import { CliFailure } from "./failure.ts";
import { plainText } from "./plain-text.ts";
import { openSession } from "./session.ts";
import type { Terminal } from "./terminal.ts";

/** Two commands that differ in one word. */
export function register(program: Command, terminal: Terminal): void {
  add(program, terminal, "cordon", true, "Place nothing new on these nodes; what runs there goes on running.");
  add(program, terminal, "uncordon", false, "Place pods on these nodes again.");
}

function add(program: Command, terminal: Terminal, word: string, cordoned: boolean, description: string): void {
  program
    .command(word)
    .description(description)
    .argument("<nodes...>", "names, or beginnings that only one node has")
    .action(async (names: string[], _options: object, command: Command) => {
      const client = openSession(command, terminal);
      const known = (await client.nodes()).map(({ name }) => name);
      for (const node of names.map((name) => findNode(name, known))) {
        await client.setCordoned(node, cordoned);
        terminal.out(`node ${plainText(node)} ${word}ed\n`);
      }
      const again = `styr nodes, and styr uncordon ${names.join(" ")} when it may take pods again`;
      if (cordoned) terminal.err(`next: ${plainText(terminal.asTyped(again))}\n`);
    });
}

export function findNode(name: string, known: readonly string[]): string {
  if (known.includes(name)) return name;
  const begun = known.filter((node) => node.startsWith(name));
  const [only] = begun;
  if (only !== undefined && begun.length === 1) return only;
  if (begun.length === 0)
    throw unknownNode(
      name,
      known.map((node) => ({ name: node })),
    );
  throw new CliFailure(`"${name}" could be any of: ${begun.slice(0, 10).join(", ")}`, { next: "styr nodes" });
}

export function unknownNode(name: string, known: readonly { readonly name: string }[]): CliFailure {
  const names = known.slice(0, 10).map((node) => node.name);
  const there = names.length === 0 ? "; no node has joined yet" : `; there are: ${names.join(", ")}`;
  return new CliFailure(`there is no node "${name}"${there}`, { next: "styr nodes" });
}
