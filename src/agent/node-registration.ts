import { backoffMs } from "../lib/backoff.ts";
import type { Draft } from "../model/meta.ts";
import type { DriverReport, Node } from "../model/node.ts";
import type { DriverName } from "../model/pod.ts";
import type { UnlistedReport } from "../model/restoration.ts";
import type { Clock, Timer } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import type { Control } from "./control.ts";
import type { HostReading, NodeHost } from "./node-host.ts";
import { allocatableOf, type NodeReportOptions, nodeReport, withUnguarded } from "./node-report.ts";

export interface NodeRegistrationOptions extends NodeReportOptions {
  readonly host: NodeHost;
  readonly control: Control;
  readonly clock: Clock;
  readonly log: Log;
}

const RETRY = { initialMs: 500, factor: 2, maxMs: 10_000 };

/** Keeps the node's object in the control plane true: at the start, and whenever something changed. */
export class NodeRegistration {
  readonly #options: NodeRegistrationOptions;
  readonly #drivers: () => Readonly<Partial<Record<DriverName, DriverReport>>>;
  readonly #changed: (node: Draft<Node>) => void;
  #reading: HostReading | undefined;
  #node: Draft<Node> | undefined;
  #registered = "";
  #failures = 0;
  #isSending = false;
  #isUnreadable = false;
  #retry: Timer | undefined;
  #unguarded: string | undefined;
  #unlisted: UnlistedReport | undefined;

  constructor(
    options: NodeRegistrationOptions,
    drivers: () => Readonly<Partial<Record<DriverName, DriverReport>>>,
    changed: (node: Draft<Node>) => void,
  ) {
    this.#options = options;
    this.#drivers = drivers;
    this.#changed = changed;
  }

  get node(): Draft<Node> | undefined {
    return this.#node;
  }

  get room() {
    const { cpuMillis, memoryBytes } = this.#reading ?? { cpuMillis: 0, memoryBytes: 0 };
    const allocatable = this.#reading
      ? allocatableOf(this.#reading, this.#options.reserve)
      : { cpuMillis, memoryBytes };
    return { allocatable, memoryCapacityBytes: memoryBytes };
  }

  /**
   * Reads the host; tells the control plane, without waiting for it, if anything changed. Rejects never: a host that cannot
   * be read now, as when there is no descriptor left, stays as it was read last.
   */
  async refresh(): Promise<void> {
    const { clock } = this.#options;
    this.#reading = (await this.#read()) ?? this.#reading;
    if (this.#reading === undefined) return;
    const before = JSON.stringify(this.#node);
    const report = nodeReport(this.#options, this.#reading, this.#drivers(), clock.now(), this.#node);
    const guarded =
      this.#unguarded === undefined ? report : withUnguarded(report, this.#unguarded, clock.now(), this.#node);
    this.#node =
      this.#unlisted === undefined ? guarded : { ...guarded, status: { ...guarded.status, unlisted: this.#unlisted } };
    if (JSON.stringify(this.#node) !== before) this.#changed(this.#node);
    void this.#send();
  }

  async #read(): Promise<HostReading | undefined> {
    const { host, log } = this.#options;
    try {
      const reading = await host.read();
      this.#isUnreadable = false;
      return reading;
    } catch (error) {
      if (!this.#isUnreadable) log.warn("this host cannot be read now; trying again", { why: String(error) });
      this.#isUnreadable = true;
      return undefined;
    }
  }

  /** The control plane has just been heard of: what waits to be tried again is tried now. */
  hurry(): void {
    if (this.#retry !== undefined && this.#failures > 0) void this.#send();
  }

  /** Nothing here outlives the agent to watch over exclusive pods; shown on the node. */
  noteUnguarded(words: string): void {
    this.#unguarded = words;
    void this.refresh();
  }

  /** What runs here, and a restored store does not know; shown on the node. */
  noteUnlisted(report: UnlistedReport | undefined): void {
    if (JSON.stringify(report) === JSON.stringify(this.#unlisted)) return;
    this.#unlisted = report;
    void this.refresh();
  }

  /** The control plane has forgotten this node. */
  again(): void {
    this.#registered = "";
    void this.#send();
  }

  async #send(): Promise<void> {
    const { control, clock, log } = this.#options;
    if (this.#node === undefined || this.#isSending) return;
    const text = JSON.stringify(this.#node);
    if (text === this.#registered) return;
    this.#isSending = true;
    this.#retry?.cancel();
    try {
      await control.registerNode(this.#node);
      this.#registered = text;
      this.#failures = 0;
    } catch (error) {
      if (this.#failures++ === 0) log.warn("this node cannot be registered now; trying again", { why: String(error) });
      this.#retry = clock.setTimer(backoffMs(RETRY, this.#failures), () => void this.#send());
    } finally {
      this.#isSending = false;
    }
  }
}
