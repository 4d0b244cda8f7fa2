/** The agent's way in: a unix socket that only its owner can open. */
import { createServer, type Server, type Socket } from "node:net";
import { type FeedAnswer, type FeedReport, type FeedRequest, LineSplitter } from "../feed.ts";
import type { Zones } from "../zones/zones.ts";

export interface FeedDoorParts {
  readonly zones: Zones;
  readonly report: () => FeedReport;
  /** It may answer from now on. */
  readonly fed: (isBeside: boolean) => Promise<void>;
  readonly end: () => Promise<void>;
  readonly log: (message: string) => void;
}

export class FeedDoor {
  readonly server: Server;
  readonly #parts: FeedDoorParts;

  constructor(parts: FeedDoorParts) {
    this.#parts = parts;
    this.server = createServer((socket) => this.#accept(socket));
  }

  #accept(socket: Socket): void {
    const splitter = new LineSplitter();
    socket.setEncoding("utf8");
    socket.on("error", () => socket.destroy());
    let last: Promise<void> = Promise.resolve();
    socket.on("data", (text: string) => {
      // One after the other, as they were said.
      for (const line of splitter.split(text)) last = last.then(() => this.#obey(socket, line));
    });
  }

  async #obey(socket: Socket, line: string): Promise<void> {
    try {
      const request = JSON.parse(line) as FeedRequest;
      await this.#do(request);
      const answer: FeedAnswer = { seq: request.seq, report: this.#parts.report() };
      if (socket.writable) socket.write(`${JSON.stringify(answer)}\n`);
      if (request.call === "end") await this.#parts.end();
    } catch (error) {
      this.#parts.log(`cannot take what was said: ${String((error as Error).stack)}`);
      socket.destroy();
    }
  }

  async #do(request: FeedRequest): Promise<void> {
    const { zones, fed } = this.#parts;
    if (request.call === "all") {
      zones.clear();
      for (const entry of request.entries) zones.put(entry);
      zones.setLost(request.lost);
      await fed(request.isBeside);
    } else if (request.call === "change") {
      for (const entry of request.entries) zones.put(entry);
      for (const { kind, id } of request.removed) zones.remove(kind, id);
      zones.setLost(request.lost);
    }
  }
}
