import type { Socket } from "node:net";
import { constants } from "node:os";
import type { CgroupTree } from "../cgroup/cgroup-tree.ts";
import { DriverError } from "../driver.ts";
import { ExecHost } from "./exec-host.ts";
import { Guards } from "./guards.ts";
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
  type ListFilter,
  lineOf,
} from "./protocol.ts";

type QuietCall = Exclude<CallName, "subscribe" | "exec" | "list">;

type Answers = {
  readonly [Name in QuietCall]: (
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

const FENCED = "nothing may run there: styr has not heard of the control plane in time";
const MOST_UNREAD = 4 * 1024 * 1024;
const END_OF_ANSWER = Buffer.from("}\n");

/** Answers styr's calls. Only root, or who started the keeper, can open its socket. */
export class KeeperServer {
  readonly #parts: KeeperServerParts;
  readonly #subscribers = new Set<Socket>();
  readonly #answers: Answers;
  readonly #guards: Guards;
  #listed: { readonly list: readonly ProcessInfo[]; readonly text: Buffer } | undefined;

  constructor(parts: KeeperServerParts) {
    this.#parts = parts;
    const { table, tree } = parts;
    this.#guards = new Guards((path) => tree.killAt(path), parts.report);
    table.onChange((info) => this.#announce(info));
    this.#answers = {
      hello: () => ({ protocol: KEEPER_PROTOCOL, pid: process.pid }),
      spawn: (spec) => {
        if (this.#guards.bars(`${tree.root}/${spec.cgroup}`))
          throw new DriverError(FENCED, { temporary: true, reason: "Fenced" });
        return table.spawn(spec);
      },
      guard: (order) => done(this.#guards.set(order)),
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
    // Asked, and not looked at while the answers before are unread: a list takes memory until it is read.
    let waiting: readonly unknown[] = [];
    const receive = () => {
      for (const [at, message] of waiting.entries()) {
        if (session) session.receive(message as ExecInput);
        else if (socket.writableNeedDrain) {
          waiting = waiting.slice(at);
          socket.pause();
          return;
        } else session = this.#receive(socket, message as Call);
      }
      waiting = [];
    };
    const guarded = (act: () => void) => {
      try {
        act();
      } catch (error) {
        this.#parts.report(`dropped a connection: ${(error as Error).message}`);
        socket.destroy();
      }
    };
    socket.on("data", (text: string) =>
      guarded(() => {
        waiting = [...waiting, ...reader.read(text)];
        receive();
      }),
    );
    socket.on("drain", () => {
      if (session || waiting.length === 0) return;
      guarded(receive);
      if (waiting.length === 0) socket.resume();
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
    if (call === "list") {
      this.#list(socket, seq, args as ListFilter | null);
      return undefined;
    }
    void this.#answer(seq, call, args).then((answer) => socket.writable && socket.write(lineOf(answer)));
    return undefined;
  }

  #list(socket: Socket, seq: number, filter: ListFilter | null): void {
    const { table } = this.#parts;
    if (filter && "id" in filter) {
      const info = table.find(filter.id);
      socket.write(lineOf({ seq, result: info ? [info] : [] }));
    } else if (filter) {
      const result = table.list().filter(({ id }) => id.startsWith(filter.prefix));
      socket.write(lineOf({ seq, result }));
    } else {
      socket.cork();
      socket.write(`{"seq":${seq},"result":`);
      socket.write(this.#wholeList());
      socket.write(END_OF_ANSWER);
      socket.uncork();
    }
  }

  /** The same bytes for all who ask before something changes. */
  #wholeList(): Buffer {
    const list = this.#parts.table.list();
    if (this.#listed?.list !== list) this.#listed = { list, text: Buffer.from(JSON.stringify(list)) };
    return this.#listed.text;
  }

  async #answer(seq: number, call: QuietCall, args: unknown): Promise<Answer> {
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
