import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { freezeProcess } from "../../harness/freeze-process.ts";
import { until } from "./until.ts";

type Told = Readonly<Record<string, unknown>>;

export class ServerProcess {
  readonly told: Told[] = [];
  readonly #child: ChildProcess;
  #trouble = "";

  constructor(name: string, prefix: string, endpoints: readonly string[]) {
    const file = fileURLToPath(new URL("server-process.ts", import.meta.url));
    // Its stdin ends with the test's process, and with that it ends.
    this.#child = spawn(process.execPath, [file, name, prefix, ...endpoints], { stdio: ["pipe", "pipe", "pipe"] });
    if (this.#child.stdout) {
      createInterface({ input: this.#child.stdout }).on("line", (line) => this.told.push(JSON.parse(line) as Told));
    }
    this.#child.stderr?.on("data", (chunk) => {
      this.#trouble += String(chunk);
    });
  }

  say(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** The first line with that word from the n-th line on. */
  hears(word: string, from = 0): Promise<Told> {
    return until(
      () => this.told.slice(from).find((told) => word in told),
      () => `"${word}" among ${JSON.stringify(this.told)} ${this.#trouble}`,
    );
  }

  freeze(): void {
    freezeProcess(this.#child.pid ?? 0);
  }

  thaw(): void {
    this.#child.kill("SIGCONT");
  }

  async kill9(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await ended;
  }
}
