/** The ways from a dispatcher to a node's access: none, a link in memory (perfect, or slow), and a WebSocket with TLS. */
import { RemoteControl } from "../../../src/agent/remote/remote-control.ts";
import { Dispatcher } from "../../../src/dispatcher/dispatcher.ts";
import type { ClusterNews } from "../../../src/model/cluster-news.ts";
import { kernelKinds } from "../../../src/model/kinds.ts";
import type { NodeAccess } from "../../../src/model/streams.ts";
import { SystemClock } from "../../../src/seams/clock.ts";
import type { Dialer, Link, LinkListener } from "../../../src/seams/link.ts";
import { silentLog } from "../../../src/seams/log.ts";
import { SystemRandom } from "../../../src/seams/random.ts";
import { MemoryJournal } from "../../../src/store/journals/memory.ts";
import { Store } from "../../../src/store/store.ts";
import { NotedLeases } from "../control/stage.ts";
import { TestAccess } from "./test-access.ts";
import { dialerTo, makeTrust, openDoor, until } from "./tls-stage.ts";

export interface AccessStage {
  readonly access: NodeAccess;
  readonly node: TestAccess;
  /** Absent where there is no link. */
  readonly link?: LinkStage;
  close(): Promise<void>;
}

export interface LinkStage {
  readonly dispatcher: Dispatcher;
  readonly control: RemoteControl;
  readonly store: Store;
  readonly leases: NotedLeases;
}

export async function directStage(): Promise<AccessStage> {
  const node = new TestAccess();
  return { node, access: node, close: async () => {} };
}

export async function openDispatcher(news?: () => ClusterNews) {
  const [clock, random, leases] = [new SystemClock(), new SystemRandom(), new NotedLeases()];
  const parts = { kinds: kernelKinds, journal: new MemoryJournal(), clock, random, log: silentLog };
  const store = await Store.open(parts);
  const dispatcher = new Dispatcher({ store, clock, log: silentLog, leases, ...(news ? { news } : {}) });
  return { store, dispatcher, leases };
}

export function controlOver(dialers: readonly Dialer[]): RemoteControl {
  return new RemoteControl({ dialers, clock: new SystemClock(), random: new SystemRandom(), log: silentLog });
}

/** Bytes per millisecond that arrive, and how late; undefined: at once. */
export interface Pace {
  readonly bytesPerMs: number;
  readonly delayMs: number;
}

export async function memoryStage(pace?: Pace): Promise<AccessStage> {
  const { store, dispatcher, leases } = await openDispatcher();
  const control = controlOver([pairDialer((link) => dispatcher.accept(link, { nodeName: "n1" }), pace)]);
  return begun({ dispatcher, control, store, leases }, async () => store.close());
}

export async function tlsStage(): Promise<AccessStage> {
  const trust = await makeTrust();
  const { store, dispatcher, leases } = await openDispatcher();
  const door = await openDoor(trust, (peer) => (link) => dispatcher.accept(link, peer));
  const control = controlOver([dialerTo(door.url, await trust.client("n1"))]);
  return begun({ dispatcher, control, store, leases }, async () => {
    await door.close();
    await trust.close();
    await store.close();
  });
}

async function begun(link: LinkStage, closeMore: () => Promise<void>): Promise<AccessStage> {
  const { dispatcher, control } = link;
  const node = new TestAccess();
  control.serve(node, "n1");
  control.watchPods("n1", () => {}, new AbortController().signal);
  await until("the agent has a link", () => dispatcher.hasLinkOf("n1"));
  const close = async () => {
    control.close("the test is over");
    dispatcher.stop();
    await closeMore();
  };
  return { access: dispatcher.access, node, link, close };
}

/** Both ends of a link in this process: in order, and each direction with its pace. */
export function pairDialer(accept: (link: Link) => LinkListener, pace?: Pace): Dialer {
  return {
    dial: async (listener) => {
      const [up, down] = [new Lane(pace), new Lane(pace)];
      const server = accept(down.end((words) => listener.closed(words)));
      down.to = listener;
      up.to = server;
      return up.end((words) => server.closed(words));
    },
  };
}

class Lane {
  to: LinkListener | undefined;
  #waiting: { readonly bytes: number; readonly arrive: () => void }[] = [];
  #bufferedBytes = 0;
  #isMoving = false;
  #isClosed = false;
  readonly #pace: Pace | undefined;

  constructor(pace: Pace | undefined) {
    this.#pace = pace;
  }

  end(closed: (reason: string) => void): Link {
    const lane = this;
    return {
      send: (frame) => lane.#carry(frame.length, () => lane.to?.frame(frame)),
      sendBytes: (frame) => lane.#carry(frame.length, () => lane.to?.bytes?.(frame)),
      close: (reason) => {
        lane.#carry(0, () => closed(reason));
        lane.#isClosed = true;
      },
      get bufferedBytes() {
        return lane.#bufferedBytes;
      },
    };
  }

  #carry(bytes: number, arrive: () => void): void {
    if (this.#isClosed) return;
    if (!this.#pace) return void setImmediate(arrive);
    this.#waiting.push({ bytes, arrive });
    this.#bufferedBytes += bytes;
    if (!this.#isMoving) this.#move(this.#pace);
  }

  #move(pace: Pace): void {
    const next = this.#waiting.shift();
    this.#isMoving = next !== undefined;
    if (!next) return;
    setTimeout(() => {
      this.#bufferedBytes -= next.bytes;
      setTimeout(next.arrive, pace.delayMs);
      this.#move(pace);
    }, next.bytes / pace.bytesPerMs);
  }
}
