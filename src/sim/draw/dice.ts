/** Draws with a shape. Every function takes exactly the numbers it needs from `random`, so that plans replay. */
import type { Random } from "../../seams/random.ts";

export function chance(random: Random, share: number): boolean {
  return random.next() < share;
}

/** A whole number, both ends included. */
export function between(random: Random, least: number, most: number): number {
  return least + random.int(most - least + 1);
}

export function pick<T>(random: Random, from: readonly T[]): T {
  if (from.length === 0) throw new RangeError("nothing to pick from");
  return from[random.int(from.length)] as T;
}

/** `count` different ones, in the order they are drawn. */
export function pickSome<T>(random: Random, from: readonly T[], count: number): readonly T[] {
  const left = [...from];
  const drawn: T[] = [];
  while (drawn.length < count && left.length > 0) drawn.push(...left.splice(random.int(left.length), 1));
  return drawn;
}

export type Weighted<T> = readonly (readonly [weight: number, value: T])[];

export function weighted<T>(random: Random, choices: Weighted<T>): T {
  let left = random.next() * choices.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, value] of choices) {
    left -= weight;
    if (left < 0) return value;
  }
  return pick(
    random,
    choices.map(([, value]) => value),
  );
}

/** Mostly short and sometimes long: evenly spread over the orders of magnitude. */
export function duration(random: Random, leastMs: number, mostMs: number): number {
  return Math.round(leastMs * (mostMs / leastMs) ** random.next());
}
