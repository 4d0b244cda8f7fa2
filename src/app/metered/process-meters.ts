import type { AgentMeters } from "../../metrics/agent-metrics.ts";
import { AGENT_METRICS } from "../../metrics/agent-metrics.ts";
import type { MeterSet } from "../../metrics/definition.ts";
import { Meters } from "../../metrics/meters.ts";
import { processMeters } from "../../metrics/process-metrics.ts";
import { SERVER_METRICS, type ServerMeters } from "../../metrics/server-metrics.ts";
import type { Clock } from "../../seams/clock.ts";
import type { ProcessFacts } from "../process-facts.ts";
import { certificatesIn } from "./certificates.ts";

/** Where the halves of one process count, for as long as it runs, whatever planes come and go. */
export interface HalfMeters {
  readonly server: ServerMeters;
  readonly agent: AgentMeters;
}

export function halfMeters(): HalfMeters {
  return { server: new Meters(SERVER_METRICS), agent: new Meters(AGENT_METRICS) };
}

/** What an agent without a control plane in its process shows. */
export function agentMeterSets(
  meters: AgentMeters,
  facts: ProcessFacts,
  about: { readonly version: string; readonly startedAtMs: number; readonly pkiDir: string; readonly clock: Clock },
): readonly MeterSet[] {
  const { pkiDir, clock } = about;
  const seconds = (endsAtMs: number) => Math.round((endsAtMs - clock.now()) / 1000);
  const certificates = () =>
    Object.fromEntries(certificatesIn(pkiDir).map(({ name, endsAtMs }) => [name, seconds(endsAtMs)]));
  return [meters, processMeters(() => ({ ...facts.read(), certificates: certificates() }), about)];
}
