/** What a person can choose about one styr process. The only place that reads `process.env`. */
import { isIPv4 } from "node:net";
import { userInfo } from "node:os";
import { resolve } from "node:path";
import { defaultStateDir, socketIn } from "../client/locations.ts";
import { parseQuantity } from "../lib/quantity.ts";
import type { ClusterNetworkSpec } from "../model/cluster-network.ts";
import { POD_NETWORK } from "../model/pod-network-need.ts";
import { NODE_LABEL } from "../model/well-known.ts";
import { type AddressOptions, clusterAddressesOf, podRangeOf } from "./network/network-options.ts";
import { type StoreOptionsGiven, type StorePlace, storeOf } from "./store-place.ts";

export interface Settings {
  /** Everything styr keeps: store, keys, records, volumes. */
  readonly stateDir: string;
  /** Found without being told, by systemd and in other terminals too: what STYR_STATE names here is not. */
  readonly isDefaultState: boolean;
  /** The socket that root (or the owner) talks through without a token. */
  readonly socketPath: string;
  readonly host: string;
  /** HTTPS for every dialect. */
  readonly port: number;
  /** Plain HTTP, off unless asked for, and on loopback only. */
  readonly http: { readonly host: string; readonly port: number } | undefined;
  /** /metrics alone, in plain HTTP for everybody who reaches it; off unless asked for. */
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
  /** DOCKER_HOST as given; undefined = look for the usual sockets. */
  readonly dockerHost: string | undefined;
  readonly mayInstall: boolean;
  readonly nodeName: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly reserved: { readonly cpuMillis: number | undefined; readonly memoryBytes: number | undefined };
  /** Addresses of this node's pods, as given or remembered; undefined: whatever the cluster gives it. */
  readonly podRange: string | undefined;
  /** False: pods are on a bridge of this host alone, and styr touches no routes and no rules. */
  readonly clusterNetwork: boolean;
  /** Of the cluster's addresses, for its first start; what may be changed later also then. */
  readonly clusterAddresses: Partial<ClusterNetworkSpec>;
  readonly networkName: string;
  /** Where HTTP and HTTPS come in, on a node that is a way in. */
  /** Names of the cluster, for what runs here: how long they hold, and whether the host itself is to find them by its resolv.conf. */
  readonly names: { readonly ttlSeconds: number; readonly isForHost: boolean };
  readonly wayIn: { readonly httpPort: number; readonly httpsPort: number };
  /** What of it was said, now or at an earlier start: the next one need not be told again. */
  readonly wayInGiven: { readonly wayIn?: boolean; readonly wayInPorts?: string };
  /** Name of the cgroup that holds every process and container of ours. */
  readonly cgroupRoot: string;
  readonly strategy: "spread" | "binpack";
  readonly logLevel: string;
  /** As given; undefined = as it is remembered. */
  readonly store: StorePlace | undefined;
  /** Where others reach this server, as given; undefined = the host's own address, and the port of HTTPS. */
  readonly advertise: { readonly host: string; readonly port: number } | undefined;
  /** Further names and addresses that others reach this server by: its certificate is for them too. */
  readonly tlsNames?: readonly string[];
  /** Where the key is that secrets are sealed with, when it is not pki/master.key: a file with it, or with a passphrase. */
  readonly masterKeyFile?: string | undefined;
  readonly passphraseFile?: string | undefined;
}

