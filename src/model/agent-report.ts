import { isOfClock, SET_CLOCK } from "./certificate-time.ts";

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
  /** `namespace/name` of each, with its phase: by this host's own record, whoever leads. Sorted. */
  readonly podRows?: readonly { readonly name: string; readonly phase: string }[];
  /** When the certificate ends that it proves itself with. */
  readonly certificateEndsAt?: string;
}

/** What this host's certificate is refused with, or the server's is by this host: but for a clock, only joining again mends it. */
const OF_TRUST = /certificate|join again/;

/** What there is to do about a link that does not come about; undefined: it is dialed again by itself. */
export function linkRemedy(problem: string): string | undefined {
  if (isOfClock(problem))
    return `look at the time here and on the servers, and set the clock that is wrong right: ${SET_CLOCK}`;
  if (!OF_TRUST.test(problem)) return undefined;
  return "on a server: styr token create --role agent; then here the line that it prints: styr join https://HOST:7443 --token …";
}

/** One line for whoever watches the agent. */
export function linkWords(problem: string | undefined): string {
  if (problem === undefined) return "a server is reached again";
  const remedy = linkRemedy(problem);
  const isOver = remedy !== undefined && !isOfClock(problem);
  const then = isOver ? `if that lasts, join again: ${remedy}` : "dialing again until one is";
  return `no server is reached: ${problem}; what runs goes on running; ${then}`;
}
