import type { Driver } from "../drivers/driver.ts";
import type { DriverName } from "../model/pod.ts";
import type { Clock } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import type { Random } from "../seams/random.ts";
import type { Transport } from "../seams/transport.ts";
import type { Addresses } from "./addresses.ts";
import type { Control } from "./control.ts";
import type { Heartbeats } from "./heartbeat/heartbeats.ts";
import type { LocalRecord } from "./local-record.ts";
import type { AnswerNetwork } from "./node-access.ts";
import type { NodeHost } from "./node-host.ts";
import type { NodeReportOptions } from "./node-report.ts";
import type { PodGate } from "./pod-gate.ts";
import type { Volumes } from "./volumes.ts";

export interface AgentOptions extends NodeReportOptions {
  readonly control: Control;
  readonly drivers: ReadonlyMap<DriverName, Driver>;
  /** Absent: pods have the address that their driver gives them, if any. */
  readonly addresses?: Addresses;
  /** What Docker calls the network of those; default as people do. */
  readonly podNetwork?: string;
  /** Absent: pods neither come into a network of the cluster nor leave one. */
  readonly gate?: PodGate;
  /** Answers what is asked of this host's network. */
  readonly answerNetwork?: AnswerNetwork;
  readonly volumes: Volumes;
  readonly record: LocalRecord;
  readonly host: NodeHost;
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
  readonly log: Log;
  /** Images pulled at once; default 4. */
  readonly pullsAtOnce?: number;
  /** Containers started at once; default 8. */
  readonly startsAtOnce?: number;
  /** Default: through `control`, in this thread. */
  readonly heartbeats?: Heartbeats;
  /** Writes a little to the agent's disk and waits until it is there: for the health word. */
  probeDisk?(): Promise<void>;
  /** Whether that disk is nearly full: for the health word. */
  isDiskShort?(wasShort: boolean): Promise<boolean>;
  /** Why memory is short, in words: for the health word. */
  memory?(): string | undefined;
}
