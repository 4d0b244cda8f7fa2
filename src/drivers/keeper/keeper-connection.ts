import type { Socket } from "node:net";
import { DriverError } from "../driver.ts";
import type { ProcessInfo } from "./keeper.ts";
import {
  type Answer,
  type CallName,
  type KeeperCalls,
  LineReader,
  LONGEST_ANSWER,
  lineOf,
  type Notice,
} from "./protocol.ts";
import { unreachableKeeper } from "./start-keeper.ts";

/** Every call but the long ones is answered at once; only the keeper's standing still takes longer. */
const ANSWER_MS = 5000;
/** These wait for processes to end (for 10 s at most, twice), or for what a start needs. */
const LONG_CALLS: readonly CallName[] = ["spawn", "signalCgroup", "removeCgroup"];
const LONG_ANSWER_MS = 30_000;
/** A keeper that stands still reads nothing: more than this is not kept for it. */
const MOST_UNSENT = 4 * 1024 * 1024;

interface Pending {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
  timer: NodeJS.Timeout;
}

/** The connection broke before the answer; what was asked may or may not have been done. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

export interface ConnectionEvents {
  readonly onChange: (info: ProcessInfo) => void;
  readonly onClose: () => void;
  /** The pid to tell of when it does not answer. */
  readonly pid: () => string;
}

/** One open connection, with its calls in flight. */
export class KeeperConnection {
  readonly #socket: Socket;
  readonly #pending = new Map<number, Pending>();
  readonly #pid: () => string;
  #seq = 0;
  #heardAtMs = 0;

  constructor(socket: Socket, { onChange, onClose, pid }: ConnectionEvents) {
    this.#socket = socket;
    this.#pid = pid;
    const reader = new LineReader(LONGEST_ANSWER);
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      this.#heardAtMs = performance.now();
      for (const message of reader.read(text) as readonly (Answer | Notice)[]) {
        if ("changed" in message) onChange(message.changed);
        else this.#settle(message);
      }
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      for (const { reject, timer } of this.#pending.values()) {
        clearTimeout(timer);
        reject(new ConnectionLost("the connection to the keeper broke"));
      }
      this.#pending.clear();
      onClose();
    });
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  /** A call without an answer may be done all the same, later; what is asked after it on this connection comes after it. */
  call<Name extends CallName>(call: Name, args: KeeperCalls[Name]["args"]): Promise<KeeperCalls[Name]["result"]> {
    const seq = ++this.#seq;
    return new Promise((resolve, reject) => {
      if (!this.isOpen) return reject(new ConnectionLost("the connection to the keeper is closed"));
      if (this.#socket.writableLength > MOST_UNSENT) return reject(this.#silence());
      const mostMs = LONG_CALLS.includes(call) ? LONG_ANSWER_MS : ANSWER_MS;
      this.#pending.set(seq, { resolve, reject, timer: setTimeout(() => this.#late(seq, mostMs), mostMs) });
      this.#socket.write(lineOf({ seq, call, args }));
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  /** A keeper that has much to do answers others meanwhile: only one that says nothing at all is given up. */
  #late(seq: number, mostMs: number): void {
    const pending = this.#pending.get(seq);
    if (!pending) return;
    const restMs = this.#heardAtMs + mostMs - performance.now();
    if (restMs > 0) {
      pending.timer = setTimeout(() => this.#late(seq, mostMs), restMs);
      return;
    }
    this.#pending.delete(seq);
    pending.reject(this.#silence());
  }

  #silence(): DriverError {
    return unreachableKeeper(`it does not answer (pid ${this.#pid()})`);
  }

  #settle(answer: Answer): void {
    const pending = this.#pending.get(answer.seq);
    clearTimeout(pending?.timer);
    this.#pending.delete(answer.seq);
    if ("result" in answer) pending?.resolve(answer.result as never);
    else pending?.reject(new DriverError(answer.error, { temporary: answer.temporary, reason: "KeeperRefused" }));
  }
}
