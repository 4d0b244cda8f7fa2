/** After a round of probes: plain routes that lead nowhere are left, and tried again later. */
import type { ClusterEntry, LinkMode } from "../../model/network.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import { FallBack } from "./fall-back.ts";
import type { Seen } from "./prober.ts";

/** A node to whose pods a way leads. */
export interface JudgedPeer {
  readonly node: string;
  readonly mode: LinkMode;
  /** The device behind which its host is, when nothing is between them. */
  readonly link?: string;
  readonly isSilent: boolean;
}

export interface WayJudgeOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly mode: () => ClusterEntry["mode"] | undefined;
  readonly peers: () => readonly JudgedPeer[];
  readonly seen: (node: string) => Seen;
  /** Whether a plain route leads there. */
  readonly tryPlain: (node: string) => Promise<boolean>;
  /** This host opens no connections just now, whatever way they would take. */
  readonly isBlind?: () => boolean;
  /** Other ways are to be taken. */
  readonly changed: () => Promise<void>;
}

/** A link that was mended is not waited for longer than this while its nodes are tried, one after the other. */
const MOST_TRIED_AT_ONCE = 64;

/** While another way is laid, or a plain one is on trial, one or two may fail. */
const ENOUGH_FAILURES = 3;

export class WayJudge {
  readonly #options: WayJudgeOptions;
  readonly #fallBack = new FallBack();
  #judging: Promise<void> | undefined;

  constructor(options: WayJudgeOptions) {
    this.#options = options;
  }

  /** Nodes to which plain routes lead nowhere. */
  get fallen(): ReadonlySet<string> {
    return this.#fallBack.nodes;
  }

  /** Packets to it were wrapped before this agent began. */
  keep(node: string, link: string): void {
    this.#fallBack.fall(node, link, this.#options.clock.monotonic());
  }

  keepOnly(nodes: ReadonlySet<string>): void {
    this.#fallBack.keepOnly(nodes);
  }

  /** Not again while it goes on: trials would pile up. */
  judge(): Promise<void> {
    this.#judging ??= this.#judge().finally(() => {
      this.#judging = undefined;
    });
    return this.#judging;
  }

  /** Resolves when nothing is judged any more. */
  async idle(): Promise<void> {
    await this.#judging;
  }

  async #judge(): Promise<void> {
    const { changed, log, isBlind } = this.#options;
    if (isBlind?.()) return;
    try {
      if (this.#leave()) await changed();
      this.#lookAtWrapped();
      if (await this.#tryAgain()) await changed();
    } catch (error) {
      log.warn("ways to other nodes cannot be judged", { why: String(error) });
    }
  }

  #leave(): boolean {
    const { clock, log, mode, peers, seen } = this.#options;
    if (mode() === "routes") return false;
    const nowMs = clock.monotonic();
    const judged = peers();
    const left = judged.filter((peer) => {
      if (peer.mode !== "routes") return false;
      return this.#fallBack.failed({ ...peer, failures: seen(peer.node).failures, nowMs });
    });
    const onLinks = judged.flatMap(({ link, ...peer }) =>
      link === undefined ? [] : { ...peer, link, isReached: this.#isReached(peer) },
    );
    const all = [...left.map(({ node }) => node), ...this.#fallBack.failedWithLink(onLinks, nowMs)];
    if (all.length > 0) log.warn("pods are not reached by plain routes, so packets are wrapped", { nodes: all });
    return all.length > 0;
  }

  #lookAtWrapped(): void {
    const { clock, peers, seen } = this.#options;
    for (const { node, mode } of peers()) {
      const { state, failures } = seen(node);
      const isKnown = state === "reachable" || failures >= ENOUGH_FAILURES;
      if (mode === "vxlan" && isKnown) this.#fallBack.wrapped(node, state === "reachable", clock.monotonic());
    }
  }

  #isReached({ node, mode }: Pick<JudgedPeer, "node" | "mode">): boolean {
    return mode === "routes" && this.#options.seen(node).state === "reachable";
  }

  /** One of those that are due, and more only while they lead somewhere: each that does not costs a second. */
  async #tryAgain(): Promise<boolean> {
    const { clock, tryPlain } = this.#options;
    for (let count = 0; count < MOST_TRIED_AT_ONCE; count++) {
      const [node] = this.#fallBack.due(clock.monotonic());
      if (node === undefined) return count > 0;
      const works = await tryPlain(node);
      this.#fallBack.tried(node, works, clock.monotonic());
      if (!works) return count > 0;
    }
    return true;
  }
}
