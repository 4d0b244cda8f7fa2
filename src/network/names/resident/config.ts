/** What the server of names is started with. Another configuration is another server, which takes over. */
export interface NamesConfig {
  /** Of the pods' bridge; it may not be there yet. */
  readonly address: string;
  readonly port: number;
  /** The host's own resolvers: this file, or what systemd-resolved keeps beside it. */
  readonly resolvConf: string;
  readonly ttlSeconds: number;
  readonly negativeSeconds: number;
  /** Questions of one client: so many at once, so many a second. */
  readonly clientBurst: number;
  readonly clientPerSecond: number;
}

export const USUAL_CONFIG = {
  port: 53,
  resolvConf: "/etc/resolv.conf",
  ttlSeconds: 5,
  negativeSeconds: 5,
  clientBurst: 10_000,
  clientPerSecond: 5_000,
} as const;
