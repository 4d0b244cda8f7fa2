/**
 * Names on this node: keeps a server of names on the first address of the node's pod range, and tells it what changes. The server is a
 * process of its own (resident/), which goes on answering while the agent is away; another version of it takes over beside it.
 */

import { createHash } from "node:crypto";
import { existsSync, readdirSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { OneAtATime } from "../../lib/one-at-a-time.ts";
import { HOST_ASKS } from "../../model/network-report.ts";
import type { Clock, Timer } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import type { NetworkPart, PartReport } from "../plane/network-part.ts";
import type { NetworkState } from "../plane/network-state.ts";
import { Touched } from "../plane/touched.ts";
import type { FeedReport } from "./feed.ts";
import { endResident, findResident, MOST_MISSES } from "./found-resident.ts";
import type { HostNames } from "./host-names.ts";
import { type NamesConfig, USUAL_CONFIG } from "./resident/config.ts";
import { ResidentClient } from "./resident-client.ts";
import {
  killResident,
  otherVersions,
  type ResidentProgram,
  residentProgram,
  startResident,
  sweepResidents,
} from "./start-resident.ts";
import { ToldEntries } from "./told-entries.ts";

export interface NamesPartOptions {
  /** Of its own. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly config?: Partial<NamesConfig>;
  /** Lets the host itself ask; absent: its resolvers stay as they are. */
  readonly hostNames?: HostNames;
  /** It cannot answer here at all, in words. */
  readonly whyOff?: string | undefined;
  readonly launcher?: readonly string[];
}

const AGAIN_MS = 1000;
const REPORT_MS = 2000;
const OPEN_MS = 3000;

export class NamesPart implements NetworkPart {
  readonly name = "names";
  readonly #options: NamesPartOptions;
  readonly #told = new ToldEntries();
  #client: ResidentClient | undefined;
  #program: ResidentProgram | undefined;
  #report: FeedReport | undefined;
  #problem: string | undefined;
  /** It has not answered the last look, in words. */
  #silence: string | undefined;
  #misses = 0;
  #state: NetworkState | undefined;
  #timer: Timer | undefined;
  #isStopped = false;
  /** What is under way: never two things at once. */
  readonly #lane = new OneAtATime();

  constructor(options: NamesPartOptions) {
    this.#options = options;
  }

  apply(state: NetworkState, touched: Touched): Promise<void> {
    return this.#lane.run(() => this.#apply(state, touched));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#lane.idle();
    this.#client?.close();
  }

  async remove(): Promise<void> {
    await this.stop();
    const { folder, hostNames } = this.#options;
    await hostNames?.remove();
    if (!existsSync(folder)) return;
    for (const version of otherVersions(folder, "")) await endResident(this.#options, version);
    for (const name of readdirSync(folder).filter((each) => each.startsWith("names-") || each === "names.log"))
      rmSync(join(folder, name), { force: true });
    rmSync(join(folder, "program"), { recursive: true, force: true });
  }

  report(): PartReport {
    const report = this.#report;
    const { whyOff, hostNames } = this.#options;
    if (whyOff !== undefined) return { state: "off", words: whyOff };
    if (!report) {
      const words = this.#problem ?? "this node has no pod range yet";
      return { state: this.#problem === undefined ? "off" : "failing", words };
    }
    const words = this.#problem ?? this.#silence ?? report.problem ?? hostNames?.problem;
    const { pid, names, memoryBytes, counts } = report;
    const isSilent = report.isWaiting && this.#problem === undefined;
    const isWorking = report.isOpen && (this.#problem ?? this.#silence) === undefined;
    return {
      state: isWorking ? "working" : isSilent ? "off" : "failing",
      ...(words === undefined ? {} : { words }),
      facts: {
        ...{ address: this.#program?.config.address ?? "", pid, names, memoryBytes, ...counts },
        ...(hostNames?.elsewhere === undefined ? {} : { [HOST_ASKS]: hostNames.elsewhere }),
      },
    };
  }

  async #apply(state: NetworkState, touched: Touched): Promise<void> {
    this.#state = state;
    const address = state.gateway;
    if (address === undefined || this.#isStopped || this.#options.whyOff !== undefined) return;
    try {
      const { client, isFresh } = await this.#connected(address);
      const lost = [...state.lostNodes].sort();
      if (isFresh) await this.#tellAll(client, state, lost);
      else this.#report = await client.call({ call: "change", ...this.#told.difference(state, touched), lost });
      this.#problem = undefined;
    } catch (error) {
      // What it was told last is unknown: it is told everything next time.
      this.#client?.close();
      this.#problem = (error as Error).message;
      throw error;
    }
    await this.#tellHost();
  }

  async #tellHost(): Promise<void> {
    const [state, { hostNames }] = [this.#state, this.#options];
    const address = state?.gateway;
    // Before somebody answers there, the host would ask in vain.
    if (address !== undefined && this.#report?.isOpen === true)
      await hostNames?.apply({ address, domain: state?.cluster?.domain ?? "" });
  }

  async #tellAll(client: ResidentClient, state: NetworkState, lost: readonly string[]): Promise<void> {
    const { folder } = this.#options;
    const others = this.#program ? otherVersions(folder, this.#program.version) : [];
    const entries = this.#told.all(state);
    this.#report = await client.call({ call: "all", entries, lost, isBeside: others.length > 0 });
    if (others.length === 0 || !this.#program) return;
    await this.#untilOpen(client);
    for (const version of others) await endResident(this.#options, version);
    sweepResidents(folder, this.#program);
  }

  /** Where it cannot listen at all, the one before cannot be of use either. */
  async #untilOpen(client: ResidentClient): Promise<void> {
    const { clock } = this.#options;
    const untilMs = clock.monotonic() + OPEN_MS;
    while (this.#report?.isOpen === false && clock.monotonic() < untilMs) {
      await clock.sleep(50);
      this.#report = await client.call({ call: "report" });
    }
  }

  async #connected(address: string): Promise<{ readonly client: ResidentClient; readonly isFresh: boolean }> {
    const { folder, clock, launcher } = this.#options;
    if (this.#client?.isOpen && this.#program?.config.address === address)
      return { client: this.#client, isFresh: false };
    this.#client?.close();
    const config = { ...USUAL_CONFIG, ...this.#options.config, address };
    const program = residentProgram(folder, config, digest);
    const place = { folder, clock, ...(launcher === undefined ? {} : { launcher }) };
    const client =
      (await findResident(this.#options, program.version, (socket) => this.#clientOf(socket))) ??
      this.#clientOf(await startResident(place, program));
    this.#program = program;
    this.#client = client;
    this.#silence = undefined;
    this.#misses = 0;
    this.#watch();
    return { client, isFresh: true };
  }

  #clientOf(socket: Socket): ResidentClient {
    const client = new ResidentClient(socket, this.#options.clock, () => this.#lost(client));
    return client;
  }

  /** Asks how it is now and then, which is also how one that died is noticed. */
  #watch(afterMs = REPORT_MS): void {
    this.#timer?.cancel();
    if (this.#isStopped) return;
    this.#timer = this.#options.clock.setTimer(afterMs, () => void this.#look());
  }

  async #look(): Promise<void> {
    const client = this.#client;
    try {
      // While it has something to answer, that is waited for.
      if (client?.isBusy === false) this.#report = await client.look();
      this.#misses = 0;
      this.#silence = undefined;
      if (this.#isStopped) return;
      this.#watch();
      await this.#tellHost();
    } catch (error) {
      this.#missed(client, error as Error);
    }
  }

  #missed(client: ResidentClient | undefined, { message }: Error): void {
    this.#options.log.warn("the server of names was not looked at", { error: message });
    if (this.#isStopped || client !== this.#client || client?.isOpen !== true) return;
    this.#silence = message;
    this.#misses++;
    if (this.#misses < MOST_MISSES) this.#watch(0);
    else {
      // Closed, it counts as lost: another one is started.
      if (this.#program) killResident(this.#options.folder, this.#program.version);
      client.close();
    }
  }

  /** Without one, nobody here finds anybody: another is started, also when nothing changes that it would be told. */
  #lost(client: ResidentClient): void {
    if (this.#isStopped || client !== this.#client) return;
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(AGAIN_MS, () => {
      const state = this.#state;
      if (!state || this.#client?.isOpen) return;
      this.#options.log.warn("the server of names has ended; another is started");
      const everything = new Touched();
      everything.everything();
      this.apply(state, everything).catch(() => this.#lost(client));
    });
  }
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
