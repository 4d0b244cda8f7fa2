/** The cluster's CA and this server's certificates, made at first start, kept in `pki/` of the state directory. */
import { createHash, timingSafeEqual, type X509Certificate } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Actor } from "../http/actor.ts";
import type { ClusterTrust } from "../model/cluster-trust.ts";
import { bundleOf, signerOf } from "../trust/authorities.ts";
import { keyHashOf } from "../trust/key-hash.ts";
import { readMembership } from "./membership.ts";
import { actorOfSubject } from "./trust/actor-of-subject.ts";
import { Believed } from "./trust/believed.ts";
import { ensureLeaf, type LeafName, leavesOf } from "./trust/leaves.ts";
import { type Pair, writePair } from "./trust/pair-files.ts";
import { type Authorities, ensureToken, makeToken, openAuthorities } from "./trust/pki-files.ts";
import { Strangers } from "./trust/strangers.ts";
import { Untaken } from "./trust/untaken.ts";

interface Identity extends Pair {
  /** Of every CA that is believed. */
  readonly caPem: string;
}

/** What is shown and believed; it changes while the process runs, so read it anew each time, or ask for `onChange`. */
export interface Pki {
  /** The certificate with that of the CA behind it. */
  readonly server: Identity;
  /** With which this server proves to the others that it is one. */
  readonly peer: Identity;
  /** sha256 of the public key of the CA that signs, for people and join tokens to pin. */
  readonly caHash: string;
  /** The CA that signs. */
  readonly authority: Pair;
  /** The actor that a bearer token stands for. */
  actorOfToken(token: string): Actor | undefined;
  /** Another admin token, in its file and in force; the one before is in force no more. */
  renewToken(): Promise<string>;
  /** The actor of a client certificate, if a CA that is believed signed it and nobody has taken it back. */
  actorOfCertificate(certificate: X509Certificate, nowMs: number): Actor | undefined;
  /** Why one that such a CA signed is nobody's, in words that begin with whose it is; it is noted in `untaken`. */
  refusalOfCertificate(certificate: X509Certificate, nowMs: number): string | undefined;
  /** What the cluster says of its CAs now; writes it down and makes certificates anew where that needs it. */
  takeTrust(trust: ClusterTrust["spec"], nowMs: number): Promise<void>;
  /** Makes anew what is about to expire, or lacks a name that this host has got. */
  renew(nowMs: number): Promise<void>;
  /** Called when `server`, `peer`, or who is believed, has changed; the answer takes the listener away. */
  onChange(listener: () => void): () => void;
  readonly strangers: Strangers;
  readonly untaken: Untaken;
  readonly files: {
    readonly ca: string;
    readonly adminCert: string;
    readonly adminKey: string;
    readonly token: string;
  };
}

export interface PkiOptions {
  /** Names and addresses that others reach this server at, beside those of the host. */
  readonly names?: readonly string[];
  /** By which the other servers know this one; default: the host's. */
  readonly serverName?: string;
  /** Of the agent in this process, when it proves itself to servers as any other agent does. */
  readonly nodeName?: string;
}

/** Reads what is there and makes what is missing or about to expire. */
export async function openPki(stateDir: string, nowMs: number, options: PkiOptions = {}): Promise<Pki> {
  const dir = join(stateDir, "pki");
  await mkdir(dir, { recursive: true, mode: 0o700 });
  if ((await readMembership(stateDir))?.role === "agent")
    throw new Error(
      "this host has joined a cluster as an agent: run styr agent. To make it a server, leave (styr uninstall) and join again with a token of styr token create --role server",
    );
  const authorities = await openAuthorities(dir, nowMs);
  const pki = new FilePki(dir, options, authorities, await ensureToken(join(dir, "admin.token")));
  await pki.renew(nowMs);
  return pki;
}

class FilePki implements Pki {
  readonly strangers = new Strangers();
  readonly untaken = new Untaken();
  readonly files: Pki["files"];
  readonly #dir: string;
  readonly #options: PkiOptions;
  #token: string;
  readonly #listeners = new Set<() => void>();
  readonly #leaves = new Map<LeafName, Pair>();
  #authorities: Authorities;
  /** The one that signed what is shown. */
  #shownCa = "";
  readonly #believed: Believed;
  /** One change of the files after the other. */
  #working: Promise<void> = Promise.resolve();

