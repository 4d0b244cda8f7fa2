/** What an agent says of itself on the socket of its host: GET /styr/v1/agent. */
export interface AgentReport {
  readonly node: string;
  readonly version: string;
  readonly clusterId: string;
  readonly startedAt: string;
  /** Of every server that it knows. */
  readonly servers: readonly string[];
  /** The one that it is connected to; absent while there is none. */
  readonly connectedTo?: string;
  /** Since when it is connected, or is not. */
  readonly since?: string;
  /** Why it is not connected, in words. */
  readonly problem?: string;
  /** When it last heard something. */
  readonly lastHeard?: string;
  readonly pods: number;
}
