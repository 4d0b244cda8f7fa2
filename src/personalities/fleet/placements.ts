/** Where a unit's pods have to be, and why one that has its place has to leave it. Reads the store, changes nothing. */

import { nodes } from "../../model/node.ts";
import { isTerminal, type Pod, pods } from "../../model/pod.ts";
import type { Reader } from "../../store/transaction.ts";
import { copiesOf } from "./copies.ts";
import { globMatches } from "./glob.ts";
import { type Unit, units } from "./kinds.ts";
import { machineLabels } from "./machine-labels.ts";
import { type Requirements, readRequirements } from "./requirements.ts";
import { hostnameOf, type Placement, WHERE_IT_WAS } from "./translate.ts";
import { replacersKeptFrom, unitNameOf } from "./unit-pods.ts";

export function placementsOf(unit: Unit, reader: Reader): readonly Placement[] {
  const requirements = readRequirements(unit.spec.options, unit.metadata.name);
  if (!requirements.isGlobal) {
    // A peer that is leaving still counts for the scheduler: placed there now, this unit would only have to leave again.
    if (requirements.peers.some((peer) => isLeaving(reader, peer))) return [];
    return [{ replacedBy: replacersOf(unit, reader), besides: endedPeers(reader, requirements) }];
  }
  return reader
    .list(nodes)
    .filter((node) => missedMetadata(requirements, machineLabels(reader, node)) === undefined)
    .map((node) => ({ node }));
}

/** The pod that stands for a unit, or that has to go before one may. */
function podOf(reader: Reader, unit: string): Pod | undefined {
  const { current, inTheWay } = copiesOf(reader, unit);
  return current ?? inTheWay[0];
}

function isLeaving(reader: Reader, peer: string): boolean {
  return podOf(reader, peer)?.metadata.deletionTimestamp !== undefined;
}

/** It has ended here and is about to be started here again. */
function isComingBack(reader: Reader, peer: string, hostname: string): boolean {
  const { nodeName, constraints = [] } = podOf(reader, peer)?.spec ?? {};
  const wish = constraints.find(({ from }) => from === WHERE_IT_WAS);
  return nodeName === undefined && wish?.type === "in" && wish.values.includes(hostname);
}

/** Peers that have ended keep their place for fleet, though they take no room there any more: peer → its machine's name. */
function endedPeers(reader: Reader, { peers }: Requirements): ReadonlyMap<string, string> {
  const places = peers.flatMap((peer) => {
    const pod = podOf(reader, peer);
    const node = pod && isTerminal(pod) ? reader.get(nodes, pod.spec.nodeName ?? "") : undefined;
    return node ? [[peer, hostnameOf(node)] as const] : [];
  });
  return new Map(places);
}

/** Launched units that say they replace this one. Two that replace each other both stay (fleet's circular guard). */
function replacersOf(unit: Unit, reader: Reader): readonly string[] {
  const { name } = unit.metadata;
  const mine = readRequirements(unit.spec.options, name).replaces;
  const matches = (globs: readonly string[], text: string) => globs.some((glob) => globMatches(glob, text));
  return reader
    .by(units, "trait", "replaces")
    .filter(({ metadata, spec }) => metadata.name !== name && spec.desiredState === "launched")
    .filter(({ metadata, spec }) => {
      const theirs = readRequirements(spec.options, metadata.name).replaces;
      return matches(theirs, name) && !matches(mine, metadata.name);
    })
    .map(({ metadata }) => metadata.name);
}

/** Why a pod that has its machine has to give it up; undefined when it may stay. */
export function whyLeave(reader: Reader, unit: Unit, pod: Pod, placement: Placement): string | undefined {
  const node = reader.get(nodes, pod.spec.nodeName ?? "");
  if (!node) return undefined;
  const requirements = readRequirements(unit.spec.options, unit.metadata.name);
  const labels = machineLabels(reader, node);
  const missed = missedMetadata(requirements, labels);
  if (missed !== undefined) return `${node.metadata.name} does not have ${missed} any more`;
  if (placement.replacedBy === undefined || (requirements.peers.length === 0 && placement.replacedBy.length === 0))
    return undefined;
  const here = reader.by(pods, "node", node.metadata.name).filter(({ metadata }) => !metadata.deletionTimestamp);
  const names = here.map(unitNameOf);
  const isMissing = (peer: string) => !names.includes(peer) && !isComingBack(reader, peer, hostnameOf(node));
  const lost = requirements.isGlobal ? undefined : requirements.peers.find(isMissing);
  if (lost !== undefined) return `MachineOf=${lost}: it is not on ${node.metadata.name} any more`;
  // Moves once per unit that replaces it: the new pod keeps away by a rule of its own.
  const kept = replacersKeptFrom(pod);
  const replacer = placement.replacedBy?.find((name) => !kept.includes(name) && names.includes(name));
  return replacer === undefined ? undefined : `${replacer} replaces it on ${node.metadata.name}`;
}

/** The first key whose value is none of those asked for, as it was asked. */
function missedMetadata({ metadata }: Requirements, labels: Readonly<Record<string, string>>): string | undefined {
  const [missed] = [...metadata].filter(
    ([key, values]) => !Object.hasOwn(labels, key) || !values.includes(labels[key] ?? ""),
  );
  return missed && `MachineMetadata=${missed[1].map((value) => `${missed[0]}=${value}`).join(" or ")}`;
}
