/** Command lines as systemd reads them: no shell. Source: systemd src/core/load-fragment.c config_parse_exec(). */
import { extractWord, isFatal, skipSpace } from "./words.ts";

export interface ExecCommand {
  /** The file to execute: an absolute path, or a name to look up. */
  readonly path: string;
  /** As the process sees it, argv[0] first; variables not yet put in. */
  readonly argv: readonly string[];
  /** `-`: a failure counts as success. */
  readonly ignoresFailure: boolean;
  /** `:` leaves variables as they are written. */
  readonly expandsVariables: boolean;
  /** `+`, `!`, `!!`: without the unit's User=. */
  readonly privileged: boolean;
  /** Where it stands in the unit file. */
  readonly line: number;
}

export interface ExecLine {
  readonly commands: readonly ExecCommand[];
  /** The setting as a whole is refused (the unit does not load), unless `-` stood before what is wrong. */
  readonly error?: string;
  readonly warnings: readonly string[];
}

const RULES = { unescape: true, relaxed: false } as const;

/** Reads one Exec…= value (continuations joined). `expand` puts in the specifiers. */
export function parseExecLine(value: string, line: number, expand: (text: string) => string): ExecLine {
  const commands: ExecCommand[] = [];
  const warnings: string[] = [];
  let at = 0;
  for (;;) {
    const first = extractWord(value, at, RULES);
    if (!first) return { commands, warnings };
    const prefix = readPrefix(first.text);
    const refusal = (error: string): ExecLine =>
      prefix.ignoresFailure
        ? { commands, warnings: [...warnings, `${error}; the command is left out, because of its "-"`] }
        : { commands, warnings, error };
    if (first.problem && isFatal(first.problem)) return refusal(quotingMessage(first.problem.kind));
    if (first.problem) warnings.push(escapeMessage(first.problem.text));
    at = first.rest;
    if (first.text === ";") continue;

    const path = expand(first.text.slice(prefix.length));
    const wrongPath = pathProblem(path);
    if (wrongPath !== undefined) return refusal(wrongPath);
    const rest = readArguments(value, at, expand);
    warnings.push(...rest.warnings);
    if (rest.error !== undefined) return refusal(rest.error);
    const argv = prefix.separateArgv0 ? rest.words : [path, ...rest.words];
    if (argv[0] === undefined || argv[0] === "") return refusal(`there is no argument after "@${path}" to be its name`);
    commands.push({
      path: simplifyPath(path),
      argv,
      ignoresFailure: prefix.ignoresFailure,
      expandsVariables: !prefix.literal,
      privileged: prefix.privileged,
      line,
    });
    if (!rest.more) return { commands, warnings };
    at = rest.rest;
  }
}

interface Prefix {
  readonly length: number;
  readonly ignoresFailure: boolean;
  readonly separateArgv0: boolean;
  readonly literal: boolean;
  readonly privileged: boolean;
}

/** Each of `-`, `@`, `:` once, and one of `+`, `!`, `!!`, in any order; what comes after is the path. */
function readPrefix(word: string): Prefix {
  const seen = new Set<string>();
  let at = 0;
  for (; at < word.length; at++) {
    const character = word[at] ?? "";
    const isSecondBang = character === "!" && seen.has("!") && !seen.has("!!");
    if (isSecondBang) {
      seen.add("!!");
      continue;
    }
    if (!"-@:+!".includes(character) || seen.has(character)) break;
    if ((character === "+" && seen.has("!")) || (character === "!" && seen.has("+"))) break;
    seen.add(character);
  }
  return {
    length: at,
    ignoresFailure: seen.has("-"),
    separateArgv0: seen.has("@"),
    literal: seen.has(":"),
    privileged: seen.has("+") || seen.has("!"),
  };
}

interface Arguments {
  readonly words: readonly string[];
  readonly warnings: readonly string[];
  readonly error?: string;
  /** A `;` of its own: another command follows at `rest`. */
  readonly more: boolean;
  readonly rest: number;
}

function readArguments(value: string, from: number, expand: (text: string) => string): Arguments {
  const words: string[] = [];
  const warnings: string[] = [];
  let at = from;
  while (at < value.length) {
    if (/^;(?:\s|$)/.test(value.slice(at, at + 2)))
      return { words, warnings, more: true, rest: skipSpace(value, at + 1) };
    if (/^\\;(?:\s|$)/.test(value.slice(at, at + 3))) {
      words.push(";");
      at = skipSpace(value, at + 2);
      continue;
    }
    const word = extractWord(value, at, RULES);
    if (!word) break;
    if (word.problem && isFatal(word.problem))
      return { words, warnings, error: quotingMessage(word.problem.kind), more: false, rest: at };
    if (word.problem) warnings.push(escapeMessage(word.problem.text));
    words.push(expand(word.text));
    at = word.rest;
  }
  return { words, warnings, more: false, rest: at };
}

function pathProblem(path: string): string | undefined {
  if (path === "") return "there is no program to execute after the prefix";
  if (/[\p{Cc}"\\]/u.test(path)) return `the program's name has special characters: ${JSON.stringify(path)}`;
  if (path.endsWith("/")) return `"${path}" is a folder, not a program`;
  if (!path.startsWith("/") && path.includes("/"))
    return `"${path}" is neither an absolute path nor a plain name to look up`;
  if (path === "." || path === "..") return `"${path}" is not a program`;
  return undefined;
}

/** systemd's path_simplify: no doubled slashes, no `.` parts. */
function simplifyPath(path: string): string {
  if (!path.startsWith("/")) return path;
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  return `/${parts.join("/")}`;
}

function quotingMessage(kind: string): string {
  return kind === "trailing-backslash" ? "the line ends in a lone backslash" : "a quote is opened and never closed";
}

function escapeMessage(text: string): string {
  return `"${text}" is no escape sequence and stays as it is; write "\\\\" for a backslash`;
}
