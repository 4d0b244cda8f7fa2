/** What every node, and every server, has to know of its cluster to find it again and to believe it. */
export interface ClusterNews {
  readonly clusterId: string;
  /** `https://HOST:PORT` of every server, in no order. */
  readonly servers: readonly string[];
  /** PEM of every CA that is believed at present: during a rotation two. */
  readonly caPem: string;
  /** SHA-256, in hex, of the public key of the CA that signs. A certificate of another one is to be renewed now. */
  readonly signingCa: string;
}
