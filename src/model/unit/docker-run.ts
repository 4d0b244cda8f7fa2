/** Units that run containers themselves: `docker run` in a command line, found so that the container can be shown with its unit. */
import type { ServiceSettings } from "./service-settings.ts";
import { splitWords } from "./words.ts";

/** docker's global flags that take a value in the next word. Source: docker 28 `docker --help`. */
const GLOBAL_WITH_VALUE = new Set([
  "--config",
  "-c",
  "--context",
  "-H",
  "--host",
  "-l",
  "--log-level",
  "--tlscacert",
  "--tlscert",
  "--tlskey",
]);

/** Index of the first word after `run` or `create` (`container run` too), where flags may be put in; undefined when it is neither. */
export function dockerRunAt(argv: readonly string[]): number | undefined {
  if (baseName(argv[0] ?? "") !== "docker") return undefined;
  let at = 1;
  while (argv[at]?.startsWith("-")) at += GLOBAL_WITH_VALUE.has(argv[at] ?? "") ? 2 : 1;
  if (argv[at] === "container") at++;
  return argv[at] === "run" || argv[at] === "create" ? at + 1 : undefined;
}

/** The flags put in right after the subcommand, before whatever the user wrote. */
export function withDockerFlags(argv: readonly string[], flags: readonly string[]): readonly string[] {
  const at = dockerRunAt(argv);
  return at === undefined ? argv : argv.toSpliced(at, 0, ...flags);
}

/** Names that the unit gives containers it starts, also from inside `sh -c "… docker run --name x …"`. Sorted. */
export function dockerRunNames(service: ServiceSettings): readonly string[] {
  const commands = [...service.execStartPre, ...service.execStart, ...service.execStartPost];
  const names = commands.flatMap(({ argv, path }) => {
    const direct = [path, ...argv.slice(1)];
    return dockerRunAt(direct) === undefined ? shellNames(argv) : nameFlag(direct, dockerRunAt(direct) ?? 0);
  });
  return [...new Set(names)].filter(isContainerName).toSorted();
}

/** Looks at words only, never at what a shell would make of them: names with variables in them are not found. */
function shellNames(argv: readonly string[]): readonly string[] {
  return argv.slice(1).flatMap((script) => {
    const words = splitWords(script, { unescape: false, relaxed: true }).words.map((word) => word.replace(/;+$/, ""));
    return words.flatMap((word, at) => {
      const rest = words.slice(at);
      const begins = dockerRunAt([word, ...rest.slice(1)]);
      return begins === undefined ? [] : nameFlag(rest, begins);
    });
  });
}

/** `--name x`, `--name=x`, and `-name x` as Docker before 1.3 took it. The first one before the image is not told from one after it. */
function nameFlag(argv: readonly string[], from: number): readonly string[] {
  for (let at = from; at < argv.length; at++) {
    const word = argv[at] ?? "";
    if (word === "--name" || word === "-name") return argv.slice(at + 1, at + 2);
    const assigned = /^--?name=(.+)$/s.exec(word);
    if (assigned) return [assigned[1] ?? ""];
  }
  return [];
}

function isContainerName(name: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
