/** UDP ports at which hosts hear each other's packets: a container that had one of them published would get what comes to the host. */
const TUNNELS: ReadonlyMap<number, string> = new Map([
  [8472, "VXLAN"],
  [51_820, "WireGuard"],
]);

/** Why nothing may be published there, in words; undefined where it may. */
export function tunnelPortProblem(hostPort: number, protocol: string): string | undefined {
  const what = protocol.toLowerCase().includes("udp") ? TUNNELS.get(hostPort) : undefined;
  return what && `${hostPort}/udp is the hosts' own (${what}): choose another`;
}
