/** Whether a host may join. Pure: facts in, a refusal in words that say what to do out. */
import { humanDuration } from "../lib/duration.ts";
import type { RefusalReason } from "../model/errors.ts";
import type { JoinToken } from "../model/join-token.ts";
import { skewProblem } from "../model/version-skew.ts";
import { MOST_CLOCK_DIFFERENCE_MS } from "./lifetimes.ts";
import { isSecretOf, type JoinTokenText } from "./token-text.ts";

export interface Applicant {
  readonly token: JoinTokenText;
  readonly nodeName: string;
  readonly machineId: string;
  readonly keyHash: string;
  readonly sentAtMs: number;
  readonly version: string;
}

export interface JoinFacts {
  readonly nowMs: number;
  readonly version: string;
  /** By the id in the text. */
  readonly token: JoinToken["spec"] | undefined;
  /** Machine ids of whoever has the name that is asked for. */
  readonly machinesOfName: readonly string[];
  /** Names of hosts with the machine id of the applicant. */
  readonly namesOfMachine: readonly string[];
  /** Of the key in the newest certificate of the node of that name, unless it was taken back. */
  readonly keyHashOfName: string | undefined;
  /** When certificates of that name were last taken back. */
  readonly refusedAtMs: number | undefined;
  /** The node of that name beats. */
  readonly isAnswering: boolean;
  /** Several servers can share the store. */
  readonly isStoreShared: boolean;
}

export interface JoinRefusal {
  readonly reason: RefusalReason;
  readonly message: string;
}

/** The first thing that stands in the way; undefined: it may join. The token comes first: strangers learn nothing of the rest. */
export function refusalOfJoin(applicant: Applicant, facts: JoinFacts): JoinRefusal | undefined {
  const problems: readonly (() => JoinRefusal | undefined)[] = [
    () => tokenRefusal(applicant, facts),
    () => said("Conflict", skewProblem(facts.version, applicant.version, "agent")),
    () => said("Conflict", clockProblem(applicant.sentAtMs, facts.nowMs)),
    () => said("Conflict", nameProblem(applicant, facts)),
    () => said("Conflict", storeProblem(applicant, facts)),
  ];
  for (const problem of problems) {
    const refusal = problem();
    if (refusal) return refusal;
  }
  return undefined;
}

/** So long after its first answer a host that did not hear it may ask again; `styr join` itself asks for some minutes. */
const MAY_REPEAT_MS = 10 * 60_000;

/** This very host asks once more for what it has just got: its answer was lost. Not for what was taken back meanwhile. */
export function isRepeat(applicant: Applicant, facts: JoinFacts): boolean {
  const { nodeName, machineId, keyHash } = applicant;
  const { token, keyHashOfName, refusedAtMs = Number.NEGATIVE_INFINITY, nowMs } = facts;
  if (!token || keyHashOfName !== keyHash) return false;
  return token.used.some((one) => {
    const isSame = one.host === nodeName && one.machineId === machineId && one.keyHash === keyHash;
    const usedAtMs = Date.parse(one.at);
    return isSame && usedAtMs > refusedAtMs && nowMs - usedAtMs <= MAY_REPEAT_MS;
  });
}

function tokenRefusal(applicant: Applicant, facts: JoinFacts): JoinRefusal | undefined {
  const { token, nowMs } = facts;
  const { id, role, secret } = applicant.token;
  const another = `make another one on a server: styr token create --role ${role}`;
  const refuse = (message: string): JoinRefusal => ({ reason: "Forbidden", message: `${message}; ${another}` });
  if (!token || !isSecretOf(secret, token.secretHash) || token.role !== role)
    return refuse("this cluster does not know the token: it is of another cluster, or was removed long ago");
  if (token.revokedAt !== undefined) return refuse(`the token ${id} was revoked at ${token.revokedAt}`);
  const expiredMs = nowMs - Date.parse(token.expiresAt);
  if (expiredMs >= 0) return refuse(`the token ${id} expired ${humanDuration(expiredMs)} ago, at ${token.expiresAt}`);
  if (isRepeat(applicant, facts)) return undefined;
  if (token.used.length >= token.uses) return refuse(usedUp(id, token, applicant.nodeName));
  return undefined;
}

function usedUp(id: string, { used, uses }: JoinToken["spec"], nodeName: string): string {
  const hosts = [...new Set(used.map(({ host }) => host))].sort();
  const again = hosts.includes(nodeName) ? " (by a host of this name, with another key)" : "";
  return `the token ${id} is used up: it was good for ${uses} ${uses === 1 ? "host" : "hosts"}, and ${hosts.join(", ")} joined with it${again}`;
}

function clockProblem(sentAtMs: number, nowMs: number): string | undefined {
  const differenceMs = sentAtMs - nowMs;
  if (Math.abs(differenceMs) <= MOST_CLOCK_DIFFERENCE_MS) return undefined;
  const way = differenceMs > 0 ? "ahead of" : "behind";
  const by = humanDuration(Math.round(Math.abs(differenceMs) / 1000) * 1000);
  return `this host's clock is ${by} ${way} the server's (here: ${stamp(sentAtMs)}, there: ${stamp(nowMs)}); set the one that is wrong (timedatectl set-ntp true, or: chronyc makestep), then join again`;
}

function nameProblem({ nodeName, machineId, keyHash }: Applicant, facts: JoinFacts): string | undefined {
  if (facts.machinesOfName.some((machine) => machine !== "" && machine !== machineId))
    return `another machine is in the cluster as ${nodeName}; join under another name (--node-name NAME), or, if that machine is gone for good: styr forget ${nodeName}`;
  // A machine id is no secret, and a cloned disk has it, too: whoever is here and answers is not replaced by it.
  if (facts.isAnswering && facts.keyHashOfName !== keyHash)
    return `${nodeName}, with this machine id, is in the cluster and answers. If this host was cloned from that one, give it a name (--node-name NAME) and an id of its own (rm /etc/machine-id; systemd-machine-id-setup); if it is the same host, stop its agent first, or: styr forget ${nodeName}`;
  const twin = facts.namesOfMachine.filter((name) => name !== nodeName).sort()[0];
  if (twin === undefined) return undefined;
  return `the node ${twin} has this machine id (${machineId}). If this host was cloned from that one, give it an id of its own (rm /etc/machine-id; systemd-machine-id-setup; then join again); if it is the same host under a new name: styr forget ${twin}`;
}

function storeProblem({ token }: Applicant, { isStoreShared }: JoinFacts): string | undefined {
  if (token.role !== "server" || isStoreShared) return undefined;
  return "this cluster's store is a file of one server, and a second server could not read it; move it to etcd first: styr store migrate (docs/operations.md)";
}

function said(reason: RefusalReason, message: string | undefined): JoinRefusal | undefined {
  return message === undefined ? undefined : { reason, message };
}

function stamp(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) < 8.64e15 ? new Date(ms).toISOString().slice(0, 19) : "unreadable";
}
