/** How secrets lie in the store, for `styr secrets status`. */
export interface SealingReport {
  /** The host that answers: the one of the server that leads. */
  readonly server?: string;
  readonly master: {
    readonly type: "file" | "passphrase";
    /** Tells one master key from another without giving it away. */
    readonly id: string;
    /** Where the server that leads finds it. */
    readonly where: string;
  };
  readonly keys: readonly {
    readonly id: string;
    readonly madeAt: string;
    readonly isPrimary: boolean;
    readonly rows: number;
  }[];
  /** Rows of sealed kinds. */
  readonly rows: number;
  /** Of them, in clear: of an earlier version, to be sealed. */
  readonly clear: number;
  /** Rows by kind. */
  readonly kinds: Readonly<Record<string, number>>;
}
