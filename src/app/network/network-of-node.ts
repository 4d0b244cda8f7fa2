/** Whether this host takes part in the cluster's network, and what is left of it when it does so no more. */
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Control } from "../../agent/control.ts";
import type { AgentMeters } from "../../metrics/agent-metrics.ts";
import { SystemCommands } from "../../seams/commands.ts";
import { meteredPart } from "../metered/metered-network.ts";
import { buildNetworkSide, type NetworkSide, type NetworkSideOptions } from "./network-side.ts";

export interface NetworkOfNodeOptions extends Omit<NetworkSideOptions, "commands" | "secretValues" | "metered"> {
  readonly control: Control;
  readonly meters: AgentMeters;
}

/** Undefined when its pods are on a bridge of this host alone. */
export async function networkOfNode(options: NetworkOfNodeOptions): Promise<NetworkSide | undefined> {
  return options.settings.clusterNetwork ? await networkSide(options) : undefined;
}

/** It may have taken part before: what it made then goes. */
export async function leaveNetwork(options: NetworkOfNodeOptions): Promise<void> {
  const { folder, log } = options;
  if (!existsSync(join(folder, "pod-network")) && !existsSync(join(folder, "network.jsonl"))) return;
  const side = await networkSide(options);
  await side.remove();
  await rm(folder, { recursive: true, force: true });
  log.info("this host's part of the cluster's network is removed");
}

function networkSide(options: NetworkOfNodeOptions): Promise<NetworkSide> {
  const { control, meters, random, clock } = options;
  return buildNetworkSide({
    ...options,
    ...{ random: random.fork("network"), commands: new SystemCommands() },
    metered: (part) => meteredPart(part, clock, meters),
    secretValues: (namespace, name) => control.keyValues("Secret", namespace, name),
  });
}
