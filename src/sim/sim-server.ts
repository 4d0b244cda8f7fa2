/** The control plane of a simulated cluster: production code on a simulated journal and network. */
import { ControlPlane } from "../app/control-plane.ts";
import { LateNodeAccess } from "../app/late-node-access.ts";
import { personalities } from "../app/personalities.ts";
import type { Directory } from "../directory/directory.ts";
import { Dispatcher } from "../dispatcher/dispatcher.ts";
import type { Actor } from "../http/actor.ts";
import { packTextNow } from "../lib/packed-text.ts";
import { kernelKinds } from "../model/kinds.ts";
import type { Clock } from "../seams/clock.ts";
import type { Random } from "../seams/random.ts";
import type { JournalEntry } from "../store/journal.ts";
import type { Store } from "../store/store.ts";
import { CommitMirror } from "./commit-mirror.ts";
import type { Role, SimServer } from "./contract.ts";
import { wordsOf } from "./describe-change.ts";
import { type Ground, timelineLog } from "./ground.ts";
import { HostTime, ProcessClock } from "./sim-clock.ts";
import { SimJournal } from "./sim-journal.ts";
import type { Station } from "./sim-network.ts";
import { Life } from "./sim-time.ts";
import { toldLeases } from "./told-leases.ts";

export const SERVER = "server";
/** Where agents dial. */
export const AGENTS_AT = `${SERVER}:agents`;
const KINDS = [...kernelKinds, ...personalities.flatMap(({ kinds }) => kinds)];

interface Running {
  readonly life: Life;
  readonly plane: ControlPlane;
}

export class Server implements SimServer, Station {
  readonly name = SERVER;
  readonly time: HostTime;
  /** Its host always has power. */
  readonly boot = new Life("the server's host");
  readonly journal: SimJournal;
  readonly #ground: Ground;
  readonly #random: Random;
  #starts = 0;
  #life: Life | undefined;
  #running: Running | undefined;

  constructor(ground: Ground) {
    this.#ground = ground;
    this.#random = ground.random.fork(SERVER);
    this.time = new HostTime(ground.time, this.#random.int(1e8), 0);
    this.journal = new SimJournal(
      this.#random.fork("journal"),
      () => ground.time.nowMs,
      (text) => ground.fault(text),
    );
  }

  get isUp(): boolean {
    return this.#running !== undefined;
  }

  get store(): Store | undefined {
    return this.#running?.plane.store;
  }

  get plane(): ControlPlane | undefined {
    return this.#running?.plane;
  }

  get directory(): Directory | undefined {
    return this.#running?.plane.network.directory;
  }

  get life(): Life | undefined {
    return this.#running?.life;
  }

  crash(): void {
    const life = this.#life;
    if (!life) return;
    this.#ground.fault("the server crashes");
    this.#life = undefined;
    this.#running = undefined;
    life.end();
    this.journal.crash();
    this.#ground.links.endAll(life);
  }

  freeze(ms: number): void {
    this.#ground.fault(`the server is frozen for ${ms} ms`);
    this.time.freeze(ms);
  }

  async start(): Promise<void> {
    if (this.#life) return;
    this.#ground.fault("the server starts");
    const life = new Life("the server");
    this.#life = life;
    await this.#ground.time.drive(Promise.race([this.#open(life), life.over]));
  }

  /** Straight to the handlers, with nothing in between. */
  async handle(request: Request, as: Role = "admin"): Promise<Response> {
    const plane = this.#running?.plane;
    if (!plane) throw new RangeError("no control plane runs");
    return plane.mounted.handle(request, { actor: actorOf(as), remoteAddress: "192.0.2.9", origin: ORIGIN });
  }

  async #open(life: Life): Promise<void> {
    const { trace, observers } = this.#ground;
    const clock = new ProcessClock(this.time, life);
    let mirror: CommitMirror | undefined;
    const early: JournalEntry[] = [];
    const durable = (entries: readonly JournalEntry[]) => {
      if (mirror) this.#committed(mirror, entries);
      else early.push(...entries);
    };
    const plane = await ControlPlane.open({
      journal: this.journal.open(life, clock, durable),
      clock,
      random: this.#random.fork(`process ${++this.#starts}`),
      log: timelineLog(trace, SERVER),
      personalities,
      strategy: "spread",
      address: "192.0.2.1:7443",
      hostname: SERVER,
      version: "simulated",
      nodeAccess: new LateNodeAccess(),
      packText: async (text) => packTextNow(text),
      processFacts: { read: () => ({ lagMs: 0, memoryBytes: 2 ** 27 }), stop: () => {} },
    });
    if (life.isOver) return;
    this.#running = { life, plane };
    this.#listen(life, plane, clock);
    mirror = new CommitMirror(KINDS, plane.store, early);
    if (early.length > 0) this.#committed(mirror, early);
    plane.start();
    observers.tell((observer) => observer.started?.(plane.store));
  }

  #listen(life: Life, plane: ControlPlane, clock: Clock): void {
    const { trace, observers, links, hasNetwork } = this.#ground;
    const leases = toldLeases(hasNetwork ? plane.network.leases : plane.lifecycle, observers);
    const { store } = plane;
    const log = timelineLog(trace, SERVER);
    const more = hasNetwork ? { directory: plane.network.directory } : {};
    const dispatcher = new Dispatcher({ store, clock, log, leases, ...more });
    links.acceptAt(AGENTS_AT, { host: SERVER, life }, (link, from) => dispatcher.accept(link, { nodeName: from }));
  }

  #committed(mirror: CommitMirror, entries: readonly JournalEntry[]): void {
    const { trace, observers, time, podNames } = this.#ground;
    const store = this.store;
    if (!store) return;
    try {
      const changes = mirror.changes(entries, store);
      for (const [at, change] of changes.entries()) {
        const { type, kind, key, object, revision } = change;
        if (kind.name === "Pod") podNames.set(object.metadata.uid, key);
        const text = `${revision} ${type} ${kind.name} ${key} ${entries[at]?.json ?? ""}`;
        trace.add("commit", text, () => wordsOf(change));
      }
      observers.tell((observer) => observer.committed?.(changes, store));
    } catch (error) {
      time.fail(error);
    }
  }
}

export const ORIGIN = "http://styr.sim:7443";

function actorOf(role: Role): Actor | undefined {
  return role === "anonymous" ? undefined : { name: role, roles: [role] };
}
