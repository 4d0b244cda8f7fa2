import { type Dialer, type Link, LinkError, type LinkListener } from "../../../src/seams/link.ts";
import type { ManualClock } from "../../../src/seams/manual-clock.ts";
import type { Random } from "../../../src/seams/random.ts";

export interface Quality {
  readonly delayMs: readonly [least: number, most: number];
  readonly loss: number;
  readonly duplicate: number;
  /** Share of frames that are held up, so that later ones overtake them. */
  readonly reorder: number;
}

export const PERFECT: Quality = { delayMs: [1, 1], loss: 0, duplicate: 0, reorder: 0 };

/** What accepts links: a dispatcher, for one node. */
export type Accept = (link: Link) => LinkListener;

/** One agent's way to the control plane: every frame of it may be lost, doubled, late or overtaken. */
export class Wire implements Dialer {
  quality: Quality = PERFECT;
  /** Nothing arrives in this direction. */
  cutUp = false;
  cutDown = false;
  /** Undefined: the host answers that nobody listens. */
  accept: Accept | undefined;
  dials = 0;
  links = 0;
  framesUp = 0;
  framesDown = 0;
  longestFrame = 0;
  readonly #clock: ManualClock;
  readonly #random: Random;
  readonly #open = new Set<() => void>();
  /** Links up to this one carry nothing any more, and nobody is told: a router forgot them. */
  #forgotten = 0;

  constructor(clock: ManualClock, random: Random, accept: Accept) {
    this.#clock = clock;
    this.#random = random;
    this.accept = accept;
  }

  heal(): void {
    this.quality = PERFECT;
    this.cutUp = false;
    this.cutDown = false;
  }

  /** The control plane's program ends: its links break, and this side is told. */
  breakAll(): void {
    for (const end of [...this.#open]) end();
  }

  forgetLinks(): void {
    this.#forgotten = this.links;
  }

  dial(listener: LinkListener, signal: AbortSignal): Promise<Link> {
    this.dials++;
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      this.#after(() => {
        if (this.cutUp || this.cutDown) return;
        if (signal.aborted) return;
        if (!this.accept) return reject(new LinkError("connection refused", true));
        resolve(this.#connect(listener, this.accept));
      });
    });
  }

  #connect(agent: LinkListener, accept: Accept): Link {
    const number = ++this.links;
    const isForgotten = () => number <= this.#forgotten;
    let isOpen = true;
    const close = (tell: (reason: string) => void, isCut: () => boolean) => (reason: string) => {
      if (!isOpen) return;
      isOpen = false;
      this.#open.delete(end);
      this.#after(() => {
        if (!isCut()) tell(reason);
      });
    };
    const down: Link = {
      send: (frame) => {
        this.framesDown++;
        this.longestFrame = Math.max(this.longestFrame, frame.length);
        if (isOpen) this.#carry(() => isOpen && !this.cutDown && !isForgotten() && agent.frame(frame));
      },
      close: close(
        (reason) => agent.closed(reason),
        () => this.cutDown || isForgotten(),
      ),
    };
    const dispatcher = accept(down);
    const up: Link = {
      send: (frame) => {
        this.framesUp++;
        this.longestFrame = Math.max(this.longestFrame, frame.length);
        if (isOpen) this.#carry(() => isOpen && !this.cutUp && !isForgotten() && dispatcher.frame(frame));
      },
      close: close(
        (reason) => dispatcher.closed(reason),
        () => this.cutUp || isForgotten(),
      ),
    };
    const end = () => {
      if (!isOpen) return;
      isOpen = false;
      this.#open.delete(end);
      this.#after(() => {
        agent.closed("the other side ended");
        dispatcher.closed("the other side ended");
      });
    };
    this.#open.add(end);
    return up;
  }

  #carry(arrive: () => void): void {
    const { loss, duplicate } = this.quality;
    if (this.#random.next() >= loss) this.#after(arrive);
    if (this.#random.next() < duplicate) this.#after(arrive);
  }

  #after(fn: () => void): void {
    const { delayMs, reorder } = this.quality;
    const [least, most] = delayMs;
    const late = this.#random.next() < reorder ? 5 : 1;
    this.#clock.setTimer((least + this.#random.next() * (most - least)) * late, fn);
  }
}
