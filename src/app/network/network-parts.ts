/** The parts of a node's network plane, in the order in which they are applied to what changed. */
import { deviceName } from "../../lib/device-name.ts";
import { HostNames } from "../../network/names/host-names.ts";
import { NamesPart } from "../../network/names/names-part.ts";
import type { NetworkPart } from "../../network/plane/network-part.ts";
import { PoliciesPart } from "../../network/policy/policies-part.ts";
import { NodeProxyPart } from "../../network/services/node-proxy/node-proxy-part.ts";
import { reservedPorts } from "../../network/services/reserved-ports.ts";
import { ServicesPart } from "../../network/services/services-part.ts";
import type { SecretValues } from "../../network/way-in/certificates.ts";
import { WayInPart } from "../../network/way-in/way-in-part.ts";
import type { Clock } from "../../seams/clock.ts";
import type { Commands } from "../../seams/commands.ts";
import type { Log } from "../../seams/log.ts";
import type { Random } from "../../seams/random.ts";
import type { Settings } from "../settings.ts";
import { portListeners } from "./port-listeners.ts";

export interface NetworkPartsOptions {
  readonly settings: Settings;
  readonly nodeName: string;
  /** It may be another later. */
  readonly hostAddress: () => string;
  readonly commands: Commands;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** A folder of the plane's own in the state directory. */
  readonly folder: string;
  /** The control plane, `host:port` each: nothing of ours may lead its addresses away. */
  readonly servers?: () => readonly string[];
  /** Values of a Secret: certificates of hosts that are reached from outside. Absent: nobody can be asked. */
  readonly secretValues?: SecretValues;
}

export function networkParts(options: NetworkPartsOptions): readonly NetworkPart[] {
  const { settings, commands, clock, log } = options;
  const { networkName } = settings;
  return [
    servicesPart(options),
    new PoliciesPart({ networkName, commands, clock, log }),
    namesPart(options),
    wayInPart(options),
  ];
}

/** Rules of the kernel are root's to make. */
function servicesPart({ settings, commands, clock, log, servers }: NetworkPartsOptions): NetworkPart {
  const { networkName } = settings;
  if (process.geteuid?.() !== 0) return new NodeProxyPart(portListeners, clock);
  const bridge = deviceName(networkName);
  const reserved = reservedPorts({ apiPort: settings.port, ...settings.wayIn });
  const of = { networkName, bridge, commands, clock, reserved, ...(servers === undefined ? {} : { servers }) };
  return new ServicesPart({ ...of, log: log.with({ part: "services" }) });
}

function namesPart({ settings, commands, clock, log, folder }: NetworkPartsOptions): NamesPart {
  const { ttlSeconds, isForHost } = settings.names;
  const bridge = deviceName(settings.networkName);
  return new NamesPart({
    ...{ folder: `${folder}/names`, clock, log: log.with({ part: "names" }) },
    config: { ttlSeconds, negativeSeconds: ttlSeconds },
    whyOff: process.geteuid?.() === 0 ? undefined : "names are answered at port 53, which is root's to open",
    hostNames: new HostNames({ commands, clock, bridge, mayWriteResolvConf: isForHost }),
  });
}

function wayInPart({ settings, commands, clock, log, folder, secretValues }: NetworkPartsOptions): WayInPart {
  return new WayInPart({
    ...{ folder: `${folder}/way-in`, commands, clock, log: log.with({ part: "way in" }), ...settings.wayIn },
    secretValues: secretValues ?? (() => Promise.reject(new Error("the control plane cannot be asked for secrets"))),
  });
}
