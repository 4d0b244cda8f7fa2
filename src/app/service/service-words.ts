import type { Membership } from "../membership.ts";
import type { Options } from "../settings.ts";

/** Options that a service is started with again, as a person would type them. */
const FLAGS = {
  state: "--state",
  listen: "--listen",
  http: "--http",
  metrics: "--metrics",
  advertise: "--advertise",
  reserveCpu: "--reserve-cpu",
  reserveMemory: "--reserve-memory",
  podRange: "--pod-range",
  network: "--network",
  cgroup: "--cgroup",
  strategy: "--strategy",
  logLevel: "--log-level",
  masterKeyFile: "--master-key-file",
  passphraseFile: "--passphrase-file",
  clusterRange: "--cluster-range",
  nodePrefix: "--node-prefix",
  serviceRange: "--service-range",
  networkMode: "--network-mode",
  vxlanPort: "--vxlan-port",
  dnsTtl: "--dns-ttl",
} as const satisfies Partial<Record<keyof Options, string>>;

const OF_SERVERS: ReadonlySet<string> = new Set([
  "listen",
  "http",
  "advertise",
  "strategy",
  "masterKeyFile",
  "passphraseFile",
  "clusterRange",
  "nodePrefix",
  "serviceRange",
  "networkMode",
  "vxlanPort",
]);

/** `agent …`, `up …` or `server …`: what this host is, with the options that were given. */
export function serviceWords(
  membership: Membership | undefined,
  options: Options & { readonly agent?: boolean },
): readonly string[] {
  const isAgent = membership?.role === "agent";
  const command = isAgent ? "agent" : options.agent === false ? "server" : "up";
  const flags = Object.entries(FLAGS).flatMap(([field, flag]) => {
    const value = options[field as keyof typeof FLAGS];
    return value === undefined || (isAgent && OF_SERVERS.has(field)) ? [] : [flag, value];
  });
  const labels = command === "server" ? [] : (options.label ?? []).flatMap((label) => ["--label", label]);
  const tlsNames = isAgent ? [] : (options.tlsName ?? []).flatMap((name) => ["--tls-name", name]);
  // Somebody is there when a service is installed, and nobody when it starts.
  const install = command === "server" ? [] : ["--no-install"];
  const alone = command !== "server" && options.clusterNetwork === false ? ["--no-cluster-network"] : [];
  const names = command !== "server" && options.hostNames === true ? ["--host-names"] : [];
  const wayIn = command === "server" ? [] : wayInWords(options);
  return [command, ...flags, ...tlsNames, ...labels, ...alone, ...names, ...wayIn, ...install];
}

function wayInWords({ wayIn, wayInPorts }: Options): readonly string[] {
  return [...(wayIn === true ? ["--way-in"] : []), ...(wayInPorts === undefined ? [] : ["--way-in-ports", wayInPorts])];
}
