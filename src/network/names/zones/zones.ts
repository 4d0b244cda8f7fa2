/**
 * The names that this cluster answers for, from the entries that every node is told: Kubernetes' below its domain, those of other
 * dialects below `mesos` and `fleet.local`, and the addresses of pods and Services backwards. Everything else is another server's.
 */
import { holds, parseAddress, parseSubnet, type Subnet } from "../../../lib/subnet.ts";
import type {
  ClusterEntry,
  EndpointsEntry,
  NameRecord,
  NamesEntry,
  NodeEntry,
  ServiceEntry,
} from "../../../model/network.ts";
import { type NamedRecord, RecordTable } from "./record-table.ts";
import { addressOfReverseName, endpointRecords, reverseName, serviceRecords } from "./service-records.ts";

/** What names are made from. */
export type NamedEntry = ClusterEntry | NodeEntry | ServiceEntry | EndpointsEntry | NamesEntry;

/** Zones of the dialects' own names. */
const DIALECT_ZONES = ["mesos", "fleet.local"] as const;
const DNS_VERSION = "1.1.0";

export class Zones {
  readonly table = new RecordTable();
  readonly #services = new Map<string, ServiceEntry>();
  readonly #slices = new Map<string, EndpointsEntry>();
  readonly #slicesOf = new Map<string, Set<string>>();
  readonly #nodes = new Map<string, NodeEntry>();
  #domain = "";
  #ranges: readonly Subnet[] = [];
  #podRanges: readonly Subnet[] | undefined;
  #lost: readonly Subnet[] = [];
  #lostAddresses: ReadonlySet<number> = new Set();
  #gateway: number | undefined;
  /** Counts changes, for the serial of its zones. */
  serial = 1;

  /** The address of the server itself, which its zones name. */
  constructor(gateway: string) {
    this.#gateway = parseAddress(gateway);
  }

  get domain(): string {
    return this.#domain;
  }

  /** Where pods are: whoever asks from there is answered. Asked for with every packet, and made when a node or the cluster changes. */
  get podRanges(): readonly Subnet[] {
    this.#podRanges ??= this.#foldedRanges();
    return this.#podRanges;
  }

  /** Nodes' ranges that are parts of the cluster's say nothing new: a cluster of any size has one range, and those that a person gave. */
  #foldedRanges(): readonly Subnet[] {
    const own = [...this.#nodes.values()].flatMap(({ podRange }) => parseSubnet(podRange ?? "") ?? []);
    const whole = this.#ranges.slice(0, 1);
    const isPart = ({ first, last }: Subnet) => whole.some((range) => holds(range, first) && holds(range, last));
    return [...whole, ...own.filter((range) => !isPart(range))];
  }

