import { type Command, Option } from "commander";
import { fullName } from "../model/workload-name.ts";
import { type CommandEntry, commandList } from "./command-list.ts";
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
      terminal.out(completionScript(shell as Shell));
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

export function completionScript(shell: Shell): string {
  const commands: readonly CommandEntry[] = commandList;
  const taking = (what: string) => commands.flatMap(({ name, takes }) => (takes === what ? name : []));
  const words = commands.map(({ name }) => name);
  const lists = { workload: taking("workload"), node: taking("node"), file: taking("file") };
  switch (shell) {
    case "bash":
      return bash(words, lists);
    case "zsh":
      return zsh(lists);
    case "fish":
      return fish(lists);
  }
}

interface Lists {
  readonly workload: readonly string[];
  readonly node: readonly string[];
  readonly file: readonly string[];
}

function bash(words: readonly string[], { workload, node, file }: Lists): string {
  return `_styr() {
  local word="\${COMP_WORDS[COMP_CWORD]}" command="\${COMP_WORDS[1]}" names=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    names="${words.join(" ")}"
  else
    case "$command" in
      ${file.join("|")}) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
      completion) names="${SHELLS.join(" ")}" ;;
      ${workload.join("|")}) names="$(styr completion --names workload 2>/dev/null)" ;;
      ${node.join("|")}) names="$(styr completion --names node 2>/dev/null)" ;;
    esac
    case "\${COMP_WORDS[COMP_CWORD-1]}" in
      -o|--output) names="table wide json yaml name" ;;
      -f|--file|--ca) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    esac
  fi
  mapfile -t COMPREPLY < <(compgen -W "$names" -- "$word")
  # A colon breaks words in bash, and names may have one: offer what follows it.
  type __ltrim_colon_completions >/dev/null 2>&1 && __ltrim_colon_completions "$word"
}
complete -o filenames -F _styr styr
`;
}

function zsh({ workload, node, file }: Lists): string {
  const described = commandList.map(
    ({ name, summary }) => `    '${name}:${summary.replaceAll("'", "").replaceAll(":", "\\:")}'`,
  );
  return `#compdef styr
_styr() {
  local -a words_of_styr names
  words_of_styr=(
${described.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe 'command' words_of_styr
    return
  fi
  case "$words[2]" in
    ${file.join("|")}) _files ;;
    completion) _values 'shell' ${SHELLS.join(" ")} ;;
    ${workload.join("|")}) names=(\${(f)"$(styr completion --names workload 2>/dev/null)"}); compadd -a names ;;
    ${node.join("|")}) names=(\${(f)"$(styr completion --names node 2>/dev/null)"}); compadd -a names ;;
  esac
}
compdef _styr styr
`;
}

function fish({ workload, node, file }: Lists): string {
  const described = commandList.map(({ name, summary }) => {
    return `complete -c styr -n __fish_use_subcommand -f -a ${name} -d '${summary.replaceAll("'", "")}'`;
  });
  const after = (names: readonly string[]) => `'__fish_seen_subcommand_from ${names.join(" ")}'`;
  return `${described.join("\n")}
complete -c styr -n ${after(workload)} -f -a '(styr completion --names workload 2>/dev/null)'
complete -c styr -n ${after(node)} -f -a '(styr completion --names node 2>/dev/null)'
complete -c styr -n ${after(["completion"])} -f -a '${SHELLS.join(" ")}'
complete -c styr -n ${after(file)} -F
`;
}
