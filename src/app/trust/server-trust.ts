/**
 * Keeps a server's files and listeners in step with what the cluster says of its CAs, its certificates good, and the cluster
 * informed of what this server has. The first leader of a cluster writes its own CA down as the cluster's.
 */
import { X509Certificate } from "node:crypto";
import type { Mounted } from "../../http/mount.ts";
import { CLUSTER_TRUST_NAME, type ClusterTrust, clusterTrusts } from "../../model/cluster-trust.ts";
import { type HostCertificate, hostCertificateName, hostCertificates } from "../../model/host-certificate.ts";
import { type Clock, rfc3339 } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import type { Random } from "../../seams/random.ts";
import type { Store } from "../../store/store.ts";
import type { CertificateRequest } from "../../trust/join-messages.ts";
import { hashesOf } from "../../trust/key-hash.ts";
import type { Pki } from "../pki.ts";
import type { Pair } from "./pair-files.ts";

export interface ServerTrustOptions {
  readonly pki: Pki;
  /** The plane of now; undefined while there is none. */
  readonly plane: () => { readonly store: Store; readonly leads: boolean } | undefined;
  /** By which the other servers know this one. */
  readonly serverName: string;
  /** The routes of this server, which pass on what only the leader can do. */
  readonly mounted: Pick<Mounted, "handle">;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly signal: AbortSignal;
}

const LOOK_EVERY_MS = 1000;
const RENEW_EVERY_MS = 3_600_000;

/** Until `signal` aborts. Failures are logged and tried again: what was believed before goes on being believed. */
export async function keepServerTrust(options: ServerTrustOptions): Promise<void> {
  const { clock, log, signal } = options;
  const keeper = new ServerTrust(options);
  let trouble = "";
  while (!signal.aborted) {
    const problem = await keeper.step().then(
      () => "",
      (error: Error) => error.message,
    );
    if (problem !== "" && problem !== trouble) log.warn("certificates could not be kept in step", { why: problem });
    trouble = problem;
    await untilNextLook(clock, signal);
  }
}

class ServerTrust {
  readonly #options: ServerTrustOptions;
  #taken = "";
  #renewedMs: number;

  constructor(options: ServerTrustOptions) {
    this.#options = options;
    this.#renewedMs = options.clock.monotonic();
  }

  async step(): Promise<void> {
    const { pki, plane, clock, random } = this.#options;
    if (clock.monotonic() - this.#renewedMs >= RENEW_EVERY_MS) {
      await pki.renew(clock.now());
      this.#renewedMs = clock.monotonic();
    }
    const { store, leads } = plane() ?? {};
    if (!store) return;
    const trust = store.get(clusterTrusts, CLUSTER_TRUST_NAME);
    if (!trust && leads) await beginTrust(store, pki.authority, random);
    if (!trust) return;
    const { uid, resourceVersion } = trust.metadata;
    if (this.#taken !== uid + resourceVersion) {
      await pki.takeTrust(trust.spec, clock.now());
      this.#taken = uid + resourceVersion;
    }
    await this.#tell(store);
  }

  /** The others wait for what this server believes and has before they go on with a new CA. */
  async #tell(store: Store): Promise<void> {
    const { pki, serverName } = this.#options;
    const { certPem, caPem } = pki.peer;
    const known = store.get(hostCertificates, hostCertificateName("server", serverName))?.spec;
    const believes = hashesOf(caPem).toSorted();
    if (known && isSame(known, certPem, believes)) return;
    await this.#ask({ certPem, believes });
  }

  async #ask(body: CertificateRequest): Promise<void> {
    const { serverName: name, mounted, signal } = this.#options;
    const path = "https://localhost/styr/v1/certificates";
    const request = new Request(path, { method: "POST", body: JSON.stringify(body), signal });
    const actor = { name, roles: ["server"] } as const;
    const from = { actor, remoteAddress: "local", origin: "https://localhost", isLocal: true } as const;
    const answer = await mounted.handle(request, from);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`the leader answered ${answer.status}: ${text.slice(0, 200)}`);
  }
}

function isSame(known: HostCertificate["spec"], certPem: string, believes: readonly string[]): boolean {
  const serial = new X509Certificate(certPem).serialNumber.toLowerCase();
  return known.serial === serial && known.believes.join() === believes.join();
}

/** What the cluster believes from its first day on. Does nothing where somebody has said it already. */
export async function beginTrust(store: Store, authority: Pair, random: Random): Promise<void> {
  const clusterId = random.uuid();
  await store.update((tx) => {
    if (tx.get(clusterTrusts, CLUSTER_TRUST_NAME)) return;
    tx.create<ClusterTrust>(clusterTrusts, {
      apiVersion: clusterTrusts.apiVersion,
      kind: "ClusterTrust",
      metadata: { name: CLUSTER_TRUST_NAME },
      spec: { clusterId, authorities: [{ ...authority, madeAt: rfc3339(tx.nowMs) }] },
    });
  });
}

async function untilNextLook(clock: Clock, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(LOOK_EVERY_MS, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