  constructor(dir: string, options: PkiOptions, authorities: Authorities, token: string) {
    const at = (name: string) => join(dir, name);
    this.files = { ca: at("ca.crt"), adminCert: at("admin.crt"), adminKey: at("admin.key"), token: at("admin.token") };
    this.#dir = dir;
    this.#options = options;
    this.#authorities = authorities;
    this.#believed = new Believed(authorities.bundle);
    this.#token = token;
  }

  get server(): Identity {
    const { certPem, keyPem, caPem } = this.#identity("server");
    return { certPem: certPem + this.#shownCa, keyPem, caPem };
  }

  get peer(): Identity {
    return this.#identity("peer");
  }

  get caHash(): string {
    return keyHashOf(this.#authorities.signer.certPem);
  }

  get authority(): Pair {
    return this.#authorities.signer;
  }

  actorOfToken(given: string): Actor | undefined {
    return sameSecret(given, this.#token) ? { name: "admin", roles: ["admin"] } : undefined;
  }

  async renewToken(): Promise<string> {
    await this.#inTurn(async () => {
      this.#token = await makeToken(this.files.token);
    });
    return this.#token;
  }

  // Asked per request, not per connection: a connection outlives what was believed when it was made, and so does a TLS session.
  actorOfCertificate(certificate: X509Certificate, nowMs: number): Actor | undefined {
    const verdict = this.#believed.verdictOn(certificate, nowMs);
    return verdict && "actor" in verdict ? verdict.actor : undefined;
  }

  refusalOfCertificate(certificate: X509Certificate, nowMs: number): string | undefined {
    const verdict = this.#believed.verdictOn(certificate, nowMs);
    return verdict && "why" in verdict ? this.untaken.note(verdict.holder, verdict.why, nowMs) : undefined;
  }

  takeTrust(trust: ClusterTrust["spec"], nowMs: number): Promise<void> {
    return this.#inTurn(async () => {
      const next = { bundle: bundleOf(trust), signer: signerOf(trust) };
      const isRefusalNew = this.#believed.setRefused(trust);
      if (next.bundle === this.#authorities.bundle) {
        if (isRefusalNew) this.#tell();
        return this.#ensure(next, nowMs);
      }
      // What is believed counts, also when the disk does not take it.
      try {
        const pair = { certPem: next.bundle, keyPem: next.signer.keyPem };
        await writePair(this.files.ca, join(this.#dir, "ca.key"), pair);
        await this.#ensure(next, nowMs);
      } finally {
        this.#believe(next);
      }
    });
  }

  renew(nowMs: number): Promise<void> {
    return this.#inTurn(() => this.#ensure(this.#authorities, nowMs));
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #believe(next: Authorities): void {
    if (next.bundle === this.#authorities.bundle) return;
    this.#authorities = next;
    this.#believed.setBundle(next.bundle);
    this.#tell();
  }

  /** All of them, and then the CA that signed them, change in one moment. */
  async #ensure(authorities: Authorities, nowMs: number): Promise<void> {
    const ca = authorities.signer;
    const made = new Map<LeafName, Pair>();
    for (const [name, wanted] of leavesOf(this.#options)) {
      // Made here once; from then on the agent renews it, as agents do (trust/keep-certificates.ts).
      if (name === "node" && this.#leaves.has(name)) continue;
      const actor = actorOfSubject(wanted.subject.replaceAll(",", "\n"));
      const issuedAtMs = this.#believed.issuedAtMs(actor, nowMs);
      const isRefused = (certPem: string) => this.#believed.isRefused(certPem);
      made.set(name, await ensureLeaf(name, wanted, { dir: this.#dir, ca, nowMs, issuedAtMs, isRefused }));
    }
    const isNew = [...made].some(([name, pair]) => this.#leaves.get(name)?.certPem !== pair.certPem);
    for (const [name, pair] of made) this.#leaves.set(name, pair);
    this.#shownCa = ca.certPem;
    if (authorities.bundle !== this.#authorities.bundle) this.#believe(authorities);
    else if (isNew) this.#tell();
  }

  #identity(name: LeafName): Identity {
    const pair = this.#leaves.get(name);
    if (!pair) throw new Error(`${name}.crt was never made`);
    return { ...pair, caPem: this.#authorities.bundle };
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.#working.then(work);
    // Whoever asked hears of a failure; the next one begins all the same.
    this.#working = mine.then(
      () => undefined,
      () => undefined,
    );
    return mine;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

function sameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
