/** What our own endpoints say about joining and trust; read by the command line. */
export interface JoinTokenReport {
  readonly id: string;
  readonly role: "agent" | "server";
  readonly state: "good" | "used up" | "expired" | "revoked";
  readonly expiresAt: string;
  readonly uses: number;
  readonly usedBy: readonly string[];
  readonly madeBy: string;
}

/** Given once, to whoever made it. */
export interface NewJoinToken extends JoinTokenReport {
  readonly token: string;
  /** `https://HOST:PORT` that the host can join at. */
  readonly servers: readonly string[];
}

export interface CaReport {
  readonly clusterId: string;
  readonly authorities: readonly {
    /** SHA-256 of the public key, in hex. */
    readonly hash: string;
    readonly signs: boolean;
    readonly madeAt: string;
    readonly expiresAt: string;
    /** Hosts whose newest certificate it signed. */
    readonly hosts: number;
  }[];
  readonly rotation?: {
    readonly step: "believe" | "renew";
    readonly startedAt: string;
    readonly by: string;
    /** Hosts that have not done their part; they are waited for until their certificate runs out. */
    readonly waitsFor: readonly { readonly host: string; readonly role: string; readonly until: string }[];
  };
  readonly refused: readonly {
    readonly name: string;
    readonly role: string;
    readonly before: string;
    readonly why: string;
  }[];
}

export interface CaEndReport {
  /** Hosts that have no certificate of the CA that is left: they have to join again. */
  readonly lockedOut: readonly string[];
}
