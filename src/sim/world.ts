/** A whole cluster of the production code on simulated seams. Same seed, same size, same calls: same trace. */
import type { Clock } from "../seams/clock.ts";
import { type Random, SeededRandom } from "../seams/random.ts";
import { banAmbient } from "./ambient-ban.ts";
import type { Observer, SimRequest, SimResponse, World, WorldSize } from "./contract.ts";
import type { Ground } from "./ground.ts";
import { Observers } from "./observers.ts";
import { ask } from "./requests.ts";
import { HostTime, ProcessClock } from "./sim-clock.ts";
import { Host } from "./sim-host.ts";
import { Links, type Party } from "./sim-links.ts";
import { Wires } from "./sim-network.ts";
import { Server } from "./sim-server.ts";
import { Life, SimTime, uncaught } from "./sim-time.ts";
import { Trace } from "./trace.ts";

export interface WorldOptions {
  /** Every change and call as a line; otherwise only what was done to the world, and what it answered. */
  readonly timeline?: boolean;
  /** Agents that the caller starts itself. Default false. */
  readonly noAgents?: boolean;
}

const USER = "user";
/** Agents start within so much of one another. */
const TOGETHER_MS = 500;

export class SimWorld implements World {
  readonly seed: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly server: Server;
  readonly hosts: ReadonlyMap<string, Host>;
  readonly network: Wires;
  readonly #ground: Ground;
  readonly #user: Party = { host: USER, life: new Life("the user") };
  readonly #close: (() => void)[] = [];

  constructor(seed: number, size: WorldSize, { timeline = false }: WorldOptions) {
    const time = new SimTime();
    const random = new SeededRandom(seed);
    const trace = new Trace(() => time.nowMs, timeline);
    const observers = new Observers((error) => time.fail(error));
    const fault = (text: string, words?: () => string) => {
      trace.add("fault", text, words);
      observers.tell((observer) => observer.fault?.(text));
    };
    const wires = new Wires(random.fork("network"), fault);
    const links = new Links(wires);
    const ground: Ground = {
      time,
      random,
      wires,
      links,
      trace,
      observers,
      podNames: new Map(),
      fault,
      hasNetwork: size.hasNetwork === true,
    };
    this.seed = seed;
    this.#ground = ground;
    this.random = random.fork("scenario");
    this.network = wires;
    const here = new HostTime(time, 0, 0);
    this.clock = new ProcessClock(here, this.#user.life);
    wires.add({ name: USER, time: here, boot: this.#user.life });
    this.server = new Server(ground);
    wires.add(this.server);
    this.hosts = new Map(this.#newHosts(size).map((host) => [host.name, host]));
    for (const host of this.hosts.values()) wires.add(host);
    this.#watchProcess();
  }

  get traceHash(): string {
    return this.#ground.trace.hash;
  }

  get timeline(): readonly string[] {
    return this.#ground.trace.lines;
  }

  /** Timers fired so far: what the world has cost. */
  get fired(): number {
    return this.#ground.time.fired;
  }

  async open(noAgents: boolean): Promise<void> {
    await this.server.start();
    if (noAgents) return;
    const random = this.#ground.random.fork("first starts");
    const starts = [...this.hosts.values()].map(async (host) => {
      await this.clock.sleep(random.next() * TOGETHER_MS);
      await host.startAgent();
    });
    await this.#ground.time.drive(Promise.all(starts));
  }

  run(ms: number): Promise<void> {
    return this.#ground.time.run(ms);
  }

  async runUntil(condition: () => boolean, withinMs: number, everyMs = 100): Promise<boolean> {
    const untilMs = this.#ground.time.nowMs + withinMs;
    while (!condition()) {
      if (this.#ground.time.nowMs >= untilMs) return false;
      await this.run(Math.min(everyMs, untilMs - this.#ground.time.nowMs));
    }
    return true;
  }

  request(request: SimRequest): Promise<SimResponse> {
    return this.#ground.time.drive(ask(request, this.#ground, this.server, this.#user, this.clock));
  }

  observe(observer: Observer): void {
    this.#ground.observers.add(observer);
  }

  note(text: string): void {
    this.#ground.trace.note(`note    ${text}`);
  }

  /** Nothing happens any more, and ambient time is back. */
  close(): void {
    this.#ground.time.close();
    for (const undo of this.#close.splice(0).toReversed()) undo();
  }

  #newHosts(size: WorldSize): readonly Host[] {
    const nodes = size.nodes.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return nodes.map((node, at) => new Host({ node, index: at + 1, ground: this.#ground }));
  }

  /** What would end the process of the real program ends the run. */
  #watchProcess(): void {
    const { time } = this.#ground;
    const program = new Life("the program");
    const onRejection = (reason: unknown) => time.fail(uncaught(program, reason));
    process.on("unhandledRejection", onRejection);
    this.#close.push(() => process.off("unhandledRejection", onRejection));
    this.#close.push(banAmbient((failure) => time.fail(failure)));
  }
}

/** A running cluster: the control plane is up, and every agent has been started. Call `close` when done with it. */
export async function createWorld(seed: number, size: WorldSize, options: WorldOptions = {}): Promise<SimWorld> {
  const world = new SimWorld(seed, size, options);
  await world.open(options.noAgents ?? false);
  return world;
}
