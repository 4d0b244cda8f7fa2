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
    readonly waitsFor: readonly AwaitedHost[];
    /** Hosts that a person does not wait for. */
    readonly givenUp?: readonly string[];
  };
  readonly refused: readonly {
    readonly name: string;
    readonly role: string;
    readonly before: string;
    readonly why: string;
  }[];
}

export interface AwaitedHost {
  readonly host: string;
  readonly role: "node" | "server";
  readonly until: string;
  /** Of late: its part takes seconds. */
  readonly heard: boolean;
}

export interface CaEndReport {
  /** Nodes that were given up and have no certificate of the new CA: they have to join again. */
  readonly lockedOut: readonly string[];
  /** Those that were not given up go on being waited for. */
  readonly waitsFor: readonly AwaitedHost[];
}
