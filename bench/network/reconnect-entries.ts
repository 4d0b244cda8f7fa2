/** Entries as large clusters have them, and a directory that tells them. */
import { Directory } from "../../src/directory/directory.ts";
import { packText } from "../../src/lib/packed-text.ts";
import type { NetworkEntry } from "../../src/model/network.ts";
import { services } from "../../src/model/service.ts";
import type { Clock } from "../../src/seams/clock.ts";
import { silentLog } from "../../src/seams/log.ts";
import { SeededRandom } from "../../src/seams/random.ts";
import type { Store } from "../../src/store/store.ts";

const [SERVICES, ENDPOINTS, APPS, PODS_PER_APP, NODES] = [1_000, 10, 750, 20, 500];

/** 1,000 Services with 10 endpoints each, on 500 nodes. `newer`: so many of them have changed. */
export function smallNetwork(newer = 0): readonly NetworkEntry[] {
  const random = new SeededRandom("network");
  const nodes: NetworkEntry[] = Array.from({ length: NODES }, (_, at) => ({
    ...{ kind: "node", id: `node-${at}`, address: `192.0.${2 + (at >> 8)}.${at & 255}` },
    podRange: `10.42.${at & 255}.0/24`,
  }));
  const pairs = Array.from({ length: SERVICES }, (_, at) => serviceOf(at, at < newer ? 1 : 0, random));
  return [...nodes, ...pairs.flat()];
}

/** The same and 15,000 pods of apps, with their names and ports. */
export function largeNetwork(newer = 0): readonly NetworkEntry[] {
  const random = new SeededRandom("pods");
  const pods = Array.from({ length: APPS * PODS_PER_APP }, (_, at) => podOf(at, random));
  return [...smallNetwork(newer), ...pods.flat()];
}

function serviceOf(service: number, change: number, random: SeededRandom): readonly NetworkEntry[] {
  const id = `default/web-${service}`;
  const endpoints = Array.from({ length: ENDPOINTS }, (_, at) => ({
    ...{ address: `10.42.${(service * 7 + at) % 250}.${((service + at * 31) % 250) + 1}` },
    ...({ state: at === 0 && change > 0 ? "draining" : "ready", node: `node-${(service * 7 + at) % NODES}` } as const),
    ...{ pod: `default/web-${service}-${random.suffix(5)}`, uid: random.uuid() },
  }));
  return [
    {
      ...{ kind: "service", id, namespace: "default", name: `web-${service}` },
      ...{
        addresses: [`10.43.${service >> 8}.${service & 255}`],
        ports: [{ name: "http", protocol: "tcp", port: 80 }],
      },
      ...{ externalTraffic: "cluster", internalTraffic: "cluster" },
    },
    {
      ...{ kind: "endpoints", id: `${id}-1`, service: id, ports: [{ name: "http", protocol: "tcp", port: 8080 }] },
      endpoints,
    },
  ];
}

function podOf(at: number, random: SeededRandom): readonly NetworkEntry[] {
  const [app, node, uid] = [Math.floor(at / PODS_PER_APP), at % NODES, random.uuid()];
  const [address, port] = [`10.42.${node & 255}.${(at % 250) + 1}`, 31_000 + (at % 1_000)];
  const [name, task] = [
    `app-${app}.shop.marathon.mesos`,
    `app-${app}-${random.suffix(5)}-s${node}.shop.marathon.mesos`,
  ];
  const id = `marathon:/shop/app-${app}:0`;
  return [
    {
      ...{ kind: "names", id: uid },
      records: [
        { type: "A", name, address },
        { type: "A", name: task, address },
        { type: "SRV", name: `_app-${app}._tcp.shop.marathon.mesos`, target: task, port },
        { type: "SRV", name: `_http._app-${app}._tcp.shop.marathon.mesos`, target: task, port },
      ],
    },
    {
      ...{ kind: "endpoints", id: `${id} ${uid}`, service: id, ports: [{ name: "http", protocol: "tcp", port }] },
      endpoints: [{ address, state: "ready", node: `node-${node}`, pod: `marathon/app-${app}-${at}`, uid }],
    },
  ];
}

export function directoryOf(entries: readonly NetworkEntry[], store: Store, clock: Clock): Directory {
  const source = {
    ...{ name: "entries", kinds: [services], changed: () => {} },
    begin: (_reader: unknown, sink: { put(entry: NetworkEntry): void }) => {
      for (const entry of entries) sink.put(entry);
    },
  };
  return new Directory({ store, clock, log: silentLog, sources: () => [source], pack: packText });
}
