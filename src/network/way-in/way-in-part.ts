/**
 * The way in from outside: HTTP and HTTPS through an HAProxy of this host, on nodes that were chosen for it. Routes change its
 * configuration; where their endpoints are it is told while it runs.
 */

import { mkdir, rm } from "node:fs/promises";
import { OneAtATime } from "../../lib/one-at-a-time.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Commands } from "../../seams/commands.ts";
import type { Log } from "../../seams/log.ts";
import type { NetworkPart, PartReport } from "../plane/network-part.ts";
import type { NetworkState } from "../plane/network-state.ts";
import { Touched } from "../plane/touched.ts";
import { type Knock, tcpKnock } from "../pod-network/tcp-ping.ts";
import { rotateAccessLog } from "./access-log.ts";
import { Certificates, type SecretValues } from "./certificates.ts";
import { challengeLine } from "./challenge-line.ts";
import { ChosenPorts } from "./chosen-ports.ts";
import { closedOrOpened } from "./closed-or-opened.ts";
import { Ends } from "./ends.ts";
import { FILES } from "./files.ts";
import { HaProxy } from "./haproxy.ts";
import { lateHosts, NO_PLAN, type WayInPlan } from "./plan.ts";
import { Planner } from "./planner.ts";
import { withPortHolder } from "./port-holders.ts";
import { Rounds } from "./rounds.ts";
import { Served } from "./served.ts";
import { type BackendStats, parseStats } from "./stats.ts";
import { Targets } from "./targets.ts";
import { Unreached } from "./unreached.ts";
import { WaysIn } from "./ways-in.ts";

export interface WayInOptions {
  /** A folder of its own. */
  readonly folder: string;
  readonly commands: Commands;
  readonly clock: Clock;
  readonly log: Log;
  readonly secretValues: SecretValues;
  readonly address?: string;
  readonly httpPort?: number;
  readonly httpsPort?: number;
  /** That it has in all, for tests; default shares.ts. */
  readonly connections?: number;
  /** Words before HAProxy's command, for a network namespace. */
  readonly enter?: readonly string[];
  /** How a copy is tried from here; default: by a connection. */
  readonly knock?: Knock;
}

/** On a busy machine an answer takes its time; to end a worker ends its connections. */
const ANSWER_MS = 2_000;
const MOST_MISSES = 3;
/** What is open when a node is no way in any more may end by itself. */
const GOODBYE_MS = 5_000;

export class WayInPart implements NetworkPart {
  readonly name = "way in";
  readonly #options: WayInOptions;
  readonly #haproxy: HaProxy;
  readonly #certificates: Certificates;
  readonly #ports: ChosenPorts;
  readonly #planner = new Planner();
  readonly #waysIn = new WaysIn();
  readonly #unreached: Unreached;
  readonly #targets: Targets;
  readonly #rounds: Rounds;
  #served: Served | undefined;
  #plan: WayInPlan | undefined;
  #state: NetworkState | undefined;
  #problems: ReadonlyMap<string, string> = new Map();
  #failure: string | undefined;
  #isOn = false;
  #isStopped = false;
  #isStill = false;
  #traffic: readonly BackendStats[] = [];
  /** Services of which HAProxy is to be told where copies are that take connections. */
  readonly #owed = new Set<string>();
  readonly #ends = new Ends();
  readonly #work = new OneAtATime();

  constructor(options: WayInOptions) {
    const { folder, commands, clock, log, enter, secretValues, knock = tcpKnock } = options;
    this.#options = options;
    this.#haproxy = new HaProxy({ folder, commands, clock, ...(enter ? { enter } : {}) });
    this.#certificates = new Certificates({ folder: `${folder}/certificates`, clock, secretValues });
    this.#ports = new ChosenPorts(options);
    this.#unreached = new Unreached({ clock, knock });
    this.#targets = new Targets(this.#waysIn, this.#unreached);
    const look = () => this.#lookAround();
    this.#rounds = new Rounds({ clock, log, look, isThere: () => this.#haproxy.hasMaster() });
  }

