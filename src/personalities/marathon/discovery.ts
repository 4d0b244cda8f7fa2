/**
 * By what names and ports an app's instances are found. Names are Mesos-DNS' (its docs/docs/naming.md): /prod/web is
 * `web-prod.marathon.mesos`, and here `web.prod.marathon.mesos` too.
 */
import { dialectOf } from "../../model/dialect.ts";
import type { DiscoveredEndpoint, PodDiscovery } from "../../model/discovery.ts";
import type { NameRecord, Protocol } from "../../model/network.ts";
import type { ContainerPort, Pod } from "../../model/pod.ts";
import { publishedPorts } from "../../model/published-ports.ts";
import { ANNOTATION } from "../../model/well-known.ts";
import { portId } from "./app-definition.ts";
import { serviceIdOf } from "./app-publisher.ts";
import { discoveryName } from "./ids.ts";

const FRAMEWORK = "marathon.mesos";
const AGENTS = "marathon.slave.mesos";
const LONGEST_LABEL = 63;
/** What portNames makes up for ports that have no name. */
const MADE_UP_NAME = /^port-\d+-*$/;

interface AppPort {
  /** Its place among the app's ports, whatever this version calls it. */
  readonly id: string;
  readonly name: string;
  readonly protocol: Protocol;
  /** Where the instance itself answers. */
  readonly port: number;
  readonly hostPort?: number;
}

export function discoverApp(pod: Pod): PodDiscovery | undefined {
  const { annotations = {} } = pod.metadata;
  const id = annotations[ANNOTATION.workload];
  const { hostIP } = pod.status;
  if (dialectOf(pod) !== "marathon" || id === undefined || hostIP === undefined) return undefined;
  const { address, isOnHost, isReached } = placeOf(pod, hostIP);
  const ports = address === undefined ? [] : portsOf(pod, isOnHost);
  return {
    records: recordsOf({ id, podName: pod.metadata.name, address, hostIP, ports }),
    services: [endpointOf(id, address ?? "", isReached ? ports : [])],
  };
}

interface Place {
  /** Undefined: nowhere that anybody was told of. */
  readonly address: string | undefined;
  readonly isOnHost: boolean;
  /** Every node knows a way there. */
  readonly isReached: boolean;
}

/**
 * On the pod network at its own address. On a network of the user's at the ports that its host publishes; without any, at the address
 * that those of that network know (as Mesos-DNS tells it), to which no service port leads.
 */
function placeOf(pod: Pod, hostIP: string): Place {
  const { podIP, networkAddress } = pod.status;
  const isOnHost = pod.spec.hostNetwork === true || podIP === hostIP;
  if (isOnHost || podIP !== undefined) return { address: isOnHost ? hostIP : podIP, isOnHost, isReached: true };
  if (publishedPorts(pod).length > 0) return { address: hostIP, isOnHost: true, isReached: true };
  return { address: networkAddress, isOnHost: false, isReached: false };
}

function portsOf(pod: Pod, isOnHost: boolean): readonly AppPort[] {
  const ports = pod.spec.containers.flatMap((container) => container.ports ?? []);
  const halves = ports.map((port, at) => ({ name: port.name ?? `:${at}`, protocol: protocolOf(port) }));
  const whole = halves.map(({ name }) => withoutProtocol(name, halves));
  const order = [...new Set(whole)];
  return ports.flatMap((port, at) => {
    const { hostPort = 0 } = port;
    const own = port.containerPort === 0 ? hostPort : port.containerPort;
    const answers = isOnHost ? hostPort || (pod.spec.hostNetwork === true ? own : 0) : own;
    if (answers === 0) return [];
    return {
      ...{
        id: portId(order.indexOf(whole[at] ?? "")),
        name: port.name ?? "",
        protocol: protocolOf(port),
        port: answers,
      },
      ...(hostPort === 0 ? {} : { hostPort }),
    };
  });
}

function protocolOf({ protocol = "TCP" }: ContainerPort): Protocol {
  return protocol.toLowerCase() as Protocol;
}

function endpointOf(appId: string, address: string, ports: readonly AppPort[]): DiscoveredEndpoint {
  return { id: serviceIdOf(appId), ports: ports.map(({ id, protocol, port }) => ({ id, protocol, address, port })) };
}

interface Instance {
  readonly id: string;
  readonly podName: string;
  readonly address: string | undefined;
  readonly hostIP: string;
  readonly ports: readonly AppPort[];
}

/** Of the framework, with the instance's own addresses; of its agents (`slave`), with the hosts' addresses and ports. */
function recordsOf({ id, podName, address, hostIP, ports }: Instance): readonly NameRecord[] {
  const dotted = discoveryName(id);
  const task = taskLabel(dotted);
  // One per instance, because SRV records of several instances name each with its own port, and its host's with its own.
  const [own, ownHost] = [FRAMEWORK, AGENTS].map((zone) => `${taskLabel(podName)}.${zone}`) as [string, string];
  const names = [...new Set([task, dotted])];
  return [
    ...(address === undefined ? [] : names.map((name) => at(`${name}.${FRAMEWORK}`, address))),
    ...names.map((name) => at(`${name}.${AGENTS}`, hostIP)),
    ...(address === undefined ? [] : [at(own, address)]),
    ...(ports.some(({ hostPort }) => hostPort !== undefined) ? [at(ownHost, hostIP)] : []),
    ...ports.flatMap(({ name: half, protocol, port, hostPort }): readonly NameRecord[] => {
      const name = withoutProtocol(half, ports);
      const services = names.map((each) => `_${each}._${protocol}`);
      const given = name === "" || MADE_UP_NAME.test(name) ? [] : [`_${taskLabel(name)}._${task}._${protocol}`];
      return [
        ...[...services, ...given].map((each): NameRecord => srv(`${each}.${FRAMEWORK}`, own, port)),
        ...(hostPort === undefined ? [] : services.map((each) => srv(`${each}.${AGENTS}`, ownHost, hostPort))),
      ];
    }),
  ];
}

/** A port for both protocols has one name (translate.ts calls its half of UDP `NAME-udp`). */
function withoutProtocol(name: string, ports: readonly Pick<AppPort, "name" | "protocol">[]): string {
  const [, both] = /^(.+)-udp$/.exec(name) ?? [];
  return both !== undefined && ports.some((port) => port.name === both && port.protocol === "tcp") ? both : name;
}

function at(name: string, address: string): NameRecord {
  return { type: "A", name, address };
}

function srv(name: string, target: string, port: number): NameRecord {
  return { type: "SRV", name, target, port };
}

/** Mesos-DNS' RFC 1123 labels (records/labels): dots are dashes, what no label has is left out, and neither end is a dash. */
export function taskLabel(text: string): string {
  const safe = text
    .toLowerCase()
    .replaceAll(/[._]/g, "-")
    .replaceAll(/[^a-z0-9-]/g, "");
  return safe.replace(/^-+/, "").slice(0, LONGEST_LABEL).replace(/-+$/, "");
}
