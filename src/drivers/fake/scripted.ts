/**
 * What a fake container does, written in its image's name:
 *
 *     fake/run                     runs until it is stopped
 *     fake/exit-1:after-500ms      ends by itself with code 1 after 500 ms (`:after-0ms`: at once)
 *     fake/oom:after-100ms         is killed for memory
 *     fake/stubborn                ignores the request to end
 *     fake/talker                  prints first, second, third on stdout and wrong on stderr, then runs
 *     fake/missing                 cannot be pulled: there is no such image
 *     fake/slow:after-2000ms       takes so long to pull, then runs
 *     fake/broken                  cannot be started
 *
 * Any other name runs until it is stopped. `:after-…` in seconds too: `after-3s`.
 */
import { parseDurationMs } from "../../lib/duration.ts";

export interface Script {
  readonly pull: "ok" | "missing";
  readonly pullMs: number;
  readonly start: "ok" | "broken";
  /** Ends by itself. */
  readonly ends?: { readonly afterMs: number; readonly exitCode: number; readonly outOfMemory: boolean };
  readonly isStubborn: boolean;
  readonly isTalker: boolean;
}

export function scriptOf(image: string | undefined): Script {
  const [, word = "", after = ""] = /^fake\/([a-z0-9-]+)(?::after-(\w+))?$/.exec(image ?? "") ?? [];
  const afterMs = parseDurationMs(after) ?? 0;
  const exitCode = /^exit-(\d+)$/.exec(word)?.[1];
  const isOom = word === "oom";
  const ends = exitCode !== undefined || isOom;
  return {
    pull: word === "missing" ? "missing" : "ok",
    pullMs: word === "slow" ? afterMs : 0,
    start: word === "broken" ? "broken" : "ok",
    ...(ends ? { ends: { afterMs, exitCode: isOom ? 137 : Number(exitCode), outOfMemory: isOom } } : {}),
    isStubborn: word === "stubborn",
    isTalker: word === "talker",
  };
}
