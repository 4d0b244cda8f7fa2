import type { Command } from "commander";
import { ExecClient } from "../client/exec-client.ts";
import { CliFailure } from "./failure.ts";
import { openSession } from "./session.ts";
import type { Terminal } from "./terminal.ts";

interface ExecOptions {
  readonly tty?: boolean;
  readonly stdin?: boolean;
  readonly container?: string;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("exec")
    .description(
      "Run a command inside a running copy. With a terminal on both ends, it gets one; its exit code is ours.",
    )
    .argument("<name>", "a workload or one copy of it")
    .argument("<command...>", "after --, the command and its arguments")
    .option("-c, --container <name>", "which container")
    .option("-t, --tty", "with a terminal (usual when there is one here)")
    .option("--no-tty", "without one")
    .option("-i, --stdin", "with input, as always")
    .option("--no-stdin", "without input")
    .passThroughOptions()
    .action(async (name: string, words: string[], _: ExecOptions, command: Command) => {
      const { options, line } = readWords(command, words);
      const client = openSession(command, terminal);
      const tty = options.tty ?? (terminal.isTerminal && terminal.stdin.isTTY === true);
      const stdin = options.stdin !== false;
      const target = {
        name,
        command: line,
        tty,
        stdin,
        ...sizeOf(terminal, tty),
        ...containerOf(options),
      };
      const session = await ExecClient.open(client.connection, target, {
        output: (stream, data) => void terminal.write(stream, data),
      });
      const release = connectInput(terminal, session, tty, stdin);
      try {
        const exitCode = await session.exitCode;
        if (exitCode !== 0) throw new CliFailure("", { exitCode });
      } finally {
        release();
        session.close();
      }
    });
}

/**
 * What follows the name. With options first, they are ours up to `--`; a word first begins the command, whatever it
 * has in it. commander, passing options through, reads none of this.
 */
export function readWords(
  command: Command,
  words: readonly string[],
): { readonly options: ExecOptions; readonly line: readonly string[] } {
  const end = words.indexOf("--");
  const isOurs = words[0]?.startsWith("-") === true && end >= 0;
  const { operands, unknown } = command.parseOptions(isOurs ? words.slice(0, end) : []);
  const [wrong] = [...operands, ...unknown];
  if (wrong !== undefined) command.error(`error: '${wrong}' before -- is no option of exec`);
  const line = isOurs ? words.slice(end + 1) : words;
  if (line.length === 0) command.error("error: there is no command after --");
  return { options: command.opts(), line };
}

function containerOf({ container }: ExecOptions) {
  return container === undefined ? {} : { container };
}

function sizeOf({ columns, rows }: Terminal, tty: boolean) {
  return tty && columns && rows ? { size: { columns, rows } } : {};
}

/** Keys, pastes and resizes go to the command as they are; gives what takes all that back. */
function connectInput(terminal: Terminal, session: ExecClient, tty: boolean, stdin: boolean): () => void {
  const { stdin: input } = terminal;
  const isRaw = tty && stdin && input.setRawMode !== undefined && input.isTTY === true;
  if (isRaw) input.setRawMode?.(true);
  let isOver = false;
  const onData = (data: Buffer) => {
    input.pause();
    void session.write(data).then(() => isOver || input.resume());
  };
  const onEnd = () => session.endInput();
  if (stdin) {
    input.on("data", onData);
    input.on("end", onEnd);
  }
  const stopResizing = terminal.onResize(() => {
    const { size } = sizeOf(terminal, tty);
    if (size) session.resize(size);
  });
  return () => {
    isOver = true;
    stopResizing();
    input.off("data", onData);
    input.off("end", onEnd);
    if (isRaw) input.setRawMode?.(false);
    input.pause();
    // A pipe or terminal that is still open would keep the process alive after the command has ended.
    (input as { unref?: () => void }).unref?.();
  };
}
