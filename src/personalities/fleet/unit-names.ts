/**
 * By what names units are found: `redis.service` is `redis.fleet.local`, at its host's address or at the address that its container has
 * on the pod network. fleet itself named nothing; its users wrote sidekicks that told etcd.
 */
import { dialectOf } from "../../model/dialect.ts";
import type { PodDiscovery } from "../../model/discovery.ts";
import type { NameRecord } from "../../model/network.ts";
import type { ChildContainer, Pod } from "../../model/pod.ts";
import { ANNOTATION } from "../../model/well-known.ts";

const ZONE = "fleet.local";
const LONGEST_LABEL = 63;
/** A name has 253 at most, and SRV records put something before it. */
const LONGEST_OWN = 200;

export function discoverUnit(pod: Pod): PodDiscovery | undefined {
  const { annotations = {} } = pod.metadata;
  const unit = annotations[ANNOTATION.workload];
  const { hostIP, containerStatuses = [] } = pod.status;
  if (dialectOf(pod) !== "fleet" || unit === undefined || hostIP === undefined) return undefined;
  const children = containerStatuses.flatMap((status) => status.children ?? []);
  const running = children.filter(({ state }) => state === "running");
  return { records: recordsOf(unit, hostIP, running), services: [] };
}

function recordsOf(unit: string, hostIP: string, children: readonly ChildContainer[]): readonly NameRecord[] {
  // A container with its unit's name is the unit, as people write them.
  const first = children.find(({ address }) => address !== undefined);
  const found = new Map<string, NameRecord>();
  const name = (label: string, address: string, child: ChildContainer | undefined) => {
    for (const record of [{ type: "A", name: `${label}.${ZONE}`, address } as const, ...portsOf(label, child)])
      found.set(JSON.stringify(record), record);
  };
  for (const label of unitLabels(unit)) name(label, first?.address ?? hostIP, first ?? children[0]);
  const known = new Set(unitLabels(unit));
  for (const child of children) {
    for (const label of childLabels(child.name)) if (!known.has(label)) name(label, child.address ?? hostIP, child);
  }
  return [...found.values()];
}

/** Where the container is reached: its own ports at an address of its own, the published ones at its host. */
function portsOf(label: string, child: ChildContainer | undefined): readonly NameRecord[] {
  return (child?.ports ?? []).map(({ containerPort, hostPort, protocol }) => ({
    type: "SRV",
    name: `_${label}._${protocol}.${ZONE}`,
    target: `${label}.${ZONE}`,
    port: child?.address === undefined ? hostPort : containerPort,
  }));
}

/** `web@1.service` is `web-1` and `web@1`, and with all other instances `web`. Units of other types than service keep their type's name too. */
export function unitLabels(unit: string): readonly string[] {
  const dot = unit.lastIndexOf(".");
  const [stem, type] = [unit.slice(0, dot).toLowerCase(), unit.slice(dot + 1)];
  const template = stem.includes("@") ? [safeLabel(stem.slice(0, stem.indexOf("@")))] : [];
  const plain = isLabel(stem) ? [stem] : [];
  const labels = [safeLabel(stem), ...plain, ...template, `${safeLabel(stem)}.${type}`];
  return [...new Set(labels)].filter((label) => label !== "" && !label.startsWith("."));
}

/** `my_app` as its user wrote it, and `my-app`; `web.prod` likewise. Of dots Docker knows nothing, and names have them where they like. */
function childLabels(name: string): readonly string[] {
  const plain = name.toLowerCase();
  const isName = plain.length <= LONGEST_OWN && plain.split(".").every(isLabel);
  return [...new Set([...(isName ? [plain] : []), safeLabel(plain)])].filter((label) => label !== "");
}

function isLabel(stem: string): boolean {
  return stem.length <= LONGEST_LABEL && /^[a-z0-9]([a-z0-9@_-]*[a-z0-9])?$/.test(stem);
}

function safeLabel(text: string): string {
  const safe = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .replace(/^-+/, "");
  return safe.slice(0, LONGEST_LABEL).replace(/-+$/, "");
}
