/** What is asked of a running HAProxy, over the socket of its master process (HAProxy 2.6, management guide, 9.4). */
import { connect } from "node:net";

const MOST_BYTES = 64 * 1024 * 1024;
/** A line is one buffer of HAProxy's at most (tune.bufsize, 16 KiB). */
const MOST_LINE = 8_000;

export class MasterSocket {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
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
    for (const line of lines(commands)) answers += await this.ask(line);
    return answers;
  }

  /** Pid of the worker that serves now; undefined when there is none, or no master. */
  async worker(): Promise<number | undefined> {
    const { worker } = await this.processes().catch(() => ({ worker: undefined }));
    return worker;
  }

  async processes(): Promise<{ readonly worker: number | undefined; readonly failedReloads: number }> {
    const text = await this.ask("show proc");
    const [, current = ""] = /# workers\n([\s\S]*?)(?:\n# |$)/.exec(text) ?? [];
    const worker = /^(\d+)\s+worker\b/m.exec(current)?.[1];
    const failed = /\[failed: (\d+)\]/.exec(text)?.[1];
    return { worker: worker === undefined ? undefined : Number(worker), failedReloads: Number(failed ?? 0) };
  }
}

function lines(commands: readonly string[]): readonly string[] {
  const found: string[] = [];
  for (const command of commands) {
    const words = `@1 ${command}`;
    const last = found.at(-1);
    if (last !== undefined && last.length + words.length < MOST_LINE) found[found.length - 1] = `${last}; ${words}`;
    else found.push(words);
  }
  return found;
}
