/** `styr`: finds the command, loads only its file, and turns what it throws into a message and an exit code. */
import { Command, CommanderError, Option } from "commander";
import { type CommandEntry, type CommandName, commandList, LOCAL_COMMANDS } from "./command-list.ts";
import { commandFiles } from "./commands.ts";
import { EXIT } from "./failure.ts";
import { plainLines } from "./plain-text.ts";
import { processTerminal, type Terminal } from "./terminal.ts";

const GLOBAL_WITH_VALUE = new Set(["--server", "--token", "--ca"]);

async function main(argv: readonly string[]): Promise<void> {
  const terminal = processTerminal(argv);
  // `styr ps | head` closes the pipe before all is written; that is not a failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? EXIT.done : EXIT.failed);
  });
  try {
    await run(argv, terminal);
  } catch (error) {
    process.exitCode = report(error, terminal);
  }
}

async function run(argv: readonly string[], terminal: Terminal): Promise<void> {
  const word = commandWord(argv);
  const program = styr();
  if (word === undefined) {
    if (argv.includes("--version") || argv.includes("-V")) return runVersion(program, terminal);
    const [unknown] = program
      .parseOptions([...argv])
      .unknown.filter((option) => option !== "-h" && option !== "--help");
    if (unknown !== undefined) program.error(`styr: there is no option "${unknown}"; see styr --help`);
    terminal.out(overview());
    return;
  }
  const entry = commandList.find(({ name }) => name === (word === "help" ? argv[argv.indexOf(word) + 1] : word));
  if (!entry) {
    if (word === "help") return terminal.out(overview());
    return failUnknown(program, word);
  }
  // A script for a shell is made of all commands; names, which it asks for while a person types, need none of them.
  const isAboutAll = entry.name === "completion" && !argv.includes("--names");
  for (const { name } of isAboutAll ? commandList : [entry]) await addCommand(program, name, terminal);
  for (const command of program.commands) complete(command, terminal);
  await program.parseAsync([...(word === "help" ? [entry.name, "--help"] : argv)], { from: "user" });
}

/** One file may have two commands. */
async function addCommand(program: Command, name: CommandName, terminal: Terminal): Promise<void> {
  if (program.commands.some((known) => known.name() === name)) return;
  (await commandFiles[name]()).register(program, terminal);
}

const GLOBAL_OPTIONS = [
  ["--server <url>", "https://HOST:7443, http://HOST:PORT or unix:///PATH (STYR_SERVER)"],
  ["--token <token>", "who you are, where the socket does not say (STYR_TOKEN)"],
  ["--ca <file>", "certificate of the server's CA (STYR_CA)"],
  ["--no-color", "no colours (NO_COLOR)"],
] as const;

/** What every command has: where its options are explained, and the options of all, which may follow it too. */
function complete(command: Command, terminal: Terminal): void {
  command.showHelpAfterError(terminal.asTyped(`see styr ${wordsOf(command)} --help`));
  if (LOCAL_COMMANDS.has(command.name())) return;
  command.configureHelp({ showGlobalOptions: true });
  for (const [flags, text] of GLOBAL_OPTIONS) command.addOption(new Option(flags, text).hideHelp());
  for (const below of command.commands) complete(below, terminal);
}

/** `user token create`, without the program's name. */
function wordsOf(command: Command): string {
  const { parent } = command;
  return parent?.parent ? `${wordsOf(parent)} ${command.name()}` : command.name();
}

function styr(): Command {
  const program = new Command("styr");
  for (const [flags, text] of GLOBAL_OPTIONS) program.option(flags, text);
  return program
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .configureOutput({
      // What commander says repeats what it was given.
      writeOut: (text) => void process.stdout.write(plainLines(text)),
      writeErr: (text) => void process.stderr.write(plainLines(text)),
      outputError: (text, write) => write(text.replace(/^error: /, "styr: ")),
    })
    .exitOverride();
}

async function runVersion(program: Command, terminal: Terminal): Promise<void> {
  (await commandFiles.version()).register(program, terminal);
  await program.parseAsync(["version"], { from: "user" });
}

/** The first word that is neither an option nor the value of one. */
function commandWord(argv: readonly string[]): string | undefined {
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? "";
    if (GLOBAL_WITH_VALUE.has(word)) at++;
    else if (!word.startsWith("-")) return word;
  }
  return undefined;
}

function failUnknown(program: Command, word: string): void {
  for (const { name } of commandList) program.command(name);
  program.error(`styr: there is no command "${word}"; see styr --help`, { exitCode: EXIT.failed });
}

function overview(): string {
  const width = Math.max(...commandList.map(({ name }) => name.length)) + 2;
  const line = ({ name, summary }: CommandEntry) => `  ${name.padEnd(width)}${summary}`;
  const groups = [...new Set(commandList.map(({ group }) => group))];
  const body = groups.map((group) =>
    [`${group}:`, ...commandList.filter((c) => c.group === group).map(line)].join("\n"),
  );
  return [
    "styr: one scheduler for fleet units, Marathon apps and Kubernetes objects",
    "",
    "usage: styr [--server URL] COMMAND …      styr COMMAND --help",
    "",
    ...body.flatMap((text) => [text, ""]),
    "Options of every command that asks a server:",
    ...GLOBAL_OPTIONS.map(([flags, text]) => `  ${flags.padEnd(18)}${text}`),
    "",
    "First: styr up, then: styr apply -f FILE",
    "",
  ].join("\n");
}

/** Expected failures are said in words; a bug shows its stack. */
function report(error: unknown, terminal: Terminal): number {
  if (error instanceof CommanderError) {
    // As kubectl has it, and here it is part of the name.
    if (/'(?:-n|--namespace)(?:=[^']*)?'/.test(error.message))
      terminal.err("next: a namespace is the first part of a name: NAMESPACE/NAME\n");
    return error.exitCode === 0 ? EXIT.done : EXIT.failed;
  }
  const { name, message, next, exitCode, stack } = error as Error & { next?: string; exitCode?: number };
  if (name !== "CliFailure" && name !== "ClientError") {
    terminal.err(`styr: a bug: ${plainLines(stack ?? String(error))}\n`);
    return EXIT.failed;
  }
  if (message !== "") terminal.err(`styr: ${plainLines(message)}\n`);
  if (next !== undefined) terminal.err(`next: ${plainLines(terminal.asTyped(next))}\n`);
  return exitCode ?? EXIT.failed;
}

await main(process.argv.slice(2));
