import assert from "node:assert/strict";
import { setTimeout as after } from "node:timers/promises";

export interface WatchEvent {
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever the server says.
  readonly object: any;
}

const PATIENCE_MS = 5000;

/** Reads a watch one event at a time; says what it waited for when nothing comes. */
export class EventReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #text = "";

  constructor(response: Response) {
    assert.equal(response.status, 200);
    assert.ok(response.body, "a watch has a body");
    this.#reader = response.body.getReader();
  }

  /** The next event, or undefined at the end of the watch. */
  async next(what = "an event"): Promise<WatchEvent | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return JSON.parse(line) as WatchEvent;
      }
      const patience = new AbortController();
      const late = after(PATIENCE_MS, undefined, { signal: patience.signal }).then(() => {
        throw new Error(`no ${what} within ${PATIENCE_MS} ms`);
      });
      const { value, done } = await Promise.race([this.#reader.read(), late]);
      patience.abort();
      late.catch(() => undefined);
      if (done) return undefined;
      this.#text += new TextDecoder().decode(value);
    }
  }

  /** The next `count` events as `TYPE name`. */
  async take(count: number): Promise<readonly string[]> {
    const seen: string[] = [];
    while (seen.length < count) {
      const event = await this.next(`event ${seen.length + 1} of ${count} (so far: ${seen.join(", ") || "none"})`);
      if (!event) break;
      seen.push(`${event.type} ${event.object.metadata?.name ?? event.object.reason}`);
    }
    return seen;
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}
