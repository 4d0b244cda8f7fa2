/**
 * Addresses of the service range that this host reaches by itself: a link, a VPN, a network of Docker's, its own. Whoever has them keeps
 * them: rules of Services leave them alone, and what changes later is seen by the next look. Pure, but for reading the routes.
 */
import { holds, overlaps, parseSubnet, type Subnet } from "../../lib/subnet.ts";
import type { Commands } from "../../seams/commands.ts";

export interface ForeignRange {
  /** `10.105.0.0/16`, or one address. */
  readonly range: string;
  readonly device: string;
}

/** Whose packets of this host are. */
export interface HostsOwn {
  /** Of the pod network. */
  readonly devices: readonly string[];
  /** Addresses of the control plane. */
  readonly servers?: readonly string[];
}

export interface Foreign {
  /** Parts of the service range, sorted; none lies within another. */
  readonly ranges: readonly ForeignRange[];
  /** A route of ours to the service range would lead a server's address away, which this host has no narrower one for. */
  readonly isUnrouted?: true;
  /** In which all of the service range lies: then an address that a Service has is the Service's, and only what nobody has is let pass. */
  readonly whole?: ForeignRange;
}

/** As `ip -j -4 route show` has it. */
export interface RangeRoute {
  readonly dst: string;
  readonly dev?: string;
  readonly gateway?: string;
  readonly prefsrc?: string;
  /** Absent: packets are sent there. */
  readonly type?: string;
  readonly nexthops?: readonly { readonly dev?: string }[];
}

export const NOTHING_FOREIGN: Foreign = { ranges: [] };
const MOST_SAID = 3;
/** In the place of a device, for people. */
const BY_DEFAULT = "the way to a server";

/** Routes of all tables within the range, as a VPN may keep its own apart, and those of the usual one that it lies in. */
export async function routesInto(commands: Commands, serviceRange: string): Promise<readonly RangeRoute[]> {
  const input = `route show table all root ${serviceRange}\nroute show match ${serviceRange}\n`;
  const { stdout } = await commands.run("ip", ["-j", "-4", "-force", "-batch", "-"], { input });
  const lines = stdout.split("\n").filter((line) => line.startsWith("["));
  return lines.flatMap((line) => JSON.parse(line) as readonly RangeRoute[]);
}

/** Pure. A server's address is let pass wherever it is: without the control plane nobody would say what is wrong. */
export function foreignIn(
  routes: readonly RangeRoute[],
  serviceRange: string,
  { devices, servers = [] }: HostsOwn,
): Foreign {
  const services = parseSubnet(serviceRange);
  if (services === undefined) return NOTHING_FOREIGN;
  const known = routes.flatMap((route) => readRoute(route, devices));
  const wider = known.find(({ subnet, isOnLink }) => isWhole(subnet, services, isOnLink));
  const narrower = known.filter(
    ({ subnet }) => subnet.prefixLength > services.prefixLength && overlaps(subnet, services),
  );
  const beyond = servers
    .filter((address) => holds(services, address) && !narrower.some(({ subnet }) => holds(subnet, address)))
    .flatMap((address) => readRoute({ dst: address, dev: BY_DEFAULT }, []));
  const ranges = outermost([...narrower, ...beyond]).map(({ range, device }) => ({ range, device }));
  return {
    ranges,
    ...(wider === undefined ? {} : { whole: { range: wider.range, device: wider.device } }),
    ...(beyond.length === 0 ? {} : { isUnrouted: true }),
  };
}

interface Known extends ForeignRange {
  readonly subnet: Subnet;
  readonly isOnLink: boolean;
}

function readRoute({ dst, dev, gateway, type, nexthops }: RangeRoute, own: readonly string[]): readonly Known[] {
  const device = dev ?? nexthops?.find((hop) => hop.dev !== undefined)?.dev;
  const isOwn = type === "local";
  // Over the loopback services are routed, by us; what is refused, or sent to all of a link, leads nowhere else.
  if (device === undefined || own.includes(device) || !(isOwn || (type === undefined && device !== "lo"))) return [];
  const subnet = parseSubnet(dst.includes("/") ? dst : `${dst}/32`);
  const isOnLink = gateway === undefined && nexthops === undefined;
  return subnet === undefined ? [] : [{ range: dst, device, subnet, isOnLink }];
}

/** A wider range behind a gateway (10.0.0.0/8 of a company) gives its part to services, as it does to pods. */
function isWhole(subnet: Subnet, services: Subnet, isOnLink: boolean): boolean {
  const isSame = subnet.text === services.text;
  return (
    isSame || (isOnLink && subnet.prefixLength > 0 && subnet.first <= services.first && services.last <= subnet.last)
  );
}

function outermost(all: readonly Known[]): readonly Known[] {
  const order = (one: Known, other: Known) =>
    one.subnet.first - other.subnet.first ||
    one.subnet.prefixLength - other.subnet.prefixLength ||
    (one.device < other.device ? -1 : 1);
  const kept: Known[] = [];
  for (const one of all.toSorted(order)) {
    const last = kept.at(-1);
    if (last === undefined || one.subnet.first > last.subnet.last) kept.push(one);
  }
  return kept;
}

/** Whose the address is, if it is not a Service's to have. */
export function foreignAt({ ranges }: Foreign, address: string): ForeignRange | undefined {
  return ranges.find(({ range }) => holds(parseSubnet(range.includes("/") ? range : `${range}/32`), address));
}

/** For people. */
export function foreignWords({ ranges, whole }: Foreign, serviceRange: string): string | undefined {
  const said = ranges.slice(0, MOST_SAID).map(({ range, device }) => `${range} on ${device}`);
  const more = ranges.length > MOST_SAID ? [`${ranges.length - MOST_SAID} more`] : [];
  const [all, isOne] = [[...said, ...more].join(", "), ranges.length === 1];
  const parts =
    ranges.length === 0
      ? []
      : [
          `${all} ${isOne ? "is" : "are"} part of the service range ${serviceRange}: what this host reaches there stays so, and no Service has an address of ${isOne ? "it" : "them"} here`,
        ];
  const wide =
    whole === undefined
      ? []
      : [
          `the service range ${serviceRange} lies in ${whole.range} on ${whole.device}: an address that a Service has is the Service's here, all others stay those of that network`,
        ];
  return parts.length + wide.length === 0 ? undefined : [...parts, ...wide].join("; ");
}