  clear(): void {
    for (const entry of this.#slices.values()) this.remove("endpoints", entry.id);
    for (const entry of this.#services.values()) this.remove("service", entry.id);
    for (const entry of this.#nodes.values()) this.remove("node", entry.id);
    for (const source of this.table.sources()) this.table.remove(source);
    this.#lost = [];
    this.#lostAddresses = new Set();
  }

  put(entry: NamedEntry): void {
    this.serial++;
    switch (entry.kind) {
      case "cluster":
        this.#putCluster(entry);
        break;
      case "node":
        this.#nodes.set(entry.id, entry);
        this.#podRanges = undefined;
        this.table.put(`node ${entry.id}`, nodeRecords(entry));
        break;
      case "service":
        this.#services.set(entry.id, entry);
        this.#tellService(entry);
        break;
      case "endpoints":
        this.remove("endpoints", entry.id);
        this.#slices.set(entry.id, entry);
        this.#slicesOf.set(entry.service, (this.#slicesOf.get(entry.service) ?? new Set()).add(entry.id));
        this.#tellSlice(entry);
        break;
      case "names":
        this.table.put(`names ${entry.id}`, entry.records.flatMap(namedRecord));
        break;
    }
  }

  remove(kind: NamedEntry["kind"], id: string): void {
    this.serial++;
    this.table.remove(`${kind} ${id}`);
    if (kind === "node") {
      this.#nodes.delete(id);
      this.#podRanges = undefined;
    } else if (kind === "service") {
      this.#services.delete(id);
      for (const slice of this.#slicesOf.get(id) ?? []) this.table.remove(`endpoints ${slice}`);
    } else if (kind === "endpoints") {
      const slice = this.#slices.get(id);
      this.#slices.delete(id);
      const slices = slice && this.#slicesOf.get(slice.service);
      slices?.delete(id);
      if (slice && slices?.size === 0) this.#slicesOf.delete(slice.service);
    }
  }

  /** Nodes that are silent and out of reach: what is there is named only where nothing else is. */
  setLost(names: readonly string[]): void {
    const nodes = names.flatMap((name) => this.#nodes.get(name) ?? []);
    this.#lost = nodes.flatMap(({ podRange }) => parseSubnet(podRange ?? "") ?? []);
    this.#lostAddresses = new Set(nodes.flatMap(({ address }) => parseAddress(address) ?? []));
  }

  get hasLost(): boolean {
    return this.#lost.length > 0 || this.#lostAddresses.size > 0;
  }

  isLost(address: number): boolean {
    return this.#lostAddresses.has(address) || this.#lost.some((range) => holds(range, address));
  }

  /** The zone of ours that holds this name; undefined: it is somebody else's. */
  zoneOf(name: string): string | undefined {
    const zones = [this.#domain, ...DIALECT_ZONES];
    const zone = zones.find((each) => each !== "" && (name === each || name.endsWith(`.${each}`)));
    return zone ?? this.#reverseZoneOf(name);
  }

  /** `10-42-0-5.default.pod.cluster.local`, for every address that a pod may have: the name says what it stands for. */
  podAddress(name: string): number | undefined {
    const end = `.pod.${this.#domain}`;
    if (!name.endsWith(end)) return undefined;
    const [host = "", namespace, ...more] = name.slice(0, -end.length).split(".");
    if (namespace === undefined || more.length > 0) return undefined;
    const address = /^\d{1,3}(-\d{1,3}){3}$/.test(host) ? parseAddress(host.replaceAll("-", ".")) : undefined;
    return address !== undefined && this.podRanges.some((range) => holds(range, address)) ? address : undefined;
  }

  #putCluster(entry: ClusterEntry): void {
    const domain = entry.domain.toLowerCase();
    const hasMoved = domain !== this.#domain;
    this.#domain = domain;
    this.#podRanges = undefined;
    this.#ranges = [entry.podRange, entry.serviceRange].flatMap((text) => parseSubnet(text) ?? []);
    const version = { type: "TXT", text: DNS_VERSION } as const;
    const self = this.#gateway === undefined ? [] : [{ type: "A", address: this.#gateway } as const];
    this.table.put("cluster", [
      { name: `dns-version.${domain}`, data: version },
      ...[domain, ...DIALECT_ZONES].flatMap((zone) => self.map((data) => ({ name: serverOf(zone), data }))),
    ]);
    if (!hasMoved) return;
    for (const service of this.#services.values()) this.#tellService(service);
  }

  #tellService(service: ServiceEntry): void {
    this.table.put(`service ${service.id}`, serviceRecords(service, this.#domain));
    for (const id of this.#slicesOf.get(service.id) ?? []) {
      const slice = this.#slices.get(id);
      if (slice) this.#tellSlice(slice);
    }
  }

  #tellSlice(slice: EndpointsEntry): void {
    const service = this.#services.get(slice.service);
    const records = service ? endpointRecords(service, slice, this.#domain) : [];
    this.table.put(`endpoints ${slice.id}`, records);
  }

  /** The last number's: 0.42.10.in-addr.arpa, as far as a range of ours reaches. */
  #reverseZoneOf(name: string): string | undefined {
    const address = addressOfReverseName(name);
    if (address === undefined || !this.#ranges.some((range) => holds(range, address))) return undefined;
    return name.slice(name.indexOf(".") + 1);
  }
}

/** The server's own name within a zone. */
export function serverOf(zone: string): string {
  return zone === "mesos" ? "ns1.mesos" : `ns.dns.${zone}`;
}

/** Mesos-DNS names all agents together. */
function nodeRecords({ address }: NodeEntry): readonly NamedRecord[] {
  const number = parseAddress(address);
  return number === undefined ? [] : [{ name: "slave.mesos", data: { type: "A", address: number } }];
}

/** Addresses lead back to names; those of hosts, which have names of their own elsewhere, are not asked for here (lookup). */
function namedRecord(record: NameRecord): readonly NamedRecord[] {
  const name = record.name.toLowerCase();
  if (record.type === "A") {
    const address = parseAddress(record.address);
    if (address === undefined) return [];
    return [
      { name, data: { type: "A", address } },
      { name: reverseName(address), data: { type: "PTR", target: name } },
    ];
  }
  const target = record.target.toLowerCase();
  return [
    { name, data: record.type === "SRV" ? { type: "SRV", target, port: record.port } : { type: "CNAME", target } },
  ];
}
