/**
 * POST /styr/v1/join: a host with a token becomes part of the cluster; /styr/v1/join/cluster says which one that is. POST /styr/v1/leave: a node says that it is gone for
 * good. The token is the only proof of the first, so it is checked before anything else, and asked for at a bounded pace.
 */
import { createPublicKey } from "node:crypto";
import type { Route } from "../http/route.ts";
import { TokenBucket } from "../lib/token-bucket.ts";
import { clusterTrusts } from "../model/cluster-trust.ts";
import { ApiError } from "../model/errors.ts";
import { hostCertificateName, hostCertificates } from "../model/host-certificate.ts";
import { type JoinToken, joinTokens } from "../model/join-token.ts";
import { nodes } from "../model/node.ts";
import type { Clock } from "../seams/clock.ts";
import { rfc3339 } from "../seams/clock.ts";
import { recordEvent } from "../store/record-event.ts";
import type { Reader, Tx } from "../store/transaction.ts";
import { believedHashes, bundleOf, signerOf } from "../trust/authorities.ts";
import type { JoinAnswer, ServerKit } from "../trust/join-messages.ts";
import { type Applicant, isRepeat, type JoinFacts, refusalOfJoin } from "../trust/join-rules.ts";
import { keyHashOf } from "../trust/key-hash.ts";
import { LEAF_MS } from "../trust/lifetimes.ts";
import { issuedAtFor, refuse } from "../trust/refused.ts";
import { isSecretOf } from "../trust/token-text.ts";
import type { StyrApiContext } from "./context.ts";
import { type JoinBody, parseJoinBody } from "./join-body.ts";
import { type Joining, recordCertificate, serverUrls, trustOf } from "./joining.ts";

/** Per address: a fleet of hosts behind one address joins within seconds, and guessing is hopeless anyway. */
const PACE = { burst: 30, perSecond: 2 };
const MOST_ADDRESSES = 4096;
/** Whoever reaches the port may send them: they are kept until they are whole. A request for a certificate has a few KiB. */
const MOST_BYTES = 64 * 1024;

export function joinRoutes(context: StyrApiContext): readonly Route[] {
  const pace = new Pace(context.clock);
  return [
    {
      method: "POST",
      path: "/styr/v1/join",
      access: { verb: "join", resource: "hosts" },
      mostBytes: MOST_BYTES,
      async handle(request, { remoteAddress, note }) {
        pace.check(remoteAddress);
        const body = await parseJoinBody(request);
        note?.({ name: body.nodeName, ...bearerOf(context.store, body) });
        return Response.json(await takeIn(context, body));
      },
    },
    {
      method: "POST",
      path: "/styr/v1/join/cluster",
      access: { verb: "join", resource: "clusters" },
      mostBytes: MOST_BYTES,
      handle: () => Response.json({ clusterId: trustOf(context.store).spec.clusterId }),
    },
    {
      method: "POST",
      path: "/styr/v1/leave",
      access: { verb: "link", resource: "nodes" },
      async handle(_request, { actor }) {
        await context.store.update((tx) => leave(tx, actor.name));
        return new Response(null, { status: 204 });
      },
    },
  ];
}

/** For the audit log, also of a host that is refused: which token it has. One that only has the id of one has none. */
function bearerOf(reader: Reader, { token: { id, role, secret } }: JoinBody): { readonly actor?: string } {
  const known = reader.get(joinTokens, id)?.spec;
  return known?.role === role && isSecretOf(secret, known.secretHash) ? { actor: `join:${id}` } : {};
}

async function takeIn(context: StyrApiContext, body: JoinBody): Promise<JoinAnswer> {
  const { store, joining } = context;
  if (!joining) throw new ApiError("Unavailable", "no host can join at this server: it has no address for others");
  const issuing = await import("../trust/issue-certificate.ts");
  const publicKey = await asRefusal(issuing.publicKeyOfRequest(body.csrPem));
  const applicant: Applicant = { ...body, keyHash: keyHashOf(createPublicKey(publicKey)) };
  check(store, context, applicant);
  const { spec } = trustOf(store);
  const issuedMs = issuedAtFor(spec, body.nodeName, "node", context.clock.now());
  const wanted = { subject: `CN=${body.nodeName},O=styrmann:node`, names: [], usage: "client" as const };
  const ca = signerOf(spec);
  const certPem = await issuing.issueForRequest(ca, body.csrPem, wanted, issuedMs, issuedMs + LEAF_MS);
  const serverKit = applicant.token.role === "server" ? await kitOf(context, joining, ca.keyPem) : undefined;
  // Others may have joined since it was looked at: what is written is decided inside.
  return store.update((tx) => {
    const facts = check(tx, context, applicant);
    if (keyHashOf(signerOf(trustOf(tx).spec).certPem) !== keyHashOf(ca.certPem)) throw tryAgain();
    if (!isRepeat(applicant, facts)) use(tx, applicant);
    return answerOf(tx, { applicant, certPem, joining, ...(serverKit ? { serverKit } : {}) });
  });
}

