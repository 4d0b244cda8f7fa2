import { defineKind, type ObjectMeta } from "./meta.ts";

/** What a person can choose about the whole cluster; one object, named `cluster`. Absent fields have the defaults below. All times in milliseconds. */
export interface ClusterSettings {
  readonly apiVersion: string;
  readonly kind: "ClusterSettings";
  readonly metadata: ObjectMeta;
  readonly spec: Partial<ClusterSettingsSpec>;
}

export interface ClusterSettingsSpec {
  /** Agents say that they live this often. */
  readonly heartbeatMs: number;
  /** Shown as suspect after so much silence; changes nothing else. */
  readonly suspectAfterMs: number;
  /** Connections go elsewhere after so much silence, where who sends them does not reach the node either. */
  readonly avoidAfterMs: number;
  /** Unreachable after so much silence: its pods are replaced as each of them asks for. */
  readonly unreachableAfterMs: number;
  /** Exclusive pods are started elsewhere after so much silence; their agent has stopped them by then. */
  readonly exclusiveAfterMs: number;
  /** A node that said goodbye is waited for so long. */
  readonly rebootGraceMs: number;
  /** After its own start the control plane takes nobody's silence for an answer, for so long. */
  readonly startGraceMs: number;
  /** A node unreachable for so long is gone: what was replaced is forgotten. */
  readonly goneAfterMs: number;
  /** More than this share of the nodes, or of one zone, … */
  readonly brakeShare: number;
  /** … and at least so many, … */
  readonly brakeAtLeast: number;
  /** … silent within this time: nothing of theirs is moved. */
  readonly brakeWindowMs: number;
  /** Pods replaced at once, and then per second, in the whole cluster and of one workload. */
  readonly movesBurst: number;
  readonly movesPerSecond: number;
  readonly workloadMovesBurst: number;
  readonly workloadMovesPerSecond: number;
  /** Add the tolerations of 300 s that Kubernetes adds to every pod by itself. */
  readonly kubernetesDefaultTolerations: boolean;
  /** Requests of one person or program, at each server: per second, and at once after a rest. */
  readonly requestsPerSecond: number;
  readonly requestsBurst: number;
  /** Watches, followed logs and commands that one of them, and all together, may have open at each server. */
  readonly streamsEach: number;
  readonly streamsInAll: number;
  /** Ports that all Kubernetes Services of one namespace have together: each is rules on every node. */
  readonly servicePortsPerNamespace: number;
  /** Endpoints times ports that all Kubernetes Services of one namespace have together: each is a line of rules on every node. More are not told. */
  readonly serviceEndpointsPerNamespace: number;
  /** Hosts and paths that all Ingresses and exposures of one namespace have together: each is known to every way in. */
  readonly routesPerNamespace: number;
  /** Peers and ports that all NetworkPolicies of one namespace have together (network-policy-size.ts): each is rules on nodes, and groups of pods to be told to all. */
  readonly policyPeersPerNamespace: number;
  /** The audit log of each server: so many files of so many MiB. */
  readonly auditFiles: number;
  readonly auditFileMib: number;
  /** Certificates of hosts are ordered by ACME only once somebody has accepted the authority's terms. */
  readonly acmeTermsAccepted: boolean;
  /** URL of the authority's ACME directory. */
  readonly acmeDirectory: string;
  /** Where the authority writes to; "" gives it no address. */
  readonly acmeEmail: string;
}

export const DEFAULT_CLUSTER_SETTINGS: ClusterSettingsSpec = {
  heartbeatMs: 1_000,
  suspectAfterMs: 3_000,
  avoidAfterMs: 1_300,
  unreachableAfterMs: 8_000,
  exclusiveAfterMs: 40_000,
  rebootGraceMs: 180_000,
  startGraceMs: 30_000,
  goneAfterMs: 86_400_000,
  brakeShare: 0.5,
  brakeAtLeast: 2,
  brakeWindowMs: 60_000,
  movesBurst: 500,
  movesPerSecond: 50,
  workloadMovesBurst: 200,
  workloadMovesPerSecond: 20,
  kubernetesDefaultTolerations: false,
  requestsPerSecond: 200,
  requestsBurst: 1000,
  streamsEach: 500,
  streamsInAll: 3000,
  servicePortsPerNamespace: 5000,
  serviceEndpointsPerNamespace: 50_000,
  routesPerNamespace: 5000,
  policyPeersPerNamespace: 5000,
  auditFiles: 10,
  auditFileMib: 10,
  acmeTermsAccepted: false,
  acmeDirectory: "https://acme-v02.api.letsencrypt.org/directory",
  acmeEmail: "",
};

export const CLUSTER_SETTINGS_NAME = "cluster";

export const clusterSettings = defineKind<ClusterSettings>("ClusterSettings", "styrmann.dev/v1", "cluster");

/** The settings in force. */
export function settingsInForce(stored: ClusterSettings | undefined): ClusterSettingsSpec {
  return { ...DEFAULT_CLUSTER_SETTINGS, ...stored?.spec };
}
