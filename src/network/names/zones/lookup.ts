/** One question, answered from the zones: what there is, that there is nothing, or whom else to ask. Pure but for the turn of answers. */
import { RCODE, TYPE } from "../wire/constants.ts";
import type { RecordData, ResourceRecord } from "../wire/record.ts";
import { serverOf, type Zones } from "./zones.ts";

export interface LookupSettings {
  readonly ttlSeconds: number;
  readonly negativeSeconds: number;
}

export type Found =
  /** Not a name of ours. */
  | { readonly kind: "elsewhere" }
  | {
      readonly kind: "ours";
      readonly rcode: number;
      readonly answers: readonly ResourceRecord[];
      readonly authority: readonly ResourceRecord[];
      readonly additional: readonly ResourceRecord[];
      /** The answer ends in a name of somebody else's: what that stands for belongs behind it. */
      readonly goesOnAt?: string;
    };

/** A chain of other names ends here: a ring of them has no end. */
const MOST_ALIASES = 8;
/** More would not be read, and looking through them all for one question would hold up all others. */
const MOST_ANSWERS = 1000;
/** For one answer, while hosts are lost: few of many are better than a server that looks through them all for each question. */
const MOST_LOOKED_AT = 4 * MOST_ANSWERS;
/** Of an answer's additional addresses; more would not fit. */
const MOST_ADDITIONAL = 16;

type Ours = Extract<Found, { kind: "ours" }>;

/** `turn` decides which of several comes first: one more each time. */
export function lookup(zones: Zones, name: string, type: number, turn: number, settings: LookupSettings): Found {
  const answers: ResourceRecord[] = [];
  let at = name;
  for (let alias = 0; alias <= MOST_ALIASES; alias++) {
    const records = recordsAt(zones, at, settings);
    const zone = zones.zoneOf(at);
    if (records === undefined) {
      if (zone === undefined) return answers.length === 0 ? { kind: "elsewhere" } : ours(answers, { goesOnAt: at });
      // RFC 2308, 2.1: the whole is a name that is not there, with the aliases that led to it.
      return ours(answers, { rcode: RCODE.noSuchName, authority: [soa(zones, zone, settings)] });
    }
    const cname = records.find(isAlias);
    if (!cname || type === TYPE.CNAME) return atEnd(zones, { at, type, turn, records, answers, settings });
    answers.push({ name: at, ttlSeconds: settings.ttlSeconds, data: cname });
    at = cname.target;
  }
  return ours([], { rcode: RCODE.serverFailure });
}

function isAlias(record: RecordData): record is Extract<RecordData, { type: "CNAME" | "PTR" | "NS" }> {
  return record.type === "CNAME";
}

interface End {
  readonly at: string;
  readonly type: number;
  readonly turn: number;
  readonly records: readonly RecordData[];
  readonly answers: readonly ResourceRecord[];
  readonly settings: LookupSettings;
}

function atEnd(zones: Zones, { at, type, turn, records, answers, settings }: End): Found {
  const matching = records.filter((record) => type === TYPE.ANY || numberOf(record) === type);
  const found = turned(once(window(zones, matching, turn)), turn);
  const zone = zones.zoneOf(at);
  const { ttlSeconds } = settings;
  if (found.length === 0) return ours(answers, zone === undefined ? {} : { authority: [soa(zones, zone, settings)] });
  const own = found.map((data) => ({ name: at, ttlSeconds, data }));
  return ours([...answers, ...own], { additional: targetsOf(zones, found, ttlSeconds) });
}

function ours(answers: readonly ResourceRecord[], more: Partial<Ours>): Found {
  return { kind: "ours", rcode: RCODE.ok, authority: [], additional: [], ...more, answers };
}

