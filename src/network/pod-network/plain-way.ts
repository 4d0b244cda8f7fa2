/** Whether a plain route leads to another node's pods: tried by a route of its host's own address alone, so that no pod notices. */
import { gatewayOf } from "../../lib/subnet.ts";
import type { Clock } from "../../seams/clock.ts";
import { CommandError } from "../../seams/commands.ts";
import type { Log } from "../../seams/log.ts";
import { type HostNet, HostNetError } from "./host-net.ts";
import type { HostWay, PeerPlan } from "./plan.ts";
import type { Route } from "./routes.ts";
import type { Dial } from "./tcp-ping.ts";

export interface PlainWayOptions {
  readonly host: HostNet;
  readonly protocol: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly dial: Dial;
  /** This node's pod range. */
  readonly own: () => string | undefined;
  /** Not while somebody else writes routes. An answer is waited for outside of it. */
  readonly turn: <T>(write: () => Promise<T>) => Promise<T>;
}

const ANSWER_MS = 1_000;

export class PlainWay {
  readonly #options: PlainWayOptions;
  readonly #stopping = new AbortController();
  /** Where the route on trial leads. */
  #trial: string | undefined;

  constructor(options: PlainWayOptions) {
    this.#options = options;
  }

  /** What is of the network's own routes on purpose, though no plan has it. */
  isOnTrial({ dst }: Pick<Route, "dst">): boolean {
    return dst === this.#trial;
  }

  /** One at a time. Never rejects: a way that the host refuses is none. */
  async works(peer: Pick<PeerPlan, "gateway" | "address">, { device }: HostWay): Promise<boolean> {
    const line = `${peer.gateway}/32 via ${peer.address} dev ${device} proto ${this.#options.protocol}`;
    if (!(await this.#write(`route replace ${line}`, peer.gateway))) return false;
    try {
      return await this.#answers(peer.gateway);
    } finally {
      await this.#write(`route del ${line}`, undefined);
    }
  }

  stop(): void {
    this.#stopping.abort(new Error("the agent stops"));
  }

  async #answers(gateway: string): Promise<boolean> {
    const { clock, dial, own } = this.#options;
    const range = own();
    const tooLate = new AbortController();
    const timer = clock.setTimer(ANSWER_MS, () => tooLate.abort());
    const from = range === undefined ? {} : { from: gatewayOf(range) };
    try {
      await dial({ to: gateway, ...from }, AbortSignal.any([tooLate.signal, this.#stopping.signal]));
      return true;
    } catch {
      // Whatever the reason: that way does not lead there.
      return false;
    } finally {
      timer.cancel();
    }
  }

  #write(line: string, trial: string | undefined): Promise<boolean> {
    const { host, log, turn } = this.#options;
    return turn(async () => {
      this.#trial = trial;
      try {
        await host.write({ ip: [line], bridge: [] });
        return true;
      } catch (error) {
        if (!(error instanceof HostNetError || error instanceof CommandError)) throw error;
        this.#trial = undefined;
        log.debug("a plain route was tried in vain", { line, why: error.message });
        return false;
      }
    });
  }
}
