import { CommandError, type Commands } from "../../seams/commands.ts";
import { parseListener } from "../services/host-ports.ts";

/** HAProxy's words about a port that it cannot have. */
const IS_TAKEN = /Address already in use/;

/** With who has the port, and what to do: HAProxy says only that it is taken. */
export async function withPortHolder(words: string, ports: readonly number[], commands: Commands): Promise<string> {
  if (!IS_TAKEN.test(words)) return words;
  try {
    const { stdout } = await commands.run("ss", ["-Hltnp"]);
    const holders = ports.flatMap((port) => holderOf(stdout, port));
    const next = "next: stop it, or let it listen elsewhere; the way in begins by itself then";
    return holders.length === 0 ? words : `${[...new Set(holders)].join("; ")} (${next}): ${words}`;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return words;
  }
}

/** `LISTEN 0 128 0.0.0.0:80 …`: without -u, ss leaves the protocol out. */
function holderOf(text: string, port: number): readonly string[] {
  const found = text
    .split("\n")
    .flatMap((line) => parseListener(`tcp ${line}`) ?? [])
    .find(({ key }) => key === `tcp/${port}`);
  if (!found) return [];
  const { program = "another program", pid } = found;
  return [`port ${port} is taken by ${program}${pid === undefined ? "" : ` (pid ${pid})`}`];
}
