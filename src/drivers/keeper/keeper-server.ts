import type { Socket } from "node:net";
import { constants } from "node:os";
import type { CgroupTree } from "../cgroup/cgroup-tree.ts";
import { DriverError } from "../driver.ts";
import { ExecHost } from "./exec-host.ts";
import type { ProcessInfo } from "./keeper.ts";
import type { Launcher } from "./launcher.ts";
import type { ProcessTable } from "./process-table.ts";
import {
  type Answer,
  type Call,
  type CallName,
  type ExecCall,
  type ExecInput,
  KEEPER_PROTOCOL,
  type KeeperCalls,
  LineReader,
  lineOf,
} from "./protocol.ts";

type Answers = {
  readonly [Name in Exclude<CallName, "subscribe" | "exec">]: (
    args: KeeperCalls[Name]["args"],
  ) => KeeperCalls[Name]["result"] | Promise<KeeperCalls[Name]["result"]>;
};

export interface KeeperServerParts {
  readonly tree: CgroupTree;
  readonly launcher: Launcher;
  readonly table: ProcessTable;
  readonly report: (message: string) => void;
  readonly stop: () => void;
}

const MOST_UNREAD = 4 * 1024 * 1024;

/** Answers styr's calls. Only root, or who started the keeper, can open its socket. */
export class KeeperServer {
  readonly #parts: KeeperServerParts;
  readonly #subscribers = new Set<Socket>();
  readonly #answers: Answers;

  constructor(parts: KeeperServerParts) {
    this.#parts = parts;
    const { table, tree } = parts;
    table.onChange((info) => this.#announce(info));
    this.#answers = {
      hello: () => ({ protocol: KEEPER_PROTOCOL, pid: process.pid }),
      spawn: (spec) => table.spawn(spec),
      list: () => table.list(),
      signal: ({ id, signal }) => done(table.signal(id, signal)),
      signalCgroup: async ({ cgroup, signal }) =>
        done(signal === constants.signals.SIGKILL ? await tree.kill(cgroup) : tree.signal(cgroup, signal)),
      cgroupPids: ({ cgroup }) => tree.pids(cgroup),
      removeCgroup: async ({ cgroup }) => done(await tree.remove(cgroup)),
      forget: ({ id }) => done(table.forget(id)),
      shutdown: () => this.#shutdown(),
    };
  }

  accept(socket: Socket): void {
    const reader = new LineReader();
    let session: ExecHost | undefined;
    socket.setEncoding("utf8");
    socket.on("data", (text: string) => {
      try {
        for (const message of reader.read(text)) {
          if (session) session.receive(message as ExecInput);
          else session = this.#receive(socket, message as Call);
        }
      } catch (error) {
        this.#parts.report(`dropped a connection: ${(error as Error).message}`);
        socket.destroy();
      }
    });
    socket.on("error", (error) => this.#parts.report(`connection: ${error.message}`));
    socket.on("close", () => {
      this.#subscribers.delete(socket);
      session?.kill();
    });
  }

  #announce(changed: ProcessInfo): void {
    for (const socket of this.#subscribers) {
      // Whoever does not read is cut off, and lists again when it comes back.
      if (socket.writableLength > MOST_UNREAD) socket.destroy();
      else socket.write(lineOf({ changed }));
    }
  }

  #receive(socket: Socket, { seq, call, args }: Call): ExecHost | undefined {
    if (call === "exec") return new ExecHost({ ...this.#parts, socket }, args as ExecCall);
    if (call === "subscribe") {
      this.#subscribers.add(socket);
      socket.write(lineOf({ seq, result: null }));
      return undefined;
    }
    void this.#answer(seq, call, args).then((answer) => socket.writable && socket.write(lineOf(answer)));
    return undefined;
  }

  async #answer(seq: number, call: Exclude<CallName, "subscribe" | "exec">, args: unknown): Promise<Answer> {
    try {
      const answer = this.#answers[call] as ((args: unknown) => unknown) | undefined;
      if (!answer) throw new Error(`this keeper does not know "${call}"`);
      return { seq, result: await answer(args) };
    } catch (error) {
      const temporary = error instanceof DriverError && error.temporary;
      return { seq, error: (error as Error).message, temporary };
    }
  }

  #shutdown(): null {
    const running = this.#parts.table.running();
    if (running.length > 0) throw new Error(`still running: ${running.slice(0, 3).join(", ")} (${running.length})`);
    // After the answer is on its way.
    setImmediate(this.#parts.stop);
    return null;
  }
}

function done(_nothing: unknown): null {
  return null;
}
