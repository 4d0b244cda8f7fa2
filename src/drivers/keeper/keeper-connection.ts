import type { Socket } from "node:net";
import { DriverError } from "../driver.ts";
import type { ProcessInfo } from "./keeper.ts";
import { type Answer, type CallName, type KeeperCalls, LineReader, lineOf, type Notice } from "./protocol.ts";

interface Pending {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

/** The connection broke before the answer; what was asked may or may not have been done. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
}

export interface ConnectionEvents {
  readonly onChange: (info: ProcessInfo) => void;
  readonly onClose: () => void;
}

/** One open connection, with its calls in flight. */
export class KeeperConnection {
  readonly #socket: Socket;
  readonly #pending = new Map<number, Pending>();
  #seq = 0;

  constructor(socket: Socket, { onChange, onClose }: ConnectionEvents) {
    this.#socket = socket;
    const reader = new LineReader();
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      for (const message of reader.read(text) as readonly (Answer | Notice)[]) {
        if ("changed" in message) onChange(message.changed);
        else this.#settle(message);
      }
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      for (const { reject } of this.#pending.values()) reject(new ConnectionLost("the connection to the keeper broke"));
      this.#pending.clear();
      onClose();
    });
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  call<Name extends CallName>(call: Name, args: KeeperCalls[Name]["args"]): Promise<KeeperCalls[Name]["result"]> {
    const seq = ++this.#seq;
    return new Promise((resolve, reject) => {
      if (!this.isOpen) return reject(new ConnectionLost("the connection to the keeper is closed"));
      this.#pending.set(seq, { resolve, reject });
      this.#socket.write(lineOf({ seq, call, args }));
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #settle(answer: Answer): void {
    const pending = this.#pending.get(answer.seq);
    this.#pending.delete(answer.seq);
    if ("result" in answer) pending?.resolve(answer.result as never);
    else pending?.reject(new DriverError(answer.error, { temporary: answer.temporary, reason: "KeeperRefused" }));
  }
}
