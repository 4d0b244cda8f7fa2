import { X509Certificate } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Actor } from "../../http/actor.ts";
import { refusedByTime } from "../../model/certificate-time.ts";
import type { ClusterTrust } from "../../model/cluster-trust.ts";
import { splitPem } from "../../trust/key-hash.ts";
import { issuedAtFor, refusalOf } from "../../trust/refused.ts";
import { actorOfSubject } from "./actor-of-subject.ts";

type Refused = Pick<ClusterTrust["spec"], "refused">;

const MOST_CHECKED = 4096;

/** Who shows a certificate of ours; or whose it is, and why it is not taken. */
export type Verdict = { readonly actor: Actor } | { readonly holder: Actor; readonly why: string };

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

  /** Undefined for a certificate of another CA, of which nothing is known. */
  verdictOn(certificate: X509Certificate, nowMs: number): Verdict | undefined {
    const holder = this.#isOurs(certificate) ? actorOfSubject(certificate.subject) : undefined;
    if (!holder) return undefined;
    const untimely = refusedByTime(certificate, nowMs);
    if (untimely !== undefined) return { holder, why: untimely };
    if (refusalOf(this.#refused, { ...holder, validFrom: certificate.validFrom }))
      return { holder, why: "it was taken back: the host was forgotten, or has joined again since" };
    return { actor: holder };
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