  apply(state: NetworkState, touched: Touched): Promise<void> {
    if (this.#isStopped) return Promise.resolve();
    return this.#work.run(() => this.#apply(state, touched));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#rounds.stop();
    await this.#work.idle();
  }

  async remove(): Promise<void> {
    await this.stop();
    await this.#work.run(() => this.#leave(0));
    await rm(this.#options.folder, { recursive: true, force: true });
  }

  report(): PartReport {
    if (!this.#isOn)
      return { state: "off", words: "this node is no way in: styr label NODE styrmann.dev/way-in=true makes it one" };
    const { plan } = this.#served ?? {};
    const failure = this.#isStill ? "HAProxy does not answer" : this.#failure;
    const others = [
      ...this.#problems.values(),
      ...(this.#served?.words ?? []),
      ...this.#targets.words,
      ...this.#ends.words,
    ];
    const words = [...(failure === undefined ? [] : [failure]), ...others];
    const { httpPort, httpsPort } = this.#ports.places;
    const facts = { routes: (plan?.exact.size ?? 0) + (plan?.prefix.size ?? 0), http: httpPort, https: httpsPort };
    const state = failure === undefined ? "working" : "failing";
    const troubles = this.#problems.size > 0 ? { hostTroubles: Object.fromEntries(this.#problems) } : {};
    const why = failure ?? this.#served?.waits;
    const led = this.#plan && this.#targets.troublesOf(this.#plan);
    const late = this.#plan && why !== undefined ? [...lateHosts(this.#plan, plan ?? NO_PLAN)] : [];
    return {
      state,
      facts,
      traffic: this.#traffic,
      ...troubles,
      ...(led === undefined ? {} : { routeTroubles: led }),
      ...(late.length > 0 ? { lateHosts: Object.fromEntries(late.map((host) => [host, why ?? ""])) } : {}),
      ...(words.length > 0 ? { words: words.join("; ") } : {}),
    };
  }

  /** Requests, answers and times of each backend since HAProxy's worker began; undefined when none runs here. */
  async stats(): Promise<readonly BackendStats[] | undefined> {
    if (!this.#isOn || this.#served === undefined) return undefined;
    return parseStats(await this.#haproxy.tell(["show stat -1 3 -1"]), this.#served.plan.backends);
  }

  async #apply(state: NetworkState, touched: Touched): Promise<void> {
    if (state.self?.isWayIn !== true) return this.#isOn || touched.isAll ? this.#leave(GOODBYE_MS) : undefined;
    this.#isOn = true;
    try {
      await this.#bring(state, touched);
      this.#failure = undefined;
    } catch (error) {
      const { httpPort, httpsPort } = this.#ports.places;
      const { message } = error as Error;
      this.#failure = await withPortHolder(message, [httpPort, httpsPort], this.#options.commands);
      throw new Error(this.#failure, { cause: error });
    } finally {
      this.#state = state;
      if (!this.#isStopped) this.#rounds.begin();
    }
  }

  async #bring(state: NetworkState, touched: Touched): Promise<void> {
    await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
    const isNew = this.#served === undefined || this.#plan === undefined || touched.isAll || touched.routes.size > 0;
    if (isNew || this.#plan === undefined) this.#plan = this.#planner.plan(state.tables.route.values());
    const plan = this.#plan;
    const served = await this.#present();
    // What is in force stays so until a new configuration is.
    if (isNew) this.#targets.follow([...served.plan.backends.values(), ...plan.backends.values()]);
    const areOther = this.#waysIn.follow(state, isNew ? undefined : touched.nodes, this.#ports.places);
    const changed = this.#targets.look(state, isNew || areOther ? undefined : touched.services, served.slots);
    const challenges = new Map(
      [...state.tables.challenge.values()].flatMap(({ id, answer }) => challengeLine(id, answer)),
    );
    const rest = { places: this.#ports.places, plan, slots: this.#targets.slots, challenges };
    if (!isNew && !served.mustBring(changed, this.#targets.slots)) return served.tell(changed, rest);
    const { list, problems } = await this.#certificates.find(plan.certificates);
    this.#problems = problems;
    await served.bring({ ...rest, certificates: list });
    // While it waits, the list before is the one that it has.
    if (served.waits !== undefined) return;
    this.#targets.follow(plan.backends.values());
    await this.#certificates.sweep(list);
  }

  /** What HAProxy does now: that of this host, as an earlier agent may have left it. */
  async #present(): Promise<Served> {
    if (this.#served) return this.#served;
    const places = await this.#ports.choose();
    const served = await Served.find({
      haproxy: this.#haproxy,
      folder: this.#options.folder,
      log: this.#options.log,
      places,
    });
    this.#served = served;
    return served;
  }

  async #leave(mostMs: number): Promise<void> {
    this.#rounds.stop();
    this.#isOn = false;
    this.#served = undefined;
    this.#plan = undefined;
    await this.#haproxy.stop(mostMs);
  }

  /** HAProxy that has ended is started again, its log kept from growing, and a certificate's file that was changed read again. */
  async #lookAround(): Promise<void> {
    await this.#work.run(() => this.#look());
    // Not while changes wait: what takes no connections is waited for.
    const services = await closedOrOpened(this.#unreached, this.#targets, this.#haproxy, this.#traffic);
    for (const service of services) this.#owed.add(service);
    if (this.#owed.size > 0) await this.#work.run(() => this.#tellOwed());
  }

  async #look(): Promise<void> {
    const state = this.#state;
    if (!this.#isOn || this.#isStopped || state === undefined) return;
    await rotateAccessLog(`${this.#options.folder}/${FILES.log}`);
    const isAlive = (await this.#haproxy.isRunning()) && (await this.#answers());
    const hadIt = this.#served !== undefined;
    if (!isAlive) this.#served = undefined;
    if (isAlive) this.#traffic = (await this.stats()) ?? [];
    if (isAlive && !(await this.#mustLookAgain())) return;
    const all = new Touched();
    all.everything();
    await this.#apply(state, all);
    if (!isAlive && hadIt) this.#ends.note(this.#options.clock.now());
  }

  async #tellOwed(): Promise<void> {
    if (!this.#isOn || this.#isStopped || this.#state === undefined) return;
    const touched = new Touched();
    for (const service of this.#owed) touched.services.add(service);
    await this.#apply(this.#state, touched);
    this.#owed.clear();
  }

  async #mustLookAgain(): Promise<boolean> {
    await this.#haproxy.sweep();
    if (await this.#haproxy.isMasterStill()) {
      this.#options.log.warn("HAProxy's master process does not answer: another one takes over");
      this.#served?.renew();
      return true;
    }
    if (this.#served?.waits !== undefined) return true;
    return this.#problems.size > 0 || (await this.#certificates.haveChanged());
  }

  /** A worker that stands still is ended, so that another one is started. */
  async #answers(): Promise<boolean> {
    for (let misses = 0; misses < MOST_MISSES; misses++) {
      this.#isStill = !(await this.#haproxy.answers(ANSWER_MS));
      if (!this.#isStill) return true;
    }
    this.#options.log.warn("HAProxy does not answer, and is started anew");
    await this.#haproxy.kill();
    this.#isStill = false;
    return false;
  }
}
