import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { commandList, LOCAL_COMMANDS } from "./command-list.ts";

const NAMES = commandList.map(({ name }) => name).join("|");
/** `styr` where a command follows it: `styr why styr` has one that is called and one that is a name. */
const CALLED = new RegExp(`(?<=^|\\s)styr(?= (${NAMES})\\b)`, "g");

/**
 * Hints as they can be typed here: `npx styr` where the shell would find no `styr`, and with the server that was named
 * on this command line. One that the environment names is named for the next command too.
 */
export function asTyped(
  hint: string,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  /** Where a server is looked for when none is named. */
  usualSocket?: string,
): string {
  const given = serverFlag(argv);
  const server = given === `unix://${usualSocket}` ? undefined : given;
  const called = isOnPath(env) ? "styr" : "npx styr";
  const named = server === undefined ? called : `${called} --server ${quoted(server)}`;
  return hint.replace(CALLED, (_styr, name: string) => (LOCAL_COMMANDS.has(name) ? called : named));
}

function isOnPath({ PATH = "", npm_command }: Readonly<Record<string, string | undefined>>): boolean {
  // npm puts these before the path of the shell that called it, and they are gone when it ends.
  const isOfNpm = (folder: string) => npm_command !== undefined && /node_modules\/\.bin\/?$/.test(folder);
  return PATH.split(delimiter).some(
    (folder) => folder !== "" && !isOfNpm(folder) && isExecutable(join(folder, "styr")),
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not there, or not for us: either way the shell would not start it.
    return false;
  }
}

function serverFlag(argv: readonly string[]): string | undefined {
  const end = argv.indexOf("--");
  const ours = end < 0 ? argv : argv.slice(0, end);
  const at = ours.indexOf("--server");
  return at >= 0 ? ours[at + 1] : ours.find((word) => word.startsWith("--server="))?.slice("--server=".length);
}

function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
