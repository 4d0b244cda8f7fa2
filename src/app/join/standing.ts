/** What this host is already, before it joins: nothing, part of that very cluster, or of another one. */
import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { CertificateRequest } from "../../trust/join-messages.ts";
import { hashesOf } from "../../trust/key-hash.ts";
import { type ClientIdentity, fetchCa, type PinnedAnswer, postJson, TrustError } from "../../trust/pinned-request.ts";
import { identityFiles, type Membership, readMembership } from "../membership.ts";
import { type Pair, readIfThere, readPair } from "../trust/pair-files.ts";

export interface StandingOptions {
  readonly stateDir: string;
  readonly url: URL;
  /** Of the token. */
  readonly pin: string;
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

/** The membership that is there and still good; undefined when this host may join. Throws when something else lives there. */
export async function standingOf(options: StandingOptions): Promise<Membership | undefined> {
  const { stateDir, nowMs } = options;
  const membership = await readMembership(stateDir);
  if (!membership) {
    refuseOwnCluster(stateDir);
    return undefined;
  }
  const { ca, nodeCert, nodeKey } = identityFiles(stateDir);
  const bundle = (await readIfThere(ca)) ?? "";
  const believed = await believedAt(options, bundle);
  await refuseOther(membership, options, bundle, believed);
  const pair = await readPair(nodeCert, nodeKey);
  if (!pair || Date.parse(new X509Certificate(pair.certPem).validTo) <= nowMs) return undefined;
  return (await isTaken(options, believed, pair)) ? membership : undefined;
}

export function joiningDir(stateDir: string): string {
  return join(stateDir, "joining");
}

/** The CA to ask that server with: its own of before or, where it was changed meanwhile, the token's. Undefined: it cannot be asked. */
async function believedAt(options: StandingOptions, bundle: string): Promise<string | undefined> {
  const { url, pin, signal } = options;
  if ((await clusterAt(options, bundle)) !== undefined) return bundle;
  return unlessUnreachable(fetchCa(url, pin, signal));
}

async function refuseOther(
  { clusterId, nodeName, servers }: Membership,
  options: StandingOptions,
  bundle: string,
  believed: string | undefined,
): Promise<void> {
  const there = believed === undefined ? undefined : await clusterAt(options, believed);
  const looksAlike = hashesOf(bundle).includes(options.pin) || servers.includes(options.url.origin);
  if (there === undefined ? looksAlike : there === clusterId) return;
  throw new Error(
    `this host is part of another cluster (as ${nodeName}, servers ${servers.join(", ")}); to leave that one and remove all that it runs here: styr uninstall. Or join with another state directory: --state DIR`,
  );
}

/** Which cluster that server is of; undefined when it cannot be asked, or that CA is not its own. */
async function clusterAt({ url, signal }: StandingOptions, caPem: string): Promise<string | undefined> {
  const answer = await asked(url, "/styr/v1/join/cluster", caPem, {}, { signal });
  return answer?.status === 200 ? (JSON.parse(answer.text) as { clusterId: string }).clusterId : undefined;
}

/** Whether the cluster still takes this host's certificate. A server that cannot be asked says nothing against it. */
async function isTaken({ url, signal }: StandingOptions, caPem: string | undefined, pair: Pair): Promise<boolean> {
  if (caPem === undefined) return true;
  const body: CertificateRequest = { certPem: pair.certPem, believes: hashesOf(caPem) };
  return (await asked(url, "/styr/v1/certificates", caPem, body, { ...pair, signal }))?.status !== 401;
}

function asked(url: URL, path: string, caPem: string, body: object, identity: ClientIdentity) {
  return unlessUnreachable<PinnedAnswer>(postJson(new URL(path, url), caPem, body, identity));
}

async function unlessUnreachable<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof TrustError) return undefined;
    throw error;
  }
}

/** What `styr up` or `styr server` made there is a cluster of its own, unless a join was broken off. */
function refuseOwnCluster(stateDir: string): void {
  if (existsSync(joiningDir(stateDir))) return;
  const { caKey } = identityFiles(stateDir);
  if (!existsSync(join(stateDir, "store.db")) && !existsSync(caKey)) return;
  throw new Error(
    `a cluster of its own lives in ${stateDir} (styr up was here); to remove it and all that it runs: styr down. Or join with another state directory: --state DIR`,
  );
}
