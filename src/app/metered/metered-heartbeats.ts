import type { Heartbeats } from "../../agent/heartbeat/heartbeats.ts";
import { withMembers } from "../../lib/with-members.ts";
import type { AgentMeters } from "../../metrics/agent-metrics.ts";
import type { Clock } from "../../seams/clock.ts";

/** The same heartbeats; how old the last answered one is, and how long answers took. */
export function meteredHeartbeats(heartbeats: Heartbeats, clock: Clock, meters: AgentMeters): Heartbeats {
  let sentAtMs: number | undefined;
  meters.provide("styr_heartbeat_age_seconds", () =>
    sentAtMs === undefined ? undefined : Math.max(0, clock.monotonic() - sentAtMs) / 1000,
  );
  return withMembers<Heartbeats>(heartbeats, {
    start: (beater, heard) =>
      heartbeats.start(beater, (news) => {
        sentAtMs = news.sentAtMs;
        meters.observe("styr_heartbeat_round_trip_seconds", Math.max(0, clock.monotonic() - news.sentAtMs) / 1000);
        heard(news);
      }),
  });
}
