/**
 * What the parts of the simulator know of one another. A world is a whole cluster of the production code on simulated
 * seams, in one process: hosts that can be switched off, cut off and slowed down, one control plane, and users who talk
 * to it over its HTTP handlers.
 */
import type { Directory } from "../directory/directory.ts";
import type { FakeMachine } from "../drivers/fake/fake-machine.ts";
import type { Goodbye, Heartbeat, HeartbeatAnswer } from "../model/heartbeat.ts";
import type { NetworkPlane } from "../network/plane/network-plane.ts";
import type { Clock } from "../seams/clock.ts";
import type { Random } from "../seams/random.ts";
import type { Store } from "../store/store.ts";
import type { Change } from "../store/transaction.ts";

export interface World {
  readonly seed: number;
  /** The time that an omniscient observer sees; hosts have clocks of their own, which drift. */
  readonly clock: Clock;
  readonly random: Random;
  readonly server: SimServer;
  /** By node name, in order of name. The server's own host is not among them. */
  readonly hosts: ReadonlyMap<string, SimHost>;
  readonly network: SimNetwork;
  /** Lets virtual time pass. Rejects with the first SimFailure that an observer threw. */
  run(ms: number): Promise<void>;
  /** Lets time pass until `condition` holds, looking every `everyMs` (default 100); false when it did not within `withinMs`. */
  runUntil(condition: () => boolean, withinMs: number, everyMs?: number): Promise<boolean>;
  /** One request through the HTTP handlers of the dialects, over the simulated network: it may be lost or refused. */
  request(request: SimRequest): Promise<SimResponse>;
  /** Called after every commit, every driver call and every acknowledged request. */
  observe(observer: Observer): void;
  /** Adds a line to the timeline (not to the trace hash). */
  note(text: string): void;
  /** sha256 over every commit, driver call, fault and answer so far, with its time, in order. */
  readonly traceHash: string;
  /** Readable timeline: virtual time and what happened. */
  readonly timeline: readonly string[];
}

export interface WorldSize {
  readonly nodes: readonly {
    readonly name: string;
    readonly zone: string;
    readonly cpuMillis: number;
    readonly memoryBytes: number;
  }[];
  /** Hosts are told of the network of the whole cluster, and pods come into it and leave it. */
  readonly hasNetwork?: true;
}

export type Role = "admin" | "operator" | "viewer" | "anonymous";

