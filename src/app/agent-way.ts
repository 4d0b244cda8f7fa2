/** How the agent of `styr up` reaches its control plane: straight into a store that only this process has, else by links. */
import type { Control } from "../agent/control.ts";
import type { Heartbeats } from "../agent/heartbeat/heartbeats.ts";
import { CLUSTER_TRUST_NAME, clusterTrusts } from "../model/cluster-trust.ts";
import type { NodeAccess } from "../model/streams.ts";
import { ClusterWay } from "./agent/cluster-way.ts";
import type { LateControl } from "./late-control.ts";
import { keepMembership, type Membership, readMembership } from "./membership.ts";
import { urlOf } from "./server/open-life.ts";
import type { ServerHalf } from "./server/server-half.ts";
import { isEtcd } from "./store-place.ts";
import type { StyrProcess } from "./styr-process.ts";

export interface AgentWay {
  readonly isLink: boolean;
  readonly control: Control;
  readonly heartbeats?: Heartbeats;
  /** Called when the server's sockets are open. */
  begin(access: NodeAccess): void;
  close(): Promise<void>;
}

/** `straight`: the control that is set once there is a plane of this process' own. */
export async function openAgentWay(process: StyrProcess, server: ServerHalf, straight: LateControl): Promise<AgentWay> {
  if (!isEtcd(server.store)) return { isLink: false, control: straight, begin: () => {}, close: async () => {} };
  const { settings, name } = process;
  const first = urlOf(settings);
  const own: Membership = { clusterId: "", nodeName: name, role: "server", servers: [first] };
  const membership = (await readMembership(settings.stateDir)) ?? own;
  const way = await ClusterWay.open({ process, membership, first });
  const { control, heartbeats } = way;
  return {
    ...{ isLink: true, control, heartbeats },
    begin: (access) => {
      way.begin(access);
      void rememberCluster(process, server, own);
    },
    close: () => way.close(),
  };
}

const LOOK_EVERY_MS = 1_000;

/** The first server of a cluster has not joined it; its agent is to find the others all the same. */
async function rememberCluster(
  { settings, clock, log, stopping }: StyrProcess,
  server: ServerHalf,
  own: Membership,
): Promise<void> {
  try {
    while (!stopping.signal.aborted && !(await readMembership(settings.stateDir))) {
      const trust = server.plane?.store.get(clusterTrusts, CLUSTER_TRUST_NAME);
      if (trust) await keepMembership(settings.stateDir, { ...own, clusterId: trust.spec.clusterId });
      else await clock.sleep(LOOK_EVERY_MS, stopping.signal);
    }
  } catch (error) {
    if (!stopping.signal.aborted) log.warn("cluster.json could not be written", { why: (error as Error).message });
  }
}
