/** A node for traces: what it was told, its policies in its kernel, and who answers for it. */
import type { NetworkEntry } from "../../../src/model/network.ts";
import { NetworkState } from "../../../src/network/plane/network-state.ts";
import { Touched } from "../../../src/network/plane/touched.ts";
import { PoliciesPart } from "../../../src/network/policy/policies-part.ts";
import { HostView } from "../../../src/network/questions/host-view.ts";
import { NetworkDesk } from "../../../src/network/questions/network-desk.ts";
import { SystemClock } from "../../../src/seams/clock.ts";
import { silentLog } from "../../../src/seams/log.ts";
import type { NetHost, NetPlace } from "../../harness/net-space.ts";
import { asks } from "./talking.ts";

export const CLUSTER_ADDRESS = "10.43.0.9";
export const FAILING = { name: "services", state: "failing", words: "shop/a wants it" } as const;

export function about(apiVersion: string, kind: string, name: string, namespace?: string, labels = {}) {
  return { apiVersion, kind, metadata: { name, namespace: namespace ?? "default", labels } };
}

export function nodeDraft(name: string, { address, podRange }: NetHost) {
  const addresses = [{ type: "InternalIP", address }];
  const status = {
    addresses,
    conditions: [],
    capacity: {},
    allocatable: {},
    drivers: {},
    nodeInfo: { machineID: name },
  };
  return { apiVersion: "v1", kind: "Node", metadata: { name }, spec: { podCIDR: podRange }, status };
}

export function podDraft(name: string, node: string, { address }: NetPlace, namespace?: string) {
  const spec = { nodeName: node, containers: [{ name: "c", image: "i", ports: [{ containerPort: 80 }] }] };
  const conditions = [{ type: "Ready", status: "True" }];
  const status = { phase: "Running", hostIP: "192.0.2.1", podIP: address, conditions, containerStatuses: [] };
  return { ...about("v1", "Pod", name, namespace, { app: name }), spec, status };
}

/** What one node was told, its policies in its kernel, and who answers for it. */
export class TracedNode {
  readonly part: PoliciesPart;
  readonly desk: NetworkDesk;
  readonly #state: NetworkState;

  constructor(name: string, host: NetHost) {
    const { commands } = host;
    this.#state = new NetworkState(name);
    this.part = new PoliciesPart({ networkName: "space", commands, clock: new SystemClock(), log: silentLog });
    const view = new HostView({
      ...{ commands, table: "space", bridge: host.bridge },
      connect: async (address, port) => {
        if (asks(host, [`${address}:${port}`]).length === 0) throw new Error(`connect ECONNREFUSED ${address}:${port}`);
      },
      lookUp: async (_server, asked) => this.#lookUp(asked),
    });
    const state = this.#state;
    this.desk = new NetworkDesk({ state, report: { revision: 1, appliedRevision: 1, parts: [FAILING] } }, view);
  }

  #lookUp(name: string): readonly string[] {
    if (name === "web.default.svc.cluster.local") return [CLUSTER_ADDRESS];
    if (name !== "db.default.svc.cluster.local") return [];
    return this.#state.endpointsOf("default/db").flatMap(({ endpoints }) => endpoints.map(({ address }) => address));
  }

  async hears(
    entries: readonly NetworkEntry[],
    all: { readonly web: NetPlace; readonly front: NetPlace },
    uidOf: (name: string) => string,
  ): Promise<void> {
    const [name, place] = this.#state.nodeName === "a" ? (["front", all.front] as const) : (["web", all.web] as const);
    const local = { namespace: "default", name, address: place.address, labels: { app: name }, ports: {} };
    this.#state.localPods.set(uidOf(name), { uid: uidOf(name), ...local });
    const touched = new Touched();
    this.#state.hear({ type: "all", revision: 1, entries }, touched);
    await this.part.apply(this.#state, touched);
  }
}
