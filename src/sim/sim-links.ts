/** Conversations over the simulated network: who dials, who listens, and what becomes of a link when an end dies. */
import { type Dialer, type Link, LinkError, type LinkListener } from "../seams/link.ts";
import type { Lane, Wires } from "./sim-network.ts";
import type { Life } from "./sim-time.ts";

/** A process on a host, as an end of conversations. */
export interface Party {
  readonly host: string;
  readonly life: Life;
}

export type Accept = (link: Link, from: string) => LinkListener;

export class Links {
  readonly #wires: Wires;
  readonly #accepting = new Map<string, { readonly party: Party; readonly accept: Accept }>();
  readonly #ends = new Map<Life, Set<End>>();

  constructor(wires: Wires) {
    this.#wires = wires;
  }

  /** From now on `party` takes conversations; whoever listened at `address` (`host:service`) before does no more. */
  acceptAt(address: string, party: Party, accept: Accept): void {
    this.#accepting.set(address, { party, accept });
  }

  dialer(from: Party, address: string): Dialer {
    return { dial: (listener, signal) => this.#dial(from, address, listener, signal) };
  }

  /** The process is dead. Its host's kernel tells the other ends, if the host has power and the network lets it. */
  endAll(life: Life): void {
    for (const end of this.#ends.get(life) ?? []) end.die();
    this.#ends.delete(life);
  }

  #dial(from: Party, address: string, listener: LinkListener, signal: AbortSignal): Promise<Link> {
    const [host = ""] = address.split(":");
    const there: Lane = { lastAtMs: 0 };
    const back: Lane = { lastAtMs: 0 };
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const giveUp = () => {
        if (!from.life.isOver) reject(signal.reason);
      };
      signal.addEventListener("abort", giveUp, { once: true });
      this.#wires.signal(from.host, host, there, () => {
        const open = this.#accepting.get(address);
        if (!open || open.party.life.isOver) {
          this.#wires.signal(host, from.host, back, () => {
            if (from.life.isOver) return;
            signal.removeEventListener("abort", giveUp);
            reject(new LinkError(`${address} refused the connection`, true));
          });
          return;
        }
        const [mine, theirs] = this.#pair(from, open.party, there, back);
        theirs.listener = open.accept(theirs, from.host);
        this.#wires.signal(host, from.host, back, () => {
          if (from.life.isOver || mine.isOpen) return;
          signal.removeEventListener("abort", giveUp);
          if (signal.aborted) return mine.close("given up");
          if (mine.isOver) return reject(new LinkError(`${address} closed the connection at once`, false));
          resolve(mine);
          mine.open(listener);
        });
      });
    });
  }

  #pair(from: Party, to: Party, there: Lane, back: Lane): readonly [End, End] {
    const forget = (end: End) => this.#ends.get(end.party.life)?.delete(end);
    const mine = new End(from, this.#wires, there, forget);
    const theirs = new End(to, this.#wires, back, forget);
    mine.peer = theirs;
    theirs.peer = mine;
    theirs.isOpen = true;
    for (const end of [mine, theirs]) {
      const ends = this.#ends.get(end.party.life) ?? new Set();
      this.#ends.set(end.party.life, ends.add(end));
    }
    return [mine, theirs];
  }
}

class End implements Link {
  readonly party: Party;
  readonly #wires: Wires;
  readonly #lane: Lane;
  readonly #forget: (end: End) => void;
  peer: End | undefined;
  listener: LinkListener | undefined;
  isOpen = false;
  #isOver = false;
  /** What came before the one who dialled knows that somebody answered. */
  #early: string[] = [];

  constructor(party: Party, wires: Wires, lane: Lane, forget: (end: End) => void) {
    this.party = party;
    this.#wires = wires;
    this.#lane = lane;
    this.#forget = forget;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  open(listener: LinkListener): void {
    this.listener = listener;
    this.isOpen = true;
    const early = this.#early;
    this.#early = [];
    // After the dialler has its link.
    queueMicrotask(() => {
      for (const frame of early) this.#take(frame);
    });
  }

  send(frame: string): void {
    if (this.#isOver || this.party.life.isOver) return;
    const { peer } = this;
    if (peer) this.#wires.send(this.party.host, peer.party.host, this.#lane, () => peer.receive(frame));
  }

  close(reason: string): void {
    if (this.#isOver || this.party.life.isOver) return;
    this.#end();
    this.#tellPeer(reason);
  }

  die(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#tellPeer("the other side is dead");
  }

  receive(frame: string): void {
    // The host answers for a program that is gone.
    if (this.#isOver || this.party.life.isOver) this.#tellPeer("nobody has this connection any more");
    else if (!this.isOpen) this.#early.push(frame);
    else this.#take(frame);
  }

  reset(reason: string): void {
    if (this.#isOver || this.party.life.isOver) return;
    const wasOpen = this.isOpen;
    this.#end();
    if (wasOpen) this.listener?.closed(reason);
  }

  #take(frame: string): void {
    if (!this.#isOver && !this.party.life.isOver) this.listener?.frame(frame);
  }

  #end(): void {
    this.#isOver = true;
    this.#forget(this);
  }

  #tellPeer(reason: string): void {
    const { peer } = this;
    if (peer) this.#wires.signal(this.party.host, peer.party.host, this.#lane, () => peer.reset(reason));
  }
}