export interface Options extends StoreOptionsGiven, AddressOptions {
  readonly state?: string;
  readonly listen?: string;
  readonly http?: string;
  readonly metrics?: string;
  readonly install?: boolean;
  readonly nodeName?: string;
  readonly label?: readonly string[];
  readonly reserveCpu?: string;
  readonly reserveMemory?: string;
  readonly clusterNetwork?: boolean;
  readonly network?: string;
  readonly hostNames?: boolean;
  readonly dnsTtl?: string;
  readonly wayIn?: boolean;
  readonly wayInPorts?: string;
  readonly cgroup?: string;
  readonly strategy?: string;
  readonly logLevel?: string;
  readonly advertise?: string;
  readonly tlsName?: readonly string[];
  readonly masterKeyFile?: string;
  readonly passphraseFile?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

export const DEFAULT_PORT = 7443;

/** Where state is kept when nobody says: /var/lib/styrmann for root, the user's state folder otherwise. */
function usualStateDir(environment: Environment, uid: number): string {
  return defaultStateDir({ env: environment, uid, home: environment.HOME || userInfo().homedir });
}

/** Reads options and environment; throws one Error that names the option at fault. */
export function readSettings(options: Options, environment: Environment = process.env, uid = userInfo().uid): Settings {
  const given = options.state ?? (environment.STYR_STATE || undefined);
  const usual = usualStateDir(environment, uid);
  const stateDir = given === undefined ? usual : resolve(given);
  const listen = address("--listen", options.listen ?? `0.0.0.0:${DEFAULT_PORT}`);
  return {
    stateDir,
    isDefaultState: stateDir === usual,
    socketPath: socketIn(stateDir),
    host: listen.host,
    port: listen.port,
    http: options.http === undefined ? undefined : loopback(address("--http", options.http)),
    metrics: options.metrics === undefined ? undefined : address("--metrics", options.metrics),
    dockerHost: environment.DOCKER_HOST || undefined,
    mayInstall: options.install !== false,
    nodeName: options.nodeName,
    labels: {
      ...(options.wayIn === true ? { [NODE_LABEL.wayIn]: "true" } : {}),
      ...Object.fromEntries((options.label ?? []).map(keyValue)),
    },
    reserved: {
      cpuMillis: amount("--reserve-cpu", options.reserveCpu, cpuMillisOf),
      memoryBytes: amount("--reserve-memory", options.reserveMemory, parseQuantity),
    },
    podRange: options.podRange === undefined ? undefined : podRangeOf(options.podRange),
    clusterNetwork: options.clusterNetwork !== false,
    clusterAddresses: clusterAddressesOf(options),
    networkName: plainName("--network", options.network ?? POD_NETWORK),
    names: { ttlSeconds: dnsTtl(options.dnsTtl ?? "5"), isForHost: options.hostNames === true },
    wayIn: wayInPorts(options.wayInPorts ?? "80,443"),
    wayInGiven: {
      ...(options.wayIn === undefined ? {} : { wayIn: options.wayIn }),
      ...(options.wayInPorts === undefined ? {} : { wayInPorts: options.wayInPorts }),
    },
    cgroupRoot: plainName("--cgroup", options.cgroup ?? "styrmann"),
    strategy: strategyOf(options.strategy),
    logLevel: levelOf(options.logLevel),
    store: storeOf(options),
    advertise: options.advertise === undefined ? undefined : advertised(options.advertise, listen.port),
    tlsNames: (options.tlsName ?? []).map(tlsName),
    ...masterKeyOf(options),
  };
}

/** Those of HTTP and of HTTPS. */
function dnsTtl(text: string): number {
  const seconds = Number(text);
  if (/^\d+$/.test(text) && seconds <= 3600) return seconds;
  throw new Error(`--dns-ttl ${text}: give a whole number of seconds, at most 3600`);
}

function wayInPorts(text: string): Settings["wayIn"] {
  const [httpPort = 0, httpsPort = 0, ...more] = text
    .split(",")
    .map((part) => (/^\d{1,5}$/.test(part) ? Number(part) : 0));
  const areFine = [httpPort, httpsPort].every((port) => port >= 1 && port <= 65_535);
  if (areFine && more.length === 0 && httpPort !== httpsPort) return { httpPort, httpsPort };
  throw new Error(`--way-in-ports ${text}: give the ports of HTTP and HTTPS, such as 80,443`);
}

/** A host name or an address, as it goes into a certificate. */
function tlsName(text: string): string {
  if (text.length <= 253 && /^(?:\*\.)?[\w-]+(?:\.[\w-]+)*$|^[0-9a-f:.]+$/i.test(text)) return text;
  throw new Error(`--tls-name ${text}: give a host name or an address, once for each`);
}

function masterKeyOf({ masterKeyFile, passphraseFile }: Options): Pick<Settings, "masterKeyFile" | "passphraseFile"> {
  if (masterKeyFile !== undefined && passphraseFile !== undefined)
    throw new Error("give --master-key-file or --passphrase-file, not both");
  return {
    masterKeyFile: masterKeyFile === undefined ? undefined : resolve(masterKeyFile),
    passphraseFile: passphraseFile === undefined ? undefined : resolve(passphraseFile),
  };
}

function address(option: string, text: string): { readonly host: string; readonly port: number } {
  const parts = /^(?:(.*):)?(\d{1,5})$/.exec(text);
  const port = Number(parts?.[2]);
  if (!parts || port > 65535) throw new Error(`${option} ${text}: give HOST:PORT, with a port from 0 to 65535`);
  return { host: (parts[1] ?? "").replace(/^\[|\]$/g, "") || "127.0.0.1", port };
}

/** `HOST` or `HOST:PORT`: one that means something on other hosts too. */
function advertised(text: string, usualPort: number): { readonly host: string; readonly port: number } {
  const at =
    /:\d+$/.test(text) && !/^[0-9a-f]*:[0-9a-f:]+$/i.test(text)
      ? address("--advertise", text)
      : { host: text.replace(/^\[|\]$/g, ""), port: usualPort };
  if (/^[\w.:-]+$/.test(at.host) && !["0.0.0.0", "::"].includes(at.host)) return at;
  throw new Error(`--advertise ${text}: give the HOST, or HOST:PORT, at which agents and other servers reach this one`);
}

/** Plain HTTP carries no proof of who asks, so it must not leave the machine. */
function loopback(at: { readonly host: string; readonly port: number }): {
  readonly host: string;
  readonly port: number;
} {
  if ((isIPv4(at.host) && at.host.startsWith("127.")) || at.host === "::1" || at.host === "localhost") return at;
  throw new Error(
    `--http ${at.host}:${at.port}: plain HTTP is served on loopback only (127.0.0.1, ::1); use HTTPS on port ${DEFAULT_PORT}`,
  );
}

function keyValue(text: string): [string, string] {
  const at = text.indexOf("=");
  if (at <= 0) throw new Error(`--label ${text}: give KEY=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function cpuMillisOf(text: string): number | undefined {
  const cores = parseQuantity(text);
  return cores === undefined ? undefined : Math.ceil(cores * 1000);
}

function amount(
  option: string,
  text: string | undefined,
  parse: (text: string) => number | undefined,
): number | undefined {
  if (text === undefined) return undefined;
  const value = parse(text);
  if (value === undefined || value < 0) throw new Error(`${option} ${text}: give an amount such as 500m, 0.5 or 256Mi`);
  return value;
}

function plainName(option: string, text: string): string {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,40}$/.test(text))
    throw new Error(`${option} ${text}: use letters, digits, "-", "_" and "."`);
  return text;
}

function levelOf(text = "info"): string {
  if (["debug", "info", "warn", "error"].includes(text)) return text;
  throw new Error(`--log-level ${text}: it is debug, info, warn or error`);
}

function strategyOf(text: string | undefined): Settings["strategy"] {
  if (text === undefined || text === "spread" || text === "binpack") return text ?? "spread";
  throw new Error(`--strategy ${text}: it is "spread" or "binpack"`);
}
