/** What is asked of a running HAProxy, over the socket of its master process (HAProxy 2.6, management guide, 9.4), or of its worker. */
import { connect } from "node:net";

const MOST_BYTES = 64 * 1024 * 1024;
/** A line is one buffer of HAProxy's at most (tune.bufsize, 16 KiB). */
const MOST_LINE = 8_000;

export interface Processes {
  readonly worker: number | undefined;
  readonly failedReloads: number;
  /** Of earlier configurations, which have connections still. */
  readonly oldWorkers: number;
  /** How long the worker has been serving. */
  readonly servingMs: number;
}

/** A socket of HAProxy's that takes lines. */
class AskedSocket {
  readonly #path: string;
  /** Before each command: to whom it goes. */
  readonly #to: string;

  constructor(path: string, to: string) {
    this.#path = path;
    this.#to = to;
  }

  /** The answer to one line. Rejects when nobody answers. */
  ask(line: string, timeoutMs = 5_000): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const socket = connect({ path: this.#path });
    const chunks: Buffer[] = [];
    let size = 0;
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    socket.on("connect", () => socket.end(`${line}\n`));
    socket.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > MOST_BYTES) socket.destroy(new Error("the answer is too long"));
      else chunks.push(chunk);
    });
    socket.on("error", (error) => reject(new Error(`HAProxy cannot be asked: ${error.message}`, { cause: error })));
    socket.on("close", () => resolve(Buffer.concat(chunks).toString("utf8")));
    return promise;
  }

  /** Commands for the worker that serves now; the answers one after the other. */
  async askWorker(commands: readonly string[]): Promise<string> {
    let answers = "";
    for (const line of lines(commands, this.#to)) answers += await this.ask(line);
    return answers;
  }
}

export class MasterSocket extends AskedSocket {
  constructor(path: string) {
    super(path, "@1 ");
  }

  /** Pid of the worker that serves now; undefined when there is none, or no master. */
  async worker(): Promise<number | undefined> {
    const { worker } = await this.processes().catch(() => ({ worker: undefined }));
    return worker;
  }

  async processes(timeoutMs?: number): Promise<Processes> {
    return parseProcesses(await this.ask("show proc", timeoutMs));
  }
}

/** The worker's own, which answers while its master stands still. */
export class WorkerSocket extends AskedSocket {
  constructor(path: string) {
    super(path, "");
  }

  /** Of the worker that answers; undefined when none does. */
  async pid(timeoutMs: number): Promise<number | undefined> {
    const text = await this.ask("show info", timeoutMs).catch(() => "");
    const pid = /^Pid: (\d+)$/m.exec(text)?.[1];
    return pid === undefined ? undefined : Number(pid);
  }
}

function lines(commands: readonly string[], to: string): readonly string[] {
  const found: string[] = [];
  for (const command of commands) {
    const words = `${to}${command}`;
    const last = found.at(-1);
    // One with a payload, in lines of its own, goes alone.
    const isAlone = [words, last].some((each) => each?.includes("\n"));
    if (last !== undefined && !isAlone && last.length + words.length < MOST_LINE)
      found[found.length - 1] = `${last}; ${words}`;
    else found.push(words);
  }
  return found;
}

/** `show proc`: pid, type, reloads and uptime (`0d00h01m28s`) of each process. */
export function parseProcesses(text: string): Processes {
  const part = (name: string) => new RegExp(`# ${name}\\n([\\s\\S]*?)(?:\\n# |$)`).exec(text)?.[1] ?? "";
  const [, pid, days, hours, minutes, seconds] =
    /^(\d+)\s+worker\s+\d+\s+(\d+)d(\d+)h(\d+)m(\d+)s/m.exec(part("workers")) ?? [];
  return {
    worker: pid === undefined ? undefined : Number(pid),
    failedReloads: Number(/\[failed: (\d+)\]/.exec(text)?.[1] ?? 0),
    oldWorkers: part("old workers").match(/^\d+\s+worker\b/gm)?.length ?? 0,
    servingMs: (((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000 || 0,
  };
}
