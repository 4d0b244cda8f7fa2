/**
 * One of several servers that share a journal. It follows and stands for leader; when it wins the same store goes on,
 * writing; when it loses, it follows again. Only when the journal can no longer be followed is another plane opened.
 */
import { setTimeout as delay } from "node:timers/promises";
import { mountApis } from "../../http/mount.ts";
import { servers } from "../../model/server.ts";
import type { TlsMaterial } from "../../network/link/web-socket-dialer.ts";
import { JournalRefusal, type Leadership, type ServerIdentity, type SharedJournal } from "../../store/journal.ts";
import { ControlPlane } from "../control-plane.ts";
import { LateMounted } from "../late-mounted.ts";
import { foldersOf } from "../node-side.ts";
import { openWhenPossible, tryOpen } from "../open-store.ts";
import { CannotGoOn, type StyrProcess } from "../styr-process.ts";
import { Forwarder } from "./forwarder.ts";
import { LeaderWatch } from "./leader-watch.ts";
import type { Life } from "./life.ts";
import type { ControlPlaneOptions } from "./plane-options.ts";

export interface SharedLifeOptions {
  readonly process: Pick<StyrProcess, "clock" | "log" | "io" | "stopping" | "settings">;
  readonly plane: Omit<ControlPlaneOptions, "journal">;
  readonly me: ServerIdentity;
  openJournal(): Promise<SharedJournal>;
  /** This server's proof to the others. */
  material(): TlsMaterial;
}

interface Opened {
  readonly plane: ControlPlane;
  readonly journal: SharedJournal;
  /** Aborts when the journal can no longer be followed. */
  readonly lost: AbortSignal;
}

const AGAIN_MS = 1_000;
/** Where no other server runs, nobody succeeds. */
const SUCCESSION_MS = 1_000;
/** Within this time every server has heard who leads. */
const NEWS_MS = 250;

export class SharedLife implements Life {
  readonly mounted: LateMounted;
  readonly #options: SharedLifeOptions;
  readonly #leaders: LeaderWatch;
  readonly #forwarder: Forwarder;
  readonly #ending = new AbortController();
  readonly #handedOver = Promise.withResolvers<void>();
  #opened: Opened | undefined;
  #running: Promise<void> | undefined;
  #problem: string;

  /** Throws where a store that cannot be opened is an error: open-store.ts. */
  static async open(options: SharedLifeOptions): Promise<SharedLife> {
    const life = new SharedLife(options);
    const { record } = foldersOf(options.process.settings.stateDir);
    const { opened, problem } = await tryOpen(() => life.#openPlane(), record);
    life.#opened = opened;
    life.#problem = problem;
    return life;
  }

  private constructor(options: SharedLifeOptions) {
    const { clock } = options.process;
    this.#options = options;
    this.#problem = "";
    this.#leaders = new LeaderWatch(clock);
    this.#forwarder = new Forwarder({
      leaders: this.#leaders,
      clock,
      material: options.material,
      waitFor: async (revision, signal) => this.plane?.store.waitFor(revision, signal),
    });
    this.mounted = new LateMounted(mountApis(options.plane.moreApis ?? []), () => this.#problem);
  }

  get plane(): ControlPlane | undefined {
    return this.#opened?.plane;
  }

  get leader(): ServerIdentity | undefined {
    return this.#leaders.leader;
  }

  begin(): void {
    this.#running = this.#run();
  }

