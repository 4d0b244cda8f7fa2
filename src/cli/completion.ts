import { type Command, Option } from "commander";
import { fullName } from "../model/workload-name.ts";
import { type CommandEntry, commandList } from "./command-list.ts";
import { type CompletionWords, completionWords } from "./completion-words.ts";
import { CliFailure } from "./failure.ts";
import { openSession } from "./session.ts";
import type { Terminal } from "./terminal.ts";
import { ambiguity } from "./workload-columns.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

export function register(program: Command, terminal: Terminal): void {
  program
    .command("completion")
    .description(
      'Prints shell completion, with the names of what runs. bash: eval "$(styr completion bash)";\n' +
        'zsh: eval "$(styr completion zsh)"; fish: styr completion fish | source.',
    )
    .argument("[shell]", "bash, zsh or fish")
    .addOption(new Option("--names <of>", "names for the shell to offer").choices(["workload", "node"]).hideHelp())
    .action(async (shell: string | undefined, { names }: { names?: "workload" | "node" }, command: Command) => {
      if (names !== undefined) return printNames(terminal, command, names);
      if (!SHELLS.includes(shell as Shell)) throw new CliFailure(`give a shell: ${SHELLS.join(", ")}`);
      terminal.out(completionScript(shell as Shell, completionWords(program)));
    });
}

/** Called by the shell while a person types: whatever goes wrong must not write into their line. */
async function printNames(terminal: Terminal, command: Command, names: "workload" | "node"): Promise<void> {
  const client = openSession(command, terminal);
  const found =
    names === "node" ? (await client.nodes()).map(({ name }) => name) : workloadNames(await client.workloads());
  // Words that the shell would have to quote are left out rather than offered broken.
  const safe = found.filter((name) => /^[\w@%+=:,./-]+$/.test(name));
  terminal.out(safe.map((name) => `${name}\n`).join(""));
}

function workloadNames(rows: Parameters<typeof ambiguity>[0]): readonly string[] {
  const isAmbiguous = ambiguity(rows);
  return rows.map((row) => (isAmbiguous(row) ? fullName(row) : row.name));
}

export function completionScript(shell: Shell, words: CompletionWords): string {
  const commands: readonly CommandEntry[] = commandList;
  const taking = (what: string) => commands.flatMap(({ name, takes }) => (takes === what ? name : []));
  const lists = { workload: taking("workload"), node: [...taking("node"), "brake release"], file: taking("file") };
  switch (shell) {
    case "bash":
      return bash(words, lists);
    case "zsh":
      return zsh(words, lists);
    case "fish":
      return fish(words, lists);
  }
}

interface Lists {
  readonly workload: readonly string[];
  readonly node: readonly string[];
  readonly file: readonly string[];
}

/** `'user token'|up`: patterns of a shell's `case`. */
const anyOf = (paths: Iterable<string>) =>
  [...paths].map((path) => (path.includes(" ") ? `"${path}"` : path)).join("|");

/** Branches of a `case` over what was typed: what each has of one kind. */
function branches(words: CompletionWords, of: "below" | "options"): string {
  const filled = [...words].filter(([, entry]) => entry[of].length > 0);
  return filled.map(([path, entry]) => `      ${anyOf([path])}) names="${entry[of].join(" ")}" ;;`).join("\n");
}

