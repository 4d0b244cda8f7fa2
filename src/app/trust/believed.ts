import { X509Certificate } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Actor } from "../../http/actor.ts";
import type { ClusterTrust } from "../../model/cluster-trust.ts";
import { splitPem } from "../../trust/key-hash.ts";
import { issuedAtFor, refusalOf } from "../../trust/refused.ts";
import { actorOfSubject } from "./actor-of-subject.ts";

type Refused = Pick<ClusterTrust["spec"], "refused">;

const MOST_CHECKED = 4096;

/** Whose certificates are believed: those of CAs in force, but for what was taken back. */
export class Believed {
  #authorities: readonly X509Certificate[];
  #refused: Refused = {};
  /** By fingerprint. */
  readonly #checked = new Map<string, boolean>();

  constructor(bundle: string) {
    this.#authorities = certificatesOf(bundle);
  }

  /** The CAs that sign, and signed until now. */
  setBundle(bundle: string): void {
    this.#authorities = certificatesOf(bundle);
    this.#checked.clear();
  }

  /** Whether that is another list than before. */
  setRefused({ refused }: Refused): boolean {
    const isNew = !isDeepStrictEqual(this.#refused.refused, refused);
    this.#refused = refused ? { refused } : {};
    return isNew;
  }

  actorOf(certificate: X509Certificate, nowMs: number): Actor | undefined {
    if (!this.#isOurs(certificate)) return undefined;
    if (Date.parse(certificate.validTo) <= nowMs || Date.parse(certificate.validFrom) > nowMs) return undefined;
    const actor = actorOfSubject(certificate.subject);
    if (!actor || refusalOf(this.#refused, { ...actor, validFrom: certificate.validFrom })) return undefined;
    return actor;
  }

  isRefused(certPem: string): boolean {
    const { subject, validFrom } = new X509Certificate(certPem);
    const actor = actorOfSubject(subject);
    return actor !== undefined && refusalOf(this.#refused, { ...actor, validFrom }) !== undefined;
  }

  /** When a certificate of this actor is to begin, so that what was taken back does not meet it. */
  issuedAtMs(actor: Actor | undefined, nowMs: number): number {
    return issuedAtFor(this.#refused, actor?.name ?? "", actor?.roles[0] ?? "", nowMs);
  }

  /** A signature costs a tenth of a millisecond to check, and programs ask often. */
  #isOurs(certificate: X509Certificate): boolean {
    const { fingerprint256 } = certificate;
    const known = this.#checked.get(fingerprint256);
    if (known !== undefined) return known;
    const isOurs = this.#authorities.some((ca) => certificate.verify(ca.publicKey));
    if (this.#checked.size >= MOST_CHECKED) this.#checked.clear();
    this.#checked.set(fingerprint256, isOurs);
    return isOurs;
  }
}

function certificatesOf(bundle: string): readonly X509Certificate[] {
  return splitPem(bundle).map((pem) => new X509Certificate(pem));
}
