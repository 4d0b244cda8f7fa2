import type { Draft } from "../model/meta.ts";
import {
  LINK_UNSTEADY,
  LINKS_STEADY,
  NETWORK_UNAVAILABLE,
  NETWORK_WORKING,
  type Node,
  type NodeSpec,
  type NodeStatus,
  nodes,
} from "../model/node.ts";
import type { Condition } from "../model/pod.ts";
import { recordEvent } from "../store/record-event.ts";
import type { Tx } from "../store/transaction.ts";
import { forgetAddressesElsewhere } from "./believed-addresses.ts";
import { believedOfNode, withRefusedAddress } from "./node-addresses.ts";
import { annotationsOf, labelsOf } from "./node-labels.ts";
import { type RangeAnswer, rangeConditions, rangeFor } from "./pod-range.ts";

/**
 * Creates or updates a node's object from what its agent says. Everything that others wrote on it stays: cordon and
 * taints, labels, resources that people added, conditions of others. Whether a silent node is ready again is for its
 * lease to say, so a Ready condition that says Unknown stays, too. What a node may not say of itself is not looked at.
 */
export function writeNode(tx: Tx, draft: Draft<Node>): void {
  const before = tx.get(nodes, draft.metadata.name);
  const wished = { held: before?.spec.podCIDR, wish: draft.spec.podCIDR };
  const addresses = draft.status.addresses.map(({ address }) => address);
  const range = rangeFor(tx, { node: draft.metadata.name, addresses, ...wished });
  const told = believedStatus(tx, draft, before, range);
  const { labels, owned } = labelsOf(draft.metadata, before?.metadata);
  const annotations = annotationsOf(draft.metadata, before?.metadata, owned);
  if (!before) {
    const { taints } = draft.spec;
    const { name } = draft.metadata;
    const spec = { ...(taints === undefined ? {} : { taints }), ...cidrOf(range) };
    tx.create(nodes, {
      apiVersion: nodes.apiVersion,
      kind: "Node",
      metadata: { name, labels, annotations },
      spec,
      status: told,
    });
    return;
  }
  noteUnsteady(tx, before, told.conditions);
  const { unlisted: _said, network: _told, ...kept } = before.status;
  const status = {
    ...kept,
    ...told,
    capacity: { ...before.status.capacity, ...told.capacity },
    allocatable: { ...before.status.allocatable, ...told.allocatable },
    conditions: conditionsOf(before.status.conditions, told.conditions),
  };
  const metadata = { ...before.metadata, labels, annotations };
  tx.update(nodes, { ...before, metadata, spec: { ...before.spec, ...cidrOf(range) }, status });
  if (range && "range" in range) forgetAddressesElsewhere(tx, before.metadata.name);
}

/** Once, until it is over or of other nodes: a link that loses packets now and then is looked for afterwards, when all is well again. */
function noteUnsteady(tx: Tx, before: Node, told: readonly Condition[]): void {
  const wordsOf = (all: readonly Condition[]) => all.find(({ type }) => type === LINKS_STEADY)?.message;
  const message = wordsOf(told);
  if (message === undefined || message === wordsOf(before.status.conditions)) return;
  recordEvent(tx, before, { type: "Warning", reason: LINK_UNSTEADY, message, component: "agent" });
}

/** What it says of itself, without what is another's. */
function believedStatus(tx: Tx, { metadata, spec, status }: Draft<Node>, before: Node | undefined, range: RangeAnswer) {
  const said = withOwnKey(tx, metadata.name, statusOf(status));
  const takesPart = spec.podCIDR !== undefined;
  const place = { node: metadata.name, said: said.addresses, takesPart, before };
  const { addresses, refused } = believedOfNode(tx, place);
  const conditions = withRefusedAddress(rangeConditions(range, said.conditions, tx.nowMs), refused, tx.nowMs);
  return { ...said, addresses, conditions };
}

/** As Kubernetes has it twice. */
function cidrOf(answer: RangeAnswer): Partial<NodeSpec> {
  return answer && "range" in answer ? { podCIDR: answer.range, podCIDRs: [answer.range] } : {};
}

/** Without anything that is none of it. */
function statusOf(told: NodeStatus): NodeStatus {
  const { capacity, allocatable, conditions, addresses, nodeInfo, drivers, dynamicPorts, unlisted, network } = told;
  const own = { capacity, allocatable, conditions, addresses, nodeInfo, drivers, dynamicPorts };
  return { ...own, ...(unlisted === undefined ? {} : { unlisted }), ...(network === undefined ? {} : { network }) };
}

/** A key that another node has is that one's: of two peers of one key WireGuard would forget the addresses of the first. */
function withOwnKey(tx: Tx, name: string, status: NodeStatus): NodeStatus {
  const { wireguardKey, ...network } = status.network ?? {};
  if (wireguardKey === undefined) return status;
  const others = tx.list(nodes).filter(({ metadata }) => metadata.name !== name);
  const isTaken = others.some(({ status: other }) => other.network?.wireguardKey === wireguardKey);
  return isTaken ? { ...status, network } : status;
}

/** Nobody else says these: what an agent says no longer is over, also what an agent before it said. */
const AGENTS_ONLY: readonly string[] = [NETWORK_UNAVAILABLE, NETWORK_WORKING, LINKS_STEADY];

/** The agent's in its order, then those of others. */
function conditionsOf(before: readonly Condition[], told: readonly Condition[]): readonly Condition[] {
  const known = new Map(before.map((condition) => [condition.type, condition]));
  const others = before.filter(({ type }) => !AGENTS_ONLY.includes(type) && !told.some((one) => one.type === type));
  return [...told.map((condition) => merged(known.get(condition.type), condition)), ...others];
}

function merged(before: Condition | undefined, told: Condition): Condition {
  if (before?.type === "Ready" && before.status === "Unknown") return before;
  // The agent does not see when others changed it in between.
  const since = before?.status === told.status ? before.lastTransitionTime : undefined;
  return since === undefined ? told : { ...told, lastTransitionTime: since };
}
