import type { Actor } from "../../http/actor.ts";

const MOST = 1_000;
/** An agent that is refused dials every few seconds. */
const KNOCKS_WITHIN_MS = 60_000;
/** Of one host it is said once, and again when it still knocks so long after. */
const SAY_AGAIN_MS = 3_600_000;

interface Knock {
  readonly words: string;
  readonly lastMs: number;
  readonly saidAtMs: number;
}

/** Hosts and people who show a certificate that the cluster's CA has signed, and that is not taken: why, for whoever looks for them. */
export class Untaken {
  readonly #byHolder = new Map<string, Knock>();
  #say: (words: string) => void = () => {};

  /** Told of each of them once, and seldom again. */
  onNew(say: (words: string) => void): void {
    this.#say = say;
  }

  /** Gives what is to be answered: `certificate of node "web-1": …`. */
  note(holder: Actor, why: string, nowMs: number): string {
    const key = keyOf(holder.roles[0], holder.name);
    const words = `certificate of ${key}: ${why}`;
    const before = this.#byHolder.get(key);
    // A clock that was set right must not keep it silent until then.
    const isNew = before === undefined || Math.abs(nowMs - before.saidAtMs) >= SAY_AGAIN_MS;
    this.#byHolder.delete(key);
    this.#byHolder.set(key, { words, lastMs: nowMs, saidAtMs: isNew ? nowMs : before.saidAtMs });
    const [oldest] = this.#byHolder.keys();
    if (this.#byHolder.size > MOST && oldest !== undefined) this.#byHolder.delete(oldest);
    if (isNew) this.#say(words);
    return words;
  }

  /** Of a node that knocks now and is not taken. */
  ofNode(name: string, nowMs: number): string | undefined {
    const knock = this.#byHolder.get(keyOf("node", name));
    return knock && Math.abs(nowMs - knock.lastMs) < KNOCKS_WITHIN_MS ? knock.words : undefined;
  }
}

function keyOf(role: string | undefined, name: string): string {
  return `${role ?? "nobody"} "${name}"`;
}
