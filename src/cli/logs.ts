import type { Command } from "commander";
import { parseDurationMs } from "../lib/duration.ts";
import type { LogLine, LogTrouble } from "../model/reports.ts";
import { CliFailure } from "./failure.ts";
import { plainOutput, plainText } from "./plain-text.ts";
import { openSession, untilInterrupted } from "./session.ts";
import { type Color, paint, type Terminal } from "./terminal.ts";

interface LogsOptions {
  readonly follow?: boolean;
  readonly tail?: string;
  readonly since?: string;
  readonly previous?: boolean;
  readonly container?: string;
  readonly timestamps?: boolean;
  readonly prefix?: boolean;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("logs")
    .description("Output of every copy, each line with its copy in front when there are several.")
    .argument("<name>", "a workload or one copy of it")
    .option("-f, --follow", "go on with what is written")
    .option("-n, --tail <lines>", "only the last lines of each copy")
    .option("--since <duration>", "only what was written since then: 90s, 10m, 2h")
    .option("-p, --previous", "of the run before the present one")
    .option("-c, --container <name>", "only this container")
    .option("-t, --timestamps", "with the time of each line")
    .option("--no-prefix", "without the copy in front")
    .action(async (name: string, options: LogsOptions, command: Command) => {
      const client = openSession(command, terminal);
      const workload = await client.workload(name);
      const several = workload.pods.length > 1 || (workload.pods[0]?.containers.length ?? 0) > 1;
      const painter = new LinePainter(terminal, several && options.prefix !== false, options.timestamps ?? false);
      let seen = 0;
      let troubles = 0;
      for await (const line of client.logs(name, query(options, terminal), untilInterrupted())) {
        if ("trouble" in line) troubles++;
        else seen++;
        await painter.print(line);
      }
      if (seen === 0 && troubles > 0) throw new CliFailure("", {});
      if (seen === 0 && workload.pods.length > 0 && !options.follow) terminal.err("no output yet\n");
      if (workload.pods.length === 0)
        throw new CliFailure(`${workload.name} has no copies`, { next: `styr why ${name}` });
    });
}

function query({ follow, tail, since, previous, container }: LogsOptions, { clock }: Terminal) {
  const sinceMs = since === undefined ? undefined : parseDurationMs(since);
  if (since !== undefined && sinceMs === undefined)
    throw new CliFailure(`--since ${since}: give a duration such as 10m`);
  if (tail !== undefined && !/^\d+$/.test(tail)) throw new CliFailure(`--tail ${tail}: give a whole number`);
  return {
    follow: follow ?? false,
    previous: previous ?? false,
    ...(container === undefined ? {} : { container }),
    ...(tail === undefined ? {} : { tailLines: Number(tail) }),
    ...(sinceMs === undefined ? {} : { sinceMs: Math.floor(clock.now() - sinceMs) }),
  };
}

const PREFIX_COLORS: readonly Color[] = ["cyan", "green", "magenta", "blue", "yellow"];

/** Puts each copy's name, in a colour of its own, before its lines. */
export class LinePainter {
  readonly #terminal: Pick<Terminal, "write" | "err" | "isTerminal" | "colors">;
  readonly #prefixed: boolean;
  readonly #timestamps: boolean;
  readonly #colors = new Map<string, Color>();

  constructor(
    terminal: Pick<Terminal, "write" | "err" | "isTerminal" | "colors">,
    prefixed: boolean,
    timestamps: boolean,
  ) {
    this.#terminal = terminal;
    this.#prefixed = prefixed;
    this.#timestamps = timestamps;
  }

  /** Containers' output goes to standard output as it is, except that on a terminal it cannot act on it. */
  async print(line: LogLine | LogTrouble): Promise<void> {
    if ("trouble" in line) {
      this.#terminal.err(`${plainText(`${shortPod(line.pod)} ${line.container}: ${line.trouble}`)}\n`);
      return;
    }
    const time = this.#timestamps && line.time !== undefined ? `${line.time} ` : "";
    const text = this.#terminal.isTerminal ? plainOutput(line.line) : line.line;
    await this.#terminal.write("stdout", Buffer.from(`${this.#prefix(line)}${time}${text}\n`));
  }

  #prefix({ pod, container }: LogLine): string {
    if (!this.#prefixed) return "";
    const name = `${shortPod(pod)}/${container}`;
    const color = this.#colors.get(name) ?? PREFIX_COLORS[this.#colors.size % PREFIX_COLORS.length];
    if (color) this.#colors.set(name, color);
    return `${paint(plainText(name), color, this.#terminal.colors)} | `;
  }
}

/** Without its namespace, which the workload's name implies. */
function shortPod(key: string): string {
  return key.slice(key.indexOf("/") + 1);
}
