import type { MeterSet } from "../metrics/definition.ts";
import type { ProcessReading } from "../metrics/process-metrics.ts";
import type { ServerMeters } from "../metrics/server-metrics.ts";
import type { CopiesRule } from "../model/copies.ts";
import type { Publisher } from "../model/discovery.ts";
import type { Kind } from "../model/meta.ts";
import type { NodeStates } from "../model/node-state.ts";
import type { NodeAccess } from "../model/streams.ts";
import type { WorkloadSource } from "../model/workload.ts";
import type { Clock } from "../seams/clock.ts";
import type { Log } from "../seams/log.ts";
import type { SealedJournal } from "../store/sealed/sealed-journal.ts";
import type { Sealing } from "../store/sealed/sealing.ts";
import type { Store } from "../store/store.ts";
import type { AuditReader } from "./audit-reader.ts";
import type { Explainer } from "./explainer.ts";
import type { Joining } from "./joining.ts";
import type { ServerDesk } from "./server-desk.ts";

/** A certificate of this host, by the name of its file, and when it ends. */
export interface CertificateEnd {
  readonly name: string;
  readonly endsAtMs: number;
}

export interface StyrApiContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** The program's version. */
  readonly version: string;
  /** Name of the host that serves. */
  readonly hostname: string;
  readonly startedAtMs: number;
  /** Every kind of the store: what `inspect` can show. */
  readonly kinds: readonly Kind[];
  /** One per dialect that declares workloads of its own, and one for Kubernetes' kinds (workloads.ts, replicatedSource). */
  readonly sources: readonly WorkloadSource[];
  /** Ports on every node and routes from outside that dialects have in ways of their own; beside Services, Ingresses and exposures. */
  readonly publishers?: readonly Publisher[];
  readonly nodeAccess: NodeAccess;
  /** Names of the dialects served, for `styr status`. */
  readonly dialects: readonly string[];
  /** How the process fares; absent = not measured. */
  readonly process?: () => ProcessReading;
  /** Whether connections come from that address, and only such that end before their handshake does: another CA is believed there. */
  readonly isStranger?: (address: string) => boolean;
  /** Why the certificate is not taken of a node that knocks at this server now; undefined when none of it does. */
  readonly untaken?: (node: string) => string | undefined;
  /** Those in this host's `pki/`. */
  readonly certificates?: () => readonly CertificateEnd[];
  /** Where the server's parts count what they do, for /metrics. */
  readonly meters?: ServerMeters;
  /** What else this process shows there: its agent, if it has one. */
  readonly moreMeters?: () => readonly MeterSet[];
  /** Who did what at this server; absent = it is not written down. */
  readonly audit?: AuditReader;
  /** How nodes fare, and the brake; absent = nobody watches over them. */
  readonly lifecycle?: NodeStates;
  /** Why a pod is, or is not, where it is. */
  readonly explain?: Explainer;
  /** How copies may be moved: the dialects' rules. */
  readonly copies?: readonly CopiesRule[];
  /** How the scheduler rates nodes; default `spread`. */
  readonly strategy?: "spread" | "binpack";
  /** The servers of the cluster; absent = this one has no name among others. */
  readonly servers?: ServerDesk;
  /** Whether a server leads, as far as this one knows; absent = this one does. */
  readonly isLed?: () => boolean;
  /** Which members of the store do not answer, in words; undefined when all do. */
  readonly storeTrouble?: () => Promise<string | undefined>;
  /** What the store is kept in, in words. */
  readonly storePlace?: string;
  /** How hosts join here; absent = none can. */
  readonly joining?: Joining;
  /** The journal that seals secrets; absent = they lie in clear. */
  readonly sealed?: SealedJournal;
  /** What can be done with its keys, of a server that leads. */
  readonly sealing?: () => Sealing | undefined;
}
