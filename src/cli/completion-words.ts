/** What the shell offers beside names: the words and options of every command, from the commands themselves. */
import type { Command } from "commander";
import { LOCAL_COMMANDS } from "./command-list.ts";

/** By the words typed so far: `user token` has its subcommands, and its options. */
export type CompletionWords = ReadonlyMap<
  string,
  { readonly below: readonly string[]; readonly options: readonly string[] }
>;

const OF_ALL = ["--server", "--token", "--ca", "--no-color"];

/** `program`: with all commands. */
export function completionWords(program: Command): CompletionWords {
  return new Map(program.commands.flatMap((command) => entriesOf(command, command.name())));
}

function entriesOf(
  command: Command,
  path: string,
): readonly (readonly [string, { below: string[]; options: string[] }])[] {
  const below = command.commands.map((one) => one.name());
  const own = command.options.flatMap(({ long, hidden }) => (long == null || hidden ? [] : [long]));
  const isLocal = LOCAL_COMMANDS.has(path.split(" ")[0] ?? "");
  const options = [...new Set([...own, ...(isLocal ? [] : OF_ALL), "--help"])];
  const deeper = command.commands.flatMap((one) => entriesOf(one, `${path} ${one.name()}`));
  return [[path, { below, options }], ...deeper];
}
