import type { AgentMeters } from "../../metrics/agent-metrics.ts";
import type { Dialer, Link, LinkListener } from "../../seams/link.ts";
import { LinkError } from "../../seams/link.ts";
import { type LinkCounters, meteredLink, meteredListener } from "./metered-link.ts";

/** The same dialer; its attempts, its open links and what goes over them are counted. */
export function meteredDialer(dialer: Dialer, meters: AgentMeters): Dialer {
  const counters = linkCounters(meters);
  let open = 0;
  meters.provide("styr_agent_link_connected", () => (open > 0 ? 1 : 0));
  const dial = async (listener: LinkListener, signal: AbortSignal): Promise<Link> => {
    let isOpen = false;
    const ended = () => {
      if (isOpen) open--;
      isOpen = false;
    };
    try {
      const link = await dialer.dial(meteredListener(listener, counters, ended), signal);
      meters.count("styr_agent_dials_total", "ok");
      isOpen = true;
      open++;
      return meteredLink(link, counters, ended);
    } catch (error) {
      if (!signal.aborted) {
        meters.count("styr_agent_dials_total", error instanceof LinkError && error.refused ? "refused" : "failed");
      }
      throw error;
    }
  };
  return { dial };
}

function linkCounters(meters: AgentMeters): LinkCounters {
  return {
    framesIn: meters.counter("styr_agent_link_frames_total", "in"),
    framesOut: meters.counter("styr_agent_link_frames_total", "out"),
    bytesIn: meters.counter("styr_agent_link_bytes_total", "in"),
    bytesOut: meters.counter("styr_agent_link_bytes_total", "out"),
  };
}
