/**
 * Whether other hosts pass on what is for their pods: a host may answer at its own address while its firewall drops all that it should pass
 * on. Asked at an address that no pod has, for which the other host's rules answer behind those of its firewall (guard-script.ts).
 */
import { formatAddress, parseSubnet } from "../../lib/subnet.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Seen } from "./prober.ts";
import type { Knock } from "./tcp-ping.ts";

export interface AskedHost {
  readonly node: string;
  readonly podRange: string;
}

export interface PassagesOptions {
  readonly clock: Clock;
  readonly knock: Knock;
  readonly from: () => string | undefined;
}

/** Discard (RFC 863), and the one after it, which is nobody's: at the first the answer is one that no firewall gives of itself, */
export const ECHO_PORT = 9;
/** at the second a plain refusal, for hosts that take no ICMP. */
export const REFUSED_PORT = 10;
/** So many in a row, some seconds apart: a packet may be lost, and rules may be about to be written. */
const FAILURES = 3;
const ANSWER_MS = 1_000;

/** The last that a pod could have; `docker run` on the pods' network comes to it last. */
export function echoAddressOf(podRange: string): string {
  return formatAddress((parseSubnet(podRange)?.last ?? 0) - 1);
}

export class Passages {
  readonly #options: PassagesOptions;
  readonly #asking = new Set<string>();
  readonly #asked = new Map<string, { readonly failures: number; readonly atMs: number }>();

  constructor(options: PassagesOptions) {
    this.#options = options;
  }

  /** Asks those whose hosts have answered since they were asked last. */
  async look(hosts: readonly AskedHost[], seen: (node: string) => Seen): Promise<void> {
    const names = new Set(hosts.map(({ node }) => node));
    for (const node of [...this.#asked.keys()]) if (!names.has(node)) this.#asked.delete(node);
    const fresh = hosts.filter(({ node }) => {
      const { state, atMs } = seen(node);
      return state === "reachable" && atMs !== this.#asked.get(node)?.atMs && !this.#asking.has(node);
    });
    await Promise.all(fresh.map((host) => this.#ask(host, seen(host.node).atMs)));
  }

  /** Its host answers, and passes nothing on. */
  isCut(node: string): boolean {
    return (this.#asked.get(node)?.failures ?? 0) >= FAILURES;
  }

  async #ask({ node, podRange }: AskedHost, atMs: number): Promise<void> {
    const failures = this.#asked.get(node)?.failures ?? 0;
    this.#asked.set(node, { failures, atMs });
    this.#asking.add(node);
    const to = echoAddressOf(podRange);
    const first = await this.#knock(to, ECHO_PORT);
    // A firewall that refuses does so at both: the second counts only where the first is silent.
    const isPassed =
      first === "ENOPROTOOPT" || (first === undefined && (await this.#knock(to, REFUSED_PORT)) === "ECONNREFUSED");
    this.#asking.delete(node);
    if (this.#asked.has(node)) this.#asked.set(node, { failures: isPassed ? 0 : failures + 1, atMs });
  }

  async #knock(to: string, port: number): Promise<string | undefined> {
    const { knock, clock, from } = this.#options;
    const tooLate = new AbortController();
    const timer = clock.setTimer(ANSWER_MS, () => tooLate.abort());
    const sender = from();
    const answer = await knock({ to, port, ...(sender === undefined ? {} : { from: sender }) }, tooLate.signal);
    timer.cancel();
    return answer;
  }
}