export interface SimRequest {
  /** Default admin. */
  readonly as?: Role;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** `status` 0: no answer came; what was asked for may have happened or not. */
export interface SimResponse {
  readonly status: number;
  readonly text: string;
}

export interface SimServer {
  /** Of the control plane that runs now; undefined while none does. */
  readonly store: Store | undefined;
  readonly isUp: boolean;
  /** What hosts are to know of the network, of the control plane that runs now. */
  readonly directory?: Directory | undefined;
  /** The HTTP handlers themselves, as an admin and with no network between: for watches, whose answers do not end. */
  handle?(request: Request): Promise<Response>;
  /** kill -9, and later a start on what the journal has. */
  crash(): void;
  start(): Promise<void>;
  /** The whole process stands still (SIGSTOP, a frozen VM) for so long, its timers too; then it goes on. */
  freeze(ms: number): void;
  readonly journal: SimJournalControls;
}

export interface SimJournalControls {
  /** Every append takes so long. */
  setDelay(ms: number): void;
  /** Every append is refused with these words (a full disk); undefined ends it. */
  refuse(words: string | undefined): void;
  /** Nothing is answered for so long; then everything is. */
  stall(ms: number): void;
  /** At a crash the batch under way is on disk or not, by chance. Acknowledged ones always are. */
  readonly appends: number;
}

export interface SimHost {
  readonly name: string;
  readonly zone: string;
  readonly isOn: boolean;
  readonly isAgentUp: boolean;
  /** Stands still at present: what runs on it does not run on. */
  readonly isFrozen: boolean;
  /** What the agent that runs there knows of the network, in a world that has one. */
  readonly plane?: NetworkPlane | undefined;
  /** What runs there: outlives the agent, not the host's power. */
  readonly machine: FakeMachine;
  /** kill -9 of the agent; what runs goes on. */
  crashAgent(): void;
  /** Orderly: says goodbye first. */
  stopAgent(): Promise<void>;
  startAgent(): Promise<void>;
  /** Pulls the plug: everything on it is gone at once, the disk stays. */
  powerOff(): void;
  /** Boots (new boot id) and starts the agent. */
  powerOn(): Promise<void>;
  /** `announced`: the agent says goodbye before. */
  reboot(options: { readonly announced: boolean; readonly offMs: number }): Promise<void>;
  /** The container engine answers nothing for so long; what runs goes on, calls are held and then carried out. */
  hangEngine(ms: number): void;
  /** The engine is down (calls fail) for so long; containers go on. */
  stopEngine(ms: number): void;
  /** The registry cannot be reached from here for so long: pulls fail, what was pulled stays. */
  failPulls(ms: number): void;
  /** Every pull that begins within the next `ms` takes `extraMs` longer. */
  slowPulls(ms: number, extraMs: number): void;
  /** Disk and engine answer nothing for so long; the heartbeat thread goes on. */
  stallIo(ms: number): void;
  /** The whole host stands still (SIGSTOP, a frozen VM) for so long, its timers too. */
  freeze(ms: number): void;
  /** Parts per million that its clock runs fast (or slow, below 0). */
  setDrift(ppm: number): void;
  /** Its wall clock jumps. */
  jumpWall(ms: number): void;
  /** Kills a container's process, as the kernel would for memory. */
  killOne(random: Random, outOfMemory: boolean): void;
}

export interface SimNetwork {
  /** Cuts between hosts, or between a host and the server (name "server"). One-way: only what `from` sends is lost. */
  cut(from: string, to: string, oneWay?: boolean): void;
  join(from: string, to: string): void;
  /** Ends every cut and sets perfect quality. */
  heal(): void;
  setQuality(quality: NetworkQuality): void;
}

export interface NetworkQuality {
  readonly delayMs: readonly [least: number, most: number];
  /** Shares from 0 to 1. */
  readonly loss: number;
  readonly duplicate: number;
  readonly reorder: number;
}

export interface Observer {
  /** After a batch is durable and visible. */
  committed?(changes: readonly Change[], store: Store): void;
  /** A call that a driver begins or has carried out on a host. */
  driver?(call: DriverCall): void;
  /** A request that a user sends: it may arrive or not. */
  asked?(request: SimRequest): void;
  /** A request that was answered (status 2xx: acknowledged). */
  answered?(request: SimRequest, response: SimResponse): void;
  /** Something the scenario did to the world. */
  fault?(text: string): void;
  /** The control plane has started (again) on what was durable. */
  started?(store: Store): void;
  /** A heartbeat that reached the control plane, and what it was answered. */
  heard?(beat: Heartbeat, answer: HeartbeatAnswer): void;
  /** A goodbye that reached the control plane. */
  parted?(goodbye: Goodbye): void;
}

export interface DriverCall {
  readonly host: string;
  readonly what: "start" | "stop" | "remove" | "running" | "exited" | "guard-kill" | "power-off";
  readonly podUid: string;
  readonly container: string;
  readonly attempt: number;
}

/** A rule was broken. `rule` is the invariant's name as docs/simulation.md lists it. */
export class SimFailure extends Error {
  override readonly name = "SimFailure";
  readonly rule: string;

  constructor(rule: string, message: string) {
    super(message);
    this.rule = rule;
  }
}

/** One situation with its own expectations. A scenario fails without the rule of the product that it is about. */
export interface Scenario {
  readonly name: string;
  /** One sentence. */
  readonly about: string;
  /** Draws the world's size from the seed. */
  size(random: Random): WorldSize;
  run(world: World): Promise<void>;
}

/** Watches a world and throws SimFailure from its callbacks when a rule is broken. One file per invariant. */
export interface Checker extends Observer {
  readonly rule: string;
  /** The invariant in plain words. */
  readonly words: string;
  /** How often it had something to judge: a run in which it judged nothing proves nothing. */
  readonly judgements?: number;
  /** Before anything happens. */
  begin?(world: World): void;
  /** After everything was healed and the world had time to settle. */
  settled?(world: World): Promise<void> | void;
  /** The world is over. */
  end?(): void;
}
