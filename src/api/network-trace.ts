/**
 * One connection, hop by hop: the node where it begins is asked what leaves it, the node where it ends what arrives, each from its own rules
 * and routes; what the control plane knows of the pod at its end stands beside it.
 */

import { keyOf } from "../model/meta.ts";
import type { Protocol } from "../model/network.ts";
import type {
  ArriveAnswer,
  LeaveAnswer,
  TraceEnd,
  TraceHop,
  TraceReport,
  TraceTarget,
  TraceWay,
} from "../model/network-questions.ts";
import { nodes, podNetworkTrouble } from "../model/node.ts";
import { isReady, isTerminal, type Pod, pods } from "../model/pod.ts";
import { askNode } from "./ask-node.ts";
import type { StyrApiContext } from "./context.ts";
import { namespaceOfKey, type Part, sees } from "./own-part.ts";
import { fromEnd, toTargets } from "./trace-ends.ts";
import { withServicePort } from "./trace-hints.ts";

interface Asked {
  readonly from: string;
  readonly to: string;
  readonly protocol: Protocol;
}

const NOT_SEEN = "this is nothing that you may see";

type Traced = TraceReport["ways"][number];

export async function traceConnection(context: StyrApiContext, asked: Asked, part: Part): Promise<TraceReport> {
  const from = await fromEnd(context, asked.from, part);
  const namespace = from.end.pod?.split("/")[0] ?? "default";
  const to = await toTargets(context, asked.to, { protocol: asked.protocol, namespace, part });
  const legs = await Promise.all(to.targets.map((target) => follow(context, from.end, target, part)));
  const hops = legs.flatMap((leg) => leg.hops).map((hop) => veiled(hop, part));
  const ways = legs.flatMap((leg) => leg.ways).map((way) => veiledWay(way, part));
  const names = { from: from.words, to: to.words };
  return { ...names, hops, ways, ...verdict(names, hops, ways) };
}

async function follow(context: StyrApiContext, from: TraceEnd, to: TraceTarget, part: Part): Promise<LeaveAnswer> {
  const answer = await askNode(context, from.node, { ask: "leave", from, to });
  if (answer instanceof Error) return { hops: [silent(from.node, answer)], ways: [] };
  const { hops, ways } = answer as LeaveAnswer;
  const arrival = { context, from, part, protocol: to.protocol };
  const followed = ways.map((way) => (way.to.isNodePort ? passOn(arrival, way) : arrive(arrival, way)));
  return { hops, ways: (await Promise.all(followed)).flat() };
}

/** At a port of another node, whose own rules lead on from there. */
async function passOn(arrival: Arrival, { to, hops }: Traced): Promise<readonly Traced[]> {
  const { context, protocol, from } = arrival;
  const { node = from.node, source = from.address, isNodePort: _by, ...place } = to;
  const entering = { node: from.node, ...(source === undefined ? {} : { address: source }) };
  const question = { ask: "leave", from: entering, to: { ...place, protocol } } as const;
  const answer = await askNode(context, node, question);
  if (answer instanceof Error) return [{ to, hops: [...hops, silent(node, answer)] }];
  const { hops: there, ways } = answer as LeaveAnswer;
  const before = [...hops, ...there];
  if (ways.length === 0) return [{ to, hops: before }];
  // Where it took another address, it is that of the node which passed it on.
  const next = (way: Traced) => ({ ...arrival, from: way.to.source === undefined ? entering : { ...entering, node } });
  return await Promise.all(ways.map((way) => arrive(next(way), { to: way.to, hops: [...before, ...way.hops] })));
}

interface Arrival {
  readonly context: StyrApiContext;
  readonly from: TraceEnd;
  readonly part: Part;
  readonly protocol: Protocol;
}

async function arrive(arrival: Arrival, { to, hops: before }: Traced): Promise<Traced> {
  const { context, from, part, protocol } = arrival;
  const hops = before.map((hop) => (hop.what === "route" ? ofNode(context, hop, to.node) : hop));
  const pod = podAt(context, to);
  const known = pod ? [podHop(pod)] : [];
  // Nodes open connections for those who may see what is at their end, and for nobody else.
  if (part !== undefined && !(pod && sees(part, pod.metadata.namespace ?? "")))
    return { to, hops: [...hops, ...known, { at: "the control plane", what: "listens", words: NOT_SEEN }] };
  const port = to.port === undefined ? {} : { port: to.port };
  // Of what is outside nobody can be asked: whether it answers is tried from where the connection begins.
  const node = to.node ?? from.node;
  const seen = to.source === undefined ? from : { ...from, address: to.source };
  const question = { ask: "arrive", from: seen, to: { address: to.address, protocol, ...port } } as const;
  const answer = await askNode(context, node, question);
  const there = answer instanceof Error ? [silent(node, answer)] : (answer as ArriveAnswer).hops;
  const back = there
    .map((hop) => (hop.what === "way back" ? ofNode(context, hop, from.node) : hop))
    .map((hop) => withServicePort(context, hop, pod, to.port));
  const said = to.node === undefined ? back.filter(({ what }) => what === "listens") : back;
  const at = pod ? { ...to, pod: keyOf(pod), uid: pod.metadata.uid } : to;
  return { to: at, hops: [...hops, ...known, ...said] };
}

