/** What `styr services` shows: a Service of Kubernetes, or a Marathon app's service ports. */
export interface ServiceRow {
  readonly dialect: string;
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  /** Cluster addresses, `None` of a headless Service, or the name for which it stands. */
  readonly addresses: readonly string[];
  readonly ports: readonly ServicePortRow[];
  /** Endpoints that take connections, and all that there are. */
  readonly ready: number;
  readonly endpoints: number;
  /** In words, where nodes are not told of all of them: the namespace has too many. */
  readonly leftOut?: string;
  readonly createdAt?: string;
}

export interface ServicePortRow {
  readonly name?: string;
  /** `TCP`, `UDP`, `SCTP`. */
  readonly protocol: string;
  /** At the cluster addresses; absent where there are none. */
  readonly port?: number;
  /** At every node's own addresses. */
  readonly nodePort?: number;
}
