/** What a node proves itself with, and whom it believes: files of `pki/` that change while it runs. */
import { X509Certificate } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { ClusterNews } from "../../model/cluster-news.ts";
import { hashesOf } from "../../trust/key-hash.ts";
import { identityFiles, keepMembership, readMembership } from "../membership.ts";
import { type Pair, readIfThere, readPair, writePair, writeWhole } from "./pair-files.ts";

export interface NodeMaterial extends Pair {
  /** Of every CA that is believed. */
  readonly caPem: string;
}

export class NodeIdentity {
  readonly #stateDir: string;
  readonly #listeners = new Set<() => void>();
  #material: NodeMaterial;
  #signingCa: string | undefined;

  /** Throws an Error with words when this host has no certificate. */
  static async open(stateDir: string): Promise<NodeIdentity> {
    return new NodeIdentity(stateDir, await readMaterial(stateDir));
  }

  private constructor(stateDir: string, material: NodeMaterial) {
    this.#stateDir = stateDir;
    this.#material = material;
  }

  /** As it is now: ask anew for each connection. */
  current(): NodeMaterial {
    return this.#material;
  }

  get certificate(): X509Certificate {
    return new X509Certificate(this.#material.certPem);
  }

  /** Hash of the CA that signs, once a server has said which. */
  get signingCa(): string | undefined {
    return this.#signingCa;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** What a server says of the cluster; of another cluster nothing is believed. */
  async takeNews(news: ClusterNews): Promise<void> {
    if (!(await takeNews(this.#stateDir, news))) return;
    const isNew = news.caPem !== this.#material.caPem || news.signingCa !== this.#signingCa;
    this.#signingCa = news.signingCa;
    this.#material = { ...this.#material, caPem: news.caPem };
    if (isNew) this.#tell();
  }

  async replace(pair: Pair): Promise<void> {
    const { nodeCert, nodeKey } = identityFiles(this.#stateDir);
    await writePair(nodeCert, nodeKey, pair);
    this.#material = { ...this.#material, ...pair };
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Writes down which servers there are and whom to believe. False when it is about another cluster than this host's. */
export async function takeNews(stateDir: string, news: ClusterNews): Promise<boolean> {
  const membership = await readMembership(stateDir);
  if (membership && membership.clusterId !== news.clusterId) return false;
  // What names no CA is no news: with it this host would believe nobody.
  if (hashesOf(news.caPem).length === 0) return false;
  const { ca, caKey } = identityFiles(stateDir);
  await mkdir(join(stateDir, "pki"), { recursive: true, mode: 0o700 });
  // Where a server is, the two belong together, and the server keeps them (app/pki.ts).
  const isServers = (await readIfThere(caKey)) !== undefined;
  if (!isServers && (await readIfThere(ca)) !== news.caPem) await writeWhole(ca, news.caPem, 0o644);
  if (!membership || news.servers.length === 0) return true;
  const servers = [...news.servers].sort();
  if (!isDeepStrictEqual(servers, [...membership.servers].sort()))
    await keepMembership(stateDir, { ...membership, servers });
  return true;
}

async function readMaterial(stateDir: string): Promise<NodeMaterial> {
  const { ca, nodeCert, nodeKey } = identityFiles(stateDir);
  const pair = await readPair(nodeCert, nodeKey);
  const caPem = await readIfThere(ca);
  if (pair && caPem !== undefined) return { ...pair, caPem };
  throw new Error(
    `this host has no certificate of a cluster (${nodeCert}); join one: styr join https://HOST:7443 --token TOKEN`,
  );
}
