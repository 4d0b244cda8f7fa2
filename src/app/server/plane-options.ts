/** What a control plane is made of, and what others are to it. */
import type { Authority } from "../../acme/authority.ts";
import type { StyrApiContext } from "../../api/context.ts";
import type { Joining } from "../../api/joining.ts";
import type { AuditLog } from "../../audit/audit-log.ts";
import type { AgentPeer } from "../../dispatcher/agent-api.ts";
import type { Api, Elsewhere } from "../../http/route.ts";
import type { MeterSet } from "../../metrics/definition.ts";
import type { ServerMeters } from "../../metrics/server-metrics.ts";
import type { ClusterNetworkSpec } from "../../model/cluster-network.ts";
import type { NodeAccess } from "../../model/streams.ts";
import type { Personality } from "../../personalities/personality.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Link, LinkListener } from "../../seams/link.ts";
import type { Log } from "../../seams/log.ts";
import type { Random } from "../../seams/random.ts";
import type { Journal, SharedJournal } from "../../store/journal.ts";
import type { ProcessFacts } from "../process-facts.ts";

/** What a server does with what only the leader can do, while another leads. */
export interface Follower extends Elsewhere {
  /** Brings an agent's link to the leader. */
  relay(peer: AgentPeer): Promise<(link: Link) => LinkListener>;
}

export interface ControlPlaneOptions {
  /** One that does not seal leaves secrets in clear, and there are no backups. */
  readonly journal: Journal;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly personalities: readonly Personality[];
  readonly strategy: "spread" | "binpack";
  /** `host:port` that other programs reach us at. */
  readonly address: string;
  readonly hostname: string;
  /** By which the other servers know this one; default: the host's name. */
  readonly serverName?: string;
  /** What the store is kept in, in words. */
  readonly storePlace?: string;
  /** How hosts join here; absent = none can. */
  readonly joining?: Joining;
  readonly version: string;
  /** Logs, commands and usage of pods; asked for once the agent is there. */
  readonly nodeAccess: NodeAccess;
  /** The only node that `nodeAccess` reaches; the others are reached by their agents' links. Absent: it reaches all. */
  readonly localNode?: string;
  /** Where certificates are ordered; absent: nowhere. */
  readonly authority?: Authority;
  /** Default: of this process. */
  readonly processFacts?: ProcessFacts;
  /** Where it is written down who did what. */
  readonly audit?: AuditLog;
  /** Absent: the addresses of the cluster's network are not written down, and there is none. */
  readonly clusterAddresses?: Partial<ClusterNetworkSpec>;
  /** What many agents are told is packed for those that can read it; absent: it is not. */
  readonly packText?: (text: string) => Promise<string>;
  /** Nobody may ask for more than the cluster's settings say. */
  readonly limits?: true;
  /** Routes of the process itself. */
  readonly moreApis?: readonly Api[];
  /** Where the server's parts count; those of the process, where more than one plane comes in its life. */
  readonly meters?: ServerMeters;
  /** Whether connections come from that address, and only such that end before their handshake does: another CA is believed there. */
  readonly isStranger?: (address: string) => boolean;
  /** Why the certificate is not taken of a node that knocks at this server now; undefined when none of it does. */
  readonly untaken?: NonNullable<StyrApiContext["untaken"]>;
  /** When the certificates of this host end. */
  readonly certificates?: NonNullable<StyrApiContext["certificates"]>;
  /** What else the process shows in /metrics. */
  readonly moreMeters?: () => readonly MeterSet[];
}

/** Of a server that shares its journal with others. */
export interface SharedPlaneOptions extends Omit<ControlPlaneOptions, "journal"> {
  readonly journal: SharedJournal;
  /** What only a leader can do, done by the leader. */
  readonly follower: Follower;
  /** The journal can no longer be followed: another plane has to be opened. */
  readonly onLost: (reason: string) => void;
}
