/** Ports of this host that are not for Services: the cluster's own, and those at which a program of the host listens. */
import { CommandError, type Commands } from "../../seams/commands.ts";
import type { NetworkState } from "../plane/network-state.ts";
import { basePlanOf } from "./base-plan.ts";
import type { PortClaims, PortKey } from "./port-claims.ts";

/** By port, whose it is, in words. */
export type ReservedPorts = (state: NetworkState) => ReadonlyMap<PortKey, string>;

interface Listener {
  readonly key: PortKey;
  readonly address: string;
  /** Asked for only where somebody wants its port. */
  readonly program?: string;
  readonly pid?: string;
}

/** Sockets of UDP that only ask have ports from here on (net.ipv4.ip_local_port_range). */
const FIRST_ASKING = 32_768;

export class HostPorts {
  readonly #commands: Commands;
  readonly #reserved: ReservedPorts;
  #words: string | undefined;

  constructor(commands: Commands, reserved: ReservedPorts) {
    this.#commands = commands;
    this.#reserved = reserved;
  }

  /** Why it is not known at what ports this host listens. */
  get words(): string | undefined {
    return this.#words;
  }

  /** Of the ports that are wanted, those that this host keeps, and why. */
  async kept(claims: PortClaims, state: NetworkState): Promise<ReadonlyMap<PortKey, string>> {
    const reserved = this.#reserved(state);
    const kept = new Map<PortKey, string>();
    const open: PortKey[] = [];
    for (const key of claims.wanted) {
      const words = reserved.get(key);
      if (words === undefined) open.push(key);
      else kept.set(key, words);
    }
    if (open.length === 0) return kept;
    const taken = await this.#listenersAt(new Set(open), basePlanOf(state, true).gateway);
    for (const listener of taken) {
      if (kept.has(listener.key) || (await this.#isOwn(listener, claims, state))) continue;
      kept.set(listener.key, `${listener.program ?? "a program"} of this host listens there`);
    }
    return kept;
  }

  /** Who they are is a look at all processes of the host: only where there are any. */
  async #listenersAt(keys: ReadonlySet<PortKey>, gateway: string | undefined): Promise<readonly Listener[]> {
    try {
      const isInTheWay = ({ key, address }: Listener) => keys.has(key) && !isAside(address) && address !== gateway;
      const found = (await this.#listen("-Hltun")).filter(isInTheWay);
      this.#words = undefined;
      return found.length === 0 ? [] : (await this.#listen("-Hltunp")).filter(isInTheWay);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      this.#words = `it is not known at what ports this host listens itself: ${error.message}`;
      return [];
    }
  }

  async #listen(options: string): Promise<readonly Listener[]> {
    const { stdout } = await this.#commands.run("ss", [options]);
    return stdout.split("\n").flatMap((line) => parseListener(line) ?? []);
  }

  /** A copy of the Service itself: on the host's network, or with that port published by Docker. */
  async #isOwn({ key, pid }: Listener, claims: PortClaims, state: NetworkState): Promise<boolean> {
    const service = claims.oldest(key);
    if (service === undefined || pid === undefined) return false;
    const endpoints = state.endpointsOf(service.id).flatMap((slice) => slice.endpoints);
    const here = endpoints.filter(({ node }) => node === state.nodeName);
    if (here.length === 0) return false;
    const { stdout } = await this.#commands.run("cat", [`/proc/${pid}/cgroup`, `/proc/${pid}/cmdline`]);
    const words = stdout.split(/[\0\n]/);
    const isProxy = words.some((word) => word.endsWith("docker-proxy"));
    // systemd has other dashes in names of slices.
    const plain = stdout.replaceAll(/[-_]/g, "");
    return here.some(
      ({ uid, address }) =>
        (uid !== undefined && plain.includes(uid.replaceAll("-", ""))) || (isProxy && words.includes(address)),
    );
  }
}

/** At 127.0.0.1 nothing is translated. */
function isAside(address: string): boolean {
  return address.startsWith("127.") || address === "[::1]";
}

/** `tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=1,fd=3))`. */
export function parseListener(line: string): Listener | undefined {
  const [, protocol, address = "", text] = /^(tcp|udp)\s+\S+\s+\d+\s+\d+\s+(\S+):(\d+)\s/.exec(line) ?? [];
  if (protocol === undefined) return undefined;
  const port = Number(text);
  if (protocol === "udp" && port >= FIRST_ASKING) return undefined;
  const [, program, pid] = /users:\(\("([^"]*)",pid=(\d+)/.exec(line) ?? [];
  return {
    ...{ key: `${protocol}/${port}`, address: address.replace(/%.*$/, "") },
    ...(program === undefined || pid === undefined ? {} : { program, pid }),
  };
}