function bash(words: CompletionWords, { workload, node, file }: Lists): string {
  return `_styr() {
  local word="\${COMP_WORDS[COMP_CWORD]}" typed="" names="" at
  # Options and their values may stand between.
  for ((at = 1; at < COMP_CWORD; at++)); do
    case "\${typed:+$typed }\${COMP_WORDS[at]}" in
      ${anyOf(words.keys())}) typed="\${typed:+$typed }\${COMP_WORDS[at]}" ;;
    esac
  done
  case "\${COMP_WORDS[COMP_CWORD-1]}" in
    -o|--output) mapfile -t COMPREPLY < <(compgen -W "table wide json yaml name text" -- "$word"); return ;;
    -f|--file|--ca) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
  esac
  if [[ "$word" == -* ]]; then
    case "$typed" in
${branches(words, "options")}
    esac
  elif [ -z "$typed" ]; then
    names="${[...words.keys()].filter((path) => !path.includes(" ")).join(" ")}"
  else
    case "$typed" in
${branches(words, "below")}
    esac
    case "$typed" in
      ${anyOf(file)}) mapfile -t COMPREPLY < <(compgen -W "$names" -- "$word"; compgen -f -- "$word"); return ;;
      completion) names="${SHELLS.join(" ")}" ;;
      ${anyOf(workload)}) names="$(styr completion --names workload 2>/dev/null)" ;;
      ${anyOf(node)}) names="$(styr completion --names node 2>/dev/null)" ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$names" -- "$word")
  # A colon breaks words in bash, and names may have one: offer what follows it.
  type __ltrim_colon_completions >/dev/null 2>&1 && __ltrim_colon_completions "$word"
}
complete -o filenames -F _styr styr
`;
}

function zsh(words: CompletionWords, { workload, node, file }: Lists): string {
  const described = commandList.map(
    ({ name, summary }) => `    '${name}:${summary.replaceAll("'", "").replaceAll(":", "\\:")}'`,
  );
  return `#compdef styr
_styr() {
  local -a words_of_styr offered
  local typed="" names="" at
  words_of_styr=(
${described.join("\n")}
  )
  for (( at = 2; at < CURRENT; at++ )); do
    case "\${typed:+$typed }\${words[at]}" in
      ${anyOf(words.keys())}) typed="\${typed:+$typed }\${words[at]}" ;;
    esac
  done
  if [[ "$PREFIX" == -* ]]; then
    case "$typed" in
${branches(words, "options")}
    esac
    compadd -- \${=names}
    return
  fi
  if [[ -z "$typed" ]]; then
    _describe 'command' words_of_styr
    return
  fi
  case "$typed" in
${branches(words, "below")}
  esac
  [[ -n "$names" ]] && compadd -- \${=names}
  case "$typed" in
    ${anyOf(file)}) _files ;;
    completion) _values 'shell' ${SHELLS.join(" ")} ;;
    ${anyOf(workload)}) offered=(\${(f)"$(styr completion --names workload 2>/dev/null)"}); compadd -a offered ;;
    ${anyOf(node)}) offered=(\${(f)"$(styr completion --names node 2>/dev/null)"}); compadd -a offered ;;
  esac
}
compdef _styr styr
`;
}

function fish(words: CompletionWords, { workload, node, file }: Lists): string {
  const described = commandList.map(({ name, summary }) => {
    return `complete -c styr -n __fish_use_subcommand -f -a ${name} -d '${summary.replaceAll("'", "")}'`;
  });
  const seen = (path: string) =>
    path
      .split(" ")
      .map((word) => `__fish_seen_subcommand_from ${word}`)
      .join("; and ");
  const after = (names: readonly string[]) => `'__fish_seen_subcommand_from ${names.join(" ")}'`;
  const below = [...words].flatMap(([path, entry]) => {
    const names = entry.below.join(" ");
    const when = `'${seen(path)}; and not __fish_seen_subcommand_from ${names}'`;
    return names === "" ? [] : `complete -c styr -n ${when} -f -a '${names}'`;
  });
  const options = [...words].flatMap(([path, entry]) =>
    entry.options.map((option) => `complete -c styr -n '${seen(path)}' -l ${option.slice(2)}`),
  );
  return `${[...described, ...below, ...options].join("\n")}
complete -c styr -n ${after(workload)} -f -a '(styr completion --names workload 2>/dev/null)'
complete -c styr -n ${after(node.filter((path) => !path.includes(" ")))} -f -a '(styr completion --names node 2>/dev/null)'
complete -c styr -n ${after(["completion"])} -f -a '${SHELLS.join(" ")}'
complete -c styr -n ${after(file)} -F
`;
}
