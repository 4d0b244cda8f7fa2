import { createHash, randomBytes, randomUUID } from "node:crypto";

/** Chance, behind a seam so that a seed can replay a run. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** A whole number in [0, below). */
  int(below: number): number;
  /** An RFC 4122 version 4 UUID. */
  uuid(): string;
  /** `length` characters of Kubernetes' name alphabet, which spells no words and confuses no digits. */
  suffix(length: number): string;
  /** An independent stream for one component, so that one component's draws do not shift another's. */
  fork(name: string): Random;
}

/** k8s.io/apimachinery/pkg/util/rand: no vowels, no 0, 1, 3. */
const NAME_ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

export class SystemRandom implements Random {
  next(): number {
    return randomBytes(6).readUIntBE(0, 6) / 2 ** 48;
  }

  int(below: number): number {
    return Math.floor(this.next() * below);
  }

  uuid(): string {
    return randomUUID();
  }

  suffix(length: number): string {
    return suffixOf(this, length);
  }

  fork(_name: string): Random {
    return this;
  }
}

/** Reproducible: the same seed gives the same draws (mulberry32). For tests and the simulator; not for secrets. */
export class SeededRandom implements Random {
  readonly #seed: string;
  #state: number;

  constructor(seed: string | number) {
    this.#seed = String(seed);
    this.#state = createHash("sha256").update(this.#seed).digest().readUInt32LE(0);
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  int(below: number): number {
    return Math.floor(this.next() * below);
  }

  uuid(): string {
    const hex = Array.from({ length: 32 }, () => this.int(16).toString(16));
    hex[12] = "4";
    hex[16] = (8 + this.int(4)).toString(16);
    const text = hex.join("");
    return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join("-");
  }

  suffix(length: number): string {
    return suffixOf(this, length);
  }

  fork(name: string): Random {
    return new SeededRandom(`${this.#seed}/${name}`);
  }
}

function suffixOf(random: Random, length: number): string {
  return Array.from({ length }, () => NAME_ALPHABET[random.int(NAME_ALPHABET.length)]).join("");
}