/** Those of the tables, and those that follow from the name alone. */
function recordsAt(zones: Zones, name: string, settings: LookupSettings): readonly RecordData[] | undefined {
  const told = zones.table.get(name);
  const zone = zones.zoneOf(name);
  if (zone === name) {
    const { data } = soa(zones, zone, settings);
    return [...(told ?? []), data, { type: "NS", target: serverOf(zone) }];
  }
  // Above our zones (`local`, `arpa`) and in reverse for hosts, others know better.
  if (zone === undefined) return told && told.length > 0 && !name.endsWith(".in-addr.arpa") ? told : undefined;
  if (told !== undefined) return told;
  const pod = zones.podAddress(name);
  if (pod !== undefined) return [{ type: "A", address: pod }];
  return name === `pod.${zones.domain}` || name === `svc.${zones.domain}` ? [] : undefined;
}

export function soa(zones: Zones, zone: string, { negativeSeconds }: LookupSettings): ResourceRecord {
  const server = serverOf(zone);
  const data = { type: "SOA", server, serial: zones.serial % 2 ** 32, negativeSeconds } as const;
  return { name: zone, ttlSeconds: negativeSeconds, data };
}

/** Two pods on one host's network have one address; it is said once. */
function once(records: readonly RecordData[]): readonly RecordData[] {
  if (records.length < 2) return records;
  return [...new Map(records.map((record) => [keyOf(record), record])).values()];
}

function keyOf(record: RecordData): string {
  switch (record.type) {
    case "A":
      return `A ${record.address}`;
    case "SRV":
      return `SRV ${record.port} ${record.target}`;
    default:
      return JSON.stringify(record);
  }
}

/** Those that can be reached; of very many, some: the next ones next time. */
function window(zones: Zones, records: readonly RecordData[], turn: number): readonly RecordData[] {
  if (records.length <= MOST_ANSWERS) return reachable(zones, records);
  const start = (turn * MOST_ANSWERS) % records.length;
  const at = (n: number) => records[(start + n) % records.length] as RecordData;
  const some: RecordData[] = [];
  for (let n = 0; n < records.length && some.length < MOST_ANSWERS; n++) {
    if (n >= MOST_LOOKED_AT && some.length > 0) break;
    if (!zones.hasLost || !isLost(zones, at(n))) some.push(at(n));
  }
  return some.length > 0 ? some : Array.from({ length: MOST_ANSWERS }, (_, n) => at(n));
}

/** Without those on lost nodes, unless there are no others. */
function reachable(zones: Zones, records: readonly RecordData[]): readonly RecordData[] {
  if (!zones.hasLost) return records;
  const left = records.filter((record) => !isLost(zones, record));
  return left.length === 0 ? records : left;
}

function isLost(zones: Zones, record: RecordData): boolean {
  if (record.type === "A") return zones.isLost(record.address);
  if (record.type !== "SRV") return false;
  const addresses = addressesOf(zones, record.target);
  return addresses.length > 0 && addresses.every((address) => zones.isLost(address));
}

function targetsOf(zones: Zones, records: readonly RecordData[], ttlSeconds: number): readonly ResourceRecord[] {
  const targets = new Set(records.flatMap((record) => (record.type === "SRV" ? [record.target] : [])));
  const found: ResourceRecord[] = [];
  for (const name of targets) {
    for (const address of addressesOf(zones, name)) found.push({ name, ttlSeconds, data: { type: "A", address } });
    if (found.length >= MOST_ADDITIONAL) break;
  }
  return found.slice(0, MOST_ADDITIONAL);
}

function addressesOf(zones: Zones, name: string): readonly number[] {
  const records = zones.table.get(name) ?? [];
  return [...new Set(records.flatMap((record) => (record.type === "A" ? [record.address] : [])))];
}

function turned(records: readonly RecordData[], turn: number): readonly RecordData[] {
  const start = records.length === 0 ? 0 : turn % records.length;
  return start === 0 ? records : [...records.slice(start), ...records.slice(0, start)];
}

function numberOf(record: RecordData): number {
  return record.type === "raw" ? record.number : TYPE[record.type];
}