  /** Lets another lead, while requests are still taken and passed on to it. */
  async handOver(): Promise<void> {
    const led = this.plane?.leads === true;
    this.#ending.abort(new Error("this server stops"));
    if (this.#running) await this.#handedOver.promise;
    if (led && this.#running && !this.#isAlone) await this.#untilSucceeded();
  }

  get #isAlone(): boolean {
    return (this.plane?.store.count(servers) ?? 0) <= 1;
  }

  /** The others send what they have for the leader here until they know the next one: a socket that closes then loses it. */
  async #untilSucceeded(): Promise<void> {
    const { clock } = this.#options.process;
    const never = new AbortController().signal;
    const untilMs = clock.monotonic() + SUCCESSION_MS;
    const isSucceeded = () => ![undefined, this.#options.me.url].includes(this.leader?.url);
    while (!isSucceeded() && clock.monotonic() < untilMs)
      await this.#leaders.changed(untilMs - clock.monotonic(), never);
    await clock.sleep(NEWS_MS);
  }

  async stop(): Promise<void> {
    await this.handOver();
    await this.#running;
    await this.plane?.stop();
    this.#forwarder.close();
  }

  async #run(): Promise<void> {
    const { process } = this.#options;
    try {
      this.#opened ??= await this.#openLater();
      while (this.#opened && !this.#ending.signal.aborted) await this.#live(this.#opened);
    } catch (error) {
      process.log.error("this server cannot go on", { error: (error as Error).stack });
      process.io.say(`this server cannot go on: ${(error as Error).message}`);
      process.stopping.abort(new CannotGoOn(error as Error));
    }
    this.#handedOver.resolve();
  }

  /** As long as one journal can be followed. */
  async #live({ plane, journal, lost }: Opened): Promise<void> {
    const ending = AbortSignal.any([this.#ending.signal, lost]);
    this.#leaders.follow(journal);
    this.mounted.set(plane.mounted);
    while (!ending.aborted) {
      const leadership = await this.#campaign(journal, ending);
      if (leadership) await this.#lead(plane, leadership, ending);
    }
    if (this.#ending.signal.aborted) return;
    // What is read meanwhile is as old as what was followed last.
    this.#opened = (await this.#openAnew()) ?? this.#opened;
    await plane.stop();
  }

  async #openAnew(): Promise<Opened | undefined> {
    try {
      return await this.#openPlane();
    } catch (error) {
      if (!(error instanceof JournalRefusal)) throw error;
      this.#problem = `the store cannot be opened: ${error.message}`;
      return this.#openLater();
    }
  }

  async #campaign(journal: SharedJournal, ending: AbortSignal): Promise<Leadership | undefined> {
    try {
      return await journal.campaign(this.#options.me, ending);
    } catch (error) {
      if (ending.aborted) return undefined;
      this.#options.process.log.warn("cannot stand for leader", { why: (error as Error).message });
      await delay(AGAIN_MS, undefined, { signal: ending }).catch(() => undefined);
      return undefined;
    }
  }

  async #lead(plane: ControlPlane, leadership: Leadership, ending: AbortSignal): Promise<void> {
    const { log } = this.#options.process;
    // The journal was lost, or this server stops, in the moment between the victory and the word of it: its store writes no more.
    if (ending.aborted) return this.#giveUp(leadership);
    log.info("this server leads", { term: leadership.term });
    const leaving = () => void this.#resign(plane, leadership);
    ending.addEventListener("abort", leaving, { once: true });
    await plane.lead(leadership);
    ending.removeEventListener("abort", leaving);
    log.info("this server follows", { term: leadership.term, why: String(leadership.lost.reason) });
  }

  /** After what is under way: what is asked from now on goes to whoever leads next. */
  async #resign(plane: ControlPlane, leadership: Leadership): Promise<void> {
    try {
      await plane.release();
    } catch (error) {
      this.#options.process.log.warn("could not end what was under way", { why: (error as Error).message });
    }
    await this.#giveUp(leadership);
  }

  async #giveUp(leadership: Leadership): Promise<void> {
    try {
      await leadership.resign();
    } catch (error) {
      // The lease runs out by itself.
      this.#options.process.log.warn("could not resign", { why: (error as Error).message });
    }
  }

  async #openPlane(): Promise<Opened> {
    const journal = await this.#options.openJournal();
    const lost = new AbortController();
    const onLost = (reason: string) => lost.abort(new Error(reason));
    try {
      const plane = await ControlPlane.openFollowing({
        ...{ ...this.#options.plane, journal, follower: this.#forwarder, onLost },
      });
      return { plane, journal, lost: lost.signal };
    } catch (error) {
      await journal.close();
      throw error;
    }
  }

  /** What runs never waits for the store: whoever has nothing to read is told why until then. */
  async #openLater(): Promise<Opened | undefined> {
    const { log, io } = this.#options.process;
    if (this.#problem !== "") {
      log.error("no control plane", { why: this.#problem });
      io.say(this.#problem);
    }
    const opened = await openWhenPossible(() => this.#openPlane(), log, this.#ending.signal);
    if (opened) log.info("the store could be opened");
    return opened;
  }
}
