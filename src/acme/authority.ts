/** An authority that gives certificates for hosts that are proved to be ours (RFC 8555). Behind an interface: the simulator has none. */

export interface OrderedCertificate {
  /** PEM, with its chain. */
  readonly certificate: string;
  readonly key: string;
}

export interface Order {
  readonly host: string;
  readonly directory: string;
  readonly email: string;
  /** PEM of the account's key. */
  readonly accountKey: string;
  /** Has the answer given to whoever asks for the token; resolves when it is. */
  readonly answer: (token: string, answer: string) => Promise<void>;
  /** It is given up. */
  readonly signal: AbortSignal;
}

export interface Authority {
  newAccountKey(): Promise<string>;
  /** Rejects in the authority's words. */
  order(order: Order): Promise<OrderedCertificate>;
}
