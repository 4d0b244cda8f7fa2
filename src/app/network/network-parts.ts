/** The parts of a node's network plane, in the order in which they are applied to what changed. */
import type { NetworkPart } from "../../network/plane/network-part.ts";
import { PoliciesPart } from "../../network/policy/policies-part.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Commands } from "../../seams/commands.ts";
import type { Log } from "../../seams/log.ts";
import type { Random } from "../../seams/random.ts";
import type { Settings } from "../settings.ts";

export interface NetworkPartsOptions {
  readonly settings: Settings;
  readonly nodeName: string;
  readonly hostAddress: string;
  readonly commands: Commands;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** A folder of the plane's own in the state directory. */
  readonly folder: string;
}

export function networkParts(options: NetworkPartsOptions): readonly NetworkPart[] {
  const { settings, commands, clock, log } = options;
  const { networkName } = settings;
  return [new PoliciesPart({ networkName, commands, clock, log })];
}
