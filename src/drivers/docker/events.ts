/** The engine's event stream, kept open: reconnects with backoff and says when changes may have been missed. */
import { type BackoffRules, backoffMs } from "../../lib/backoff.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Log } from "../../seams/log.ts";
import type { Engine } from "./engine.ts";
import type { EngineEvent } from "./engine-facts.ts";
import { readJsonLines } from "./json-lines.ts";

export interface EventFilters {
  readonly label?: readonly string[];
  readonly event?: readonly string[];
}

const RECONNECT: BackoffRules = { initialMs: 200, factor: 2, maxMs: 5000 };

/**
 * Calls `handle` for each event of a container, one at a time, until `signal` aborts; "lost" whenever a stream begins: what
 * happened before is not in it. Resolves after the abort.
 */
export async function followEvents(
  engine: Engine,
  filters: EventFilters,
  handle: (event: EngineEvent | "lost") => Promise<void> | void,
  { signal, clock, log }: { readonly signal: AbortSignal; readonly clock: Clock; readonly log: Log },
): Promise<void> {
  const query = { filters: JSON.stringify({ type: ["container"], ...filters }) };
  let failures = 0;
  while (!signal.aborted) {
    try {
      const body = await engine.stream({ method: "GET", path: "/events", query, signal });
      failures = 0;
      await handle("lost");
      for await (const event of readJsonLines<EngineEvent>(body)) await handle(event);
      log.info("the engine closed its event stream");
    } catch (error) {
      if (signal.aborted) return;
      if (failures === 0) log.warn("the engine's event stream broke", { error: String(error) });
    }
    failures++;
    // Rejects only by the abort, which the loop's condition sees.
    await clock.sleep(backoffMs(RECONNECT, failures), signal).catch(() => undefined);
  }
}
