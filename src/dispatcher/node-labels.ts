/**
 * Whose a node's labels are. Labels decide which pods, and with them which secrets, come to a node: an agent sets the
 * facts of its host and those of its own start, and never changes, takes away or brings back what somebody else did.
 */
import type { Draft, ObjectMeta } from "../model/meta.ts";
import type { Node } from "../model/node.ts";
import { NODE_LABEL } from "../model/well-known.ts";

type Texts = Readonly<Record<string, string>>;

/** What the agent has set, as JSON, so that it is told from what people have. */
export const AGENT_LABELS = "styrmann.dev/agent-labels";

/** Facts of the host: nobody else's to set. */
const FACTS: readonly string[] = [NODE_LABEL.hostname, NODE_LABEL.os, NODE_LABEL.arch];
/** Kubernetes' NodeRestriction: labels under this are for people alone. */
const RESTRICTED = /^([^/]*\.)?node-restriction\.kubernetes\.io\//;
/** Annotations under this are the control plane's. */
const OURS = /^([^/]*\.)?styrmann\.dev\//;

/** `owned`: what of it is the agent's. */
export function labelsOf(
  { name, labels: told = {} }: Draft<Node>["metadata"],
  before: ObjectMeta | undefined,
): { readonly labels: Texts; readonly owned: Texts } {
  const known = agentLabelsOf(before);
  const labels = new Map(Object.entries(before?.labels ?? {}));
  const owned = new Map<string, string>();
  for (const [key, value] of Object.entries(told)) {
    if (RESTRICTED.test(key)) continue;
    const present = labels.get(key);
    // Also of a label that somebody took away, the agent goes on to know that it was its own.
    const isOwn =
      FACTS.includes(key) || !(before && known.has(key) ? present !== known.get(key) : present !== undefined);
    const own = key === NODE_LABEL.hostname ? name : value;
    if (isOwn) labels.set(key, own);
    const remembered = isOwn ? own : known.get(key);
    if (remembered !== undefined) owned.set(key, remembered);
  }
  // Its agent was started without it this time.
  for (const [key, value] of known) if (!(key in told) && labels.get(key) === value) labels.delete(key);
  return { labels: Object.fromEntries(labels), owned: Object.fromEntries(owned) };
}

/** Those of others win. */
export function annotationsOf(
  { annotations: told = {} }: Draft<Node>["metadata"],
  before: ObjectMeta | undefined,
  owned: Texts,
): Texts {
  const own = Object.entries(told).filter(([key]) => !OURS.test(key));
  const sorted = Object.fromEntries(Object.entries(owned).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { ...Object.fromEntries(own), ...before?.annotations, [AGENT_LABELS]: JSON.stringify(sorted) };
}

function agentLabelsOf(before: ObjectMeta | undefined): ReadonlyMap<string, string> {
  const text = before?.annotations?.[AGENT_LABELS];
  if (text === undefined) return new Map();
  try {
    return new Map(Object.entries(JSON.parse(text) as Texts));
  } catch (error) {
    // People can write it, too: then everything is theirs.
    if (error instanceof SyntaxError) return new Map();
    throw error;
  }
}
