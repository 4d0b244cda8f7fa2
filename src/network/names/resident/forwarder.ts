/** Names that are not ours: asked of the host's resolvers, one after the other, and remembered for as long as they say. */
import type { Clock } from "../../../seams/clock.ts";
import type { Random } from "../../../seams/random.ts";
import { RCODE } from "../wire/constants.ts";
import type { UpstreamAnswer } from "../wire/read-answer.ts";
import { AnswerCache, type CachedAnswer } from "./answer-cache.ts";
import type { Counters } from "./counters.ts";
import { askByTcp, askByUdp, type OutwardQuestion } from "./exchange.ts";
import type { Upstreams } from "./upstreams.ts";
import { MOST_PLACES } from "./waiting-room.ts";

/** Below the 5 s after which clients ask again, or somebody else. */
const ALL_MS = 4000;
const EACH_MS = 1200;

export interface ForwardedQuestion extends OutwardQuestion {
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly transport: "udp" | "tcp";
}

export interface ForwarderParts {
  readonly upstreams: Upstreams;
  readonly counters: Counters;
  readonly clock: Clock;
  readonly random: Random;
}

export class Forwarder {
  readonly #parts: ForwarderParts;
  readonly #cache: AnswerCache;
  /** Who asks what is being asked already waits for the same answer: a loop ends here too. */
  readonly #asking = new Map<string, Promise<UpstreamAnswer | undefined>>();

  constructor(parts: ForwarderParts) {
    this.#parts = parts;
    this.#cache = new AnswerCache(parts.clock);
  }

  /** What is remembered. */
  known(asked: ForwardedQuestion): CachedAnswer | undefined {
    const found = this.#cache.get(keyOf(asked));
    if (found) this.#parts.counters.count("fromCache");
    return found;
  }

  /** Undefined: nobody answers in time. */
  async ask(asked: ForwardedQuestion): Promise<UpstreamAnswer | undefined> {
    const key = `${keyOf(asked)} ${asked.transport}`;
    const pending = this.#asking.get(key);
    if (pending) return pending;
    if (this.#asking.size >= MOST_PLACES) {
      this.#parts.counters.count("limited");
      return undefined;
    }
    this.#parts.counters.count("forwarded");
    const asking = this.#askAll(asked).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  async #askAll(asked: ForwardedQuestion): Promise<UpstreamAnswer | undefined> {
    const { clock, upstreams } = this.#parts;
    const untilMs = clock.monotonic() + ALL_MS;
    let last: UpstreamAnswer | undefined;
    for (let round = 0; round < 3; round++) {
      for (const server of upstreams.servers) {
        const leftMs = Math.min(EACH_MS, untilMs - clock.monotonic());
        if (leftMs <= 0) return last;
        const answer = await this.#askOne(asked, server, leftMs);
        last = answer ?? last;
        if (answer && (answer.rcode === RCODE.ok || answer.rcode === RCODE.noSuchName)) {
          this.#cache.put(keyOf(asked), answer);
          return answer;
        }
      }
      if (last) return last;
    }
    return undefined;
  }

  async #askOne(asked: ForwardedQuestion, server: string, ms: number): Promise<UpstreamAnswer | undefined> {
    const { clock, random, upstreams } = this.#parts;
    const tooLate = new AbortController();
    const timer = clock.setTimer(ms, () => tooLate.abort());
    const options = { server, id: random.int(65_536), signal: tooLate.signal };
    try {
      const answer = await (asked.transport === "udp" ? askByUdp(asked, options) : askByTcp(asked, options));
      upstreams.succeeded(server);
      return answer;
    } catch {
      // Whatever it was, another one may know; who answers nothing is asked last from now on.
      upstreams.failed(server);
      return undefined;
    } finally {
      timer.cancel();
    }
  }
}

function keyOf({ name, type, class: kind, edns, isCheckingDisabled }: ForwardedQuestion): string {
  const way = edns ? (edns.isDnssec ? 2 : 1) : 0;
  return `${type} ${kind} ${way}${isCheckingDisabled ? "c" : ""} ${name}`;
}