/** Before anybody looks for a firewall: the control plane knows of a node whose pods have no network. */
function ofNode({ store }: StyrApiContext, hop: TraceHop, node: string | undefined): TraceHop {
  if (hop.isOk !== false || node === undefined) return hop;
  const trouble = podNetworkTrouble(store.get(nodes, node)?.status.conditions ?? []);
  if (trouble === undefined) return hop;
  return { ...hop, words: `${hop.words}; pods of node ${node} have no network: ${trouble}`, advice: "styr nodes" };
}

function silent(node: string, error: Error): TraceHop {
  return {
    at: node,
    what: "node",
    isOk: false,
    words: `node ${node} cannot be asked: ${error.message}`,
    advice: "styr nodes",
  };
}

function podAt({ store }: StyrApiContext, { address, node, uid }: TraceWay): Pod | undefined {
  if (node === undefined) return undefined;
  const there = store.by(pods, "node", node).filter((pod) => !isTerminal(pod));
  const mine = there.filter(
    ({ spec, status }) =>
      (spec.hostNetwork !== true && status.podIP === address && status.podIP !== status.hostIP) ||
      status.containerStatuses?.some(({ children = [] }) => children.some((child) => child.address === address)),
  );
  return mine.find(({ metadata }) => metadata.uid === uid) ?? mine[0];
}

/** What the control plane knows of it. */
function podHop(pod: Pod): TraceHop {
  const { namespace } = pod.metadata;
  const hop = { at: "the control plane", what: "pod", ...(namespace === undefined ? {} : { namespace }) };
  const name = keyOf(pod);
  const { phase } = pod.status;
  if (pod.metadata.deletionTimestamp !== undefined)
    return { ...hop, isOk: true, words: `${name} is on its way out: names and services lead there no more` };
  if (phase !== "Running") return { ...hop, isOk: false, words: `${name} is ${phase}`, advice: `styr why ${name}` };
  if (isReady(pod)) return { ...hop, isOk: true, words: `${name} runs and is ready` };
  return { ...hop, isOk: true, words: `${name} runs, but is not ready: names and services do not lead there` };
}

/** What lies in a namespace that the asker may not see is said without words. */
function veiled(hop: TraceHop, part: Part): TraceHop {
  if (hop.namespace === undefined || sees(part, hop.namespace)) return hop;
  const { at, what, isOk } = hop;
  return { at, what, ...(isOk === undefined ? {} : { isOk }), words: NOT_SEEN };
}

function veiledWay({ to, hops }: Traced, part: Part): Traced {
  const { pod, uid: _uid, ...place } = to;
  const isSeen = pod === undefined || sees(part, namespaceOfKey(pod));
  return { to: isSeen ? to : place, hops: hops.map((hop) => veiled(hop, part)) };
}

function verdict(
  { from, to }: { readonly from: string; readonly to: string },
  hops: readonly TraceHop[],
  ways: readonly Traced[],
) {
  const stops = (one: readonly TraceHop[]) => one.find(({ isOk }) => isOk === false);
  const early = stops(hops);
  if (early) return { isOpen: false, summary: `it stops at ${early.what} on ${early.at}: ${early.words}` };
  const closed = ways.flatMap((way) => stops(way.hops) ?? []);
  if (ways.length === 0) return { isOpen: false, summary: `nothing is known of a way from ${from} to ${to}` };
  const [first] = closed;
  if (first === undefined) {
    const unseen = ways.flatMap((way) => way.hops).find(({ isOk }) => isOk === undefined);
    if (unseen === undefined) return { isOpen: true, summary: `open: ${from} reaches ${to}` };
    return { isOpen: true, summary: `as far as can be seen, ${from} reaches ${to}: ${unseen.words}` };
  }
  const all = closed.length === ways.length;
  const words = `${first.what} on ${first.at}: ${first.words}`;
  if (all) return { isOpen: false, summary: `it stops at ${words}` };
  return {
    isOpen: true,
    summary: `open by ${ways.length - closed.length} of ${ways.length} ways; the other stops at ${words}`,
  };
}
