/** styr on a lab host: started as a person would start it there, and used through its commands. */
import type { Finished, RunOptions } from "./command.ts";
import type { Host } from "./host.ts";
import type { Program } from "./program.ts";
import { until } from "./wait.ts";

/** The name of the service that is styr on a host, whichever of its commands that is. */
export const STYR = "styr";

/** What styr says last when it has started, whether as `up`, `server`, `agent` or `join`. */
const IS_UP = /^Ctrl-C stops /gm;

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly withinMs?: number;
}

/** Starts `styr ARGS…` as the host's service and waits until it says that it is up. */
export async function startStyr(
  host: Host,
  program: Program,
  args: readonly string[],
  options: StartOptions = {},
): Promise<number> {
  const before = timesUp(host);
  host.start(STYR, [program.styr, ...args], options.env);
  return until(`styr ${args[0]} of ${host.name} is up`, () => hasStarted(host, before), {
    seen: () => host.log(STYR).slice(-3000),
    withinMs: options.withinMs ?? 60_000,
    everyMs: 20,
  });
}

function hasStarted(host: Host, before: number): boolean {
  if (!host.runs(STYR)) throw new Error(`styr of ${host.name} ended:\n${host.log(STYR).slice(-3000)}`);
  return timesUp(host) > before;
}

function timesUp(host: Host): number {
  return host.log(STYR).match(IS_UP)?.length ?? 0;
}

/** Runs `styr ARGS…` on a host, by the host's own socket. */
export function styr(
  host: Host,
  program: Program,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Finished> {
  return host.run([program.styr, ...args], options);
}

/** Gives what it printed; anything but 0 throws with it. */
export function mustStyr(
  host: Host,
  program: Program,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  return host.must([program.styr, ...args], options);
}