function check(
  reader: Reader,
  { clock, version, joining, lifecycle }: StyrApiContext,
  applicant: Applicant,
): JoinFacts {
  const { nodeName, machineId, token } = applicant;
  const certificate = reader.get(hostCertificates, hostCertificateName("node", nodeName));
  const node = reader.get(nodes, nodeName);
  const facts: JoinFacts = {
    nowMs: clock.now(),
    version,
    token: reader.get(joinTokens, token.id)?.spec,
    machinesOfName: [certificate?.spec.machineId ?? "", node?.status.nodeInfo.machineID ?? ""],
    namesOfMachine: [
      ...reader.by(hostCertificates, "machine", machineId).map(({ spec }) => spec.host),
      ...reader.by(nodes, "machine", machineId).map(({ metadata }) => metadata.name),
    ],
    keyHashOfName: certificate?.spec.keyHash,
    refusedAtMs: refusedAt(reader, nodeName),
    isAnswering: node !== undefined && lifecycle?.stateOf(nodeName)?.state === "ready",
    isStoreShared: joining?.storeKit !== undefined,
  };
  const refusal = refusalOfJoin(applicant, facts);
  if (refusal) throw new ApiError(refusal.reason, refusal.message);
  return facts;
}

/** In either role: a server has a certificate as a node, too. */
function refusedAt(reader: Reader, nodeName: string): number | undefined {
  const { refused = [] } = trustOf(reader).spec;
  const mine = refused.filter(({ name, role }) => name === nodeName && role !== "admin");
  return mine.length === 0 ? undefined : Math.max(...mine.map(({ before }) => Date.parse(before)));
}

function use(tx: Tx, applicant: Applicant): void {
  const token = tx.get(joinTokens, applicant.token.id);
  if (!token) return;
  const { nodeName, machineId, keyHash } = applicant;
  const used = [...token.spec.used, { host: nodeName, machineId, keyHash, at: rfc3339(tx.nowMs) }];
  const after = tx.update<JoinToken>(joinTokens, { ...token, spec: { ...token.spec, used } });
  const message = `${nodeName} joined as ${token.spec.role} with the token ${applicant.token.id}, which ${token.spec.madeBy} had made`;
  recordEvent(tx, after, { type: "Normal", reason: "HostJoined", message, component: "api" });
}

interface TakenIn {
  readonly applicant: Applicant;
  readonly certPem: string;
  readonly joining: Joining;
  readonly serverKit?: ServerKit;
}

function answerOf(tx: Tx, { applicant, certPem, joining, serverKit }: TakenIn): JoinAnswer {
  const { spec } = trustOf(tx);
  const { nodeName, machineId, token } = applicant;
  // It gets the whole bundle with its certificate: what is believed is what is given.
  const certified = { role: "node" as const, host: nodeName, machineId, believes: believedHashes(spec) };
  recordCertificate(tx, { ...certified, certPem, issuedBy: keyHashOf(signerOf(spec).certPem) });
  return {
    clusterId: spec.clusterId,
    role: token.role,
    nodeName,
    certPem,
    caPem: bundleOf(spec),
    servers: serverUrls(tx, joining),
    ...(serverKit ? { serverKit } : {}),
  };
}

/** A master key that is made of a passphrase is for people to bring along: it is to lie on no disk. */
async function kitOf(
  { sealed }: StyrApiContext,
  { storeKit }: Joining,
  caKeyPem: string,
): Promise<ServerKit | undefined> {
  if (!storeKit) return undefined;
  const master = sealed?.vault.master;
  const masterKey = master?.about.type === "file" ? { masterKey: master.bytes.toString("hex") } : {};
  return { caKeyPem, ...(await storeKit()), ...masterKey };
}

/** It removes itself: its certificates are of no use to anybody from now on. */
function leave(tx: Tx, name: string): void {
  const node = tx.get(nodes, name);
  if (node) {
    const message = `${name} was taken out of the cluster by a person on that host`;
    recordEvent(tx, node, { type: "Normal", reason: "NodeLeft", message, component: "api" });
    tx.remove(nodes, name);
  }
  forgetCertificates(tx, name, "it has left the cluster");
}

/** A host that is gone must not come back with what it had: it has to join again. */
export function forgetCertificates(tx: Tx, name: string, why: string, role: "node" | "server" = "node"): void {
  const key = hostCertificateName(role, name);
  if (!tx.get(hostCertificates, key)) return;
  tx.remove(hostCertificates, key);
  const trust = trustOf(tx);
  tx.update(clusterTrusts, { ...trust, spec: refuse(trust.spec, name, role, tx.nowMs, why) });
}

async function asRefusal<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new ApiError("BadRequest", (error as Error).message);
  }
}

function tryAgain(): ApiError {
  return new ApiError("Unavailable", "the CA changed just now; try again", { retryAfterSeconds: 1 });
}

class Pace {
  readonly #clock: Clock;
  readonly #byAddress = new Map<string, TokenBucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  check(address: string): void {
    const nowMs = this.#clock.monotonic();
    const bucket = this.#byAddress.get(address) ?? new TokenBucket(PACE, nowMs);
    this.#byAddress.delete(address);
    this.#byAddress.set(address, bucket);
    const [oldest] = this.#byAddress.keys();
    if (this.#byAddress.size > MOST_ADDRESSES && oldest !== undefined) this.#byAddress.delete(oldest);
    if (bucket.take(PACE, nowMs)) return;
    throw new ApiError("TooManyRequests", "too many hosts ask to join from this address; wait a moment", {
      retryAfterSeconds: 1,
    });
  }
}
