/** A command in a fake container: `exit N` ends with N, `cat` gives its input back, anything else prints itself and ends with 0. */
import type { ExecSession, LogChunk } from "../../model/streams.ts";

export class FakeExec implements ExecSession {
  readonly text: string;
  readonly exitCode: Promise<number>;
  readonly output: AsyncIterable<LogChunk>;
  readonly #input: Uint8Array[] = [];
  readonly #ended = Promise.withResolvers<void>();

  constructor(command: readonly string[]) {
    const code = command[0] === "exit" ? Number(command[1] ?? 0) : 0;
    this.text = command[0] === "exit" || command[0] === "cat" ? "" : `${command.join(" ")}\n`;
    if (command[0] !== "cat") this.#ended.resolve();
    this.exitCode = this.#ended.promise.then(() => code);
    this.output = this.#outputOf();
  }

  async *#outputOf(): AsyncGenerator<LogChunk> {
    await this.#ended.promise;
    if (this.text !== "") yield { stream: "stdout", data: Buffer.from(this.text) };
    for (const data of this.#input) yield { stream: "stdout", data };
  }

  write(data: Uint8Array): void {
    this.#input.push(data);
  }

  endInput(): void {
    this.#ended.resolve();
  }

  resize(): void {
    // There is no terminal whose size anybody could see.
  }

  kill(): void {
    this.#ended.resolve();
  }
}
