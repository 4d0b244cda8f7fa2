import { bytes, cpuMillis } from "../../lib/quantity.ts";
import { type Node, nodes } from "../../model/node.ts";
import { type Pod, pods } from "../../model/pod.ts";
import type { HostPort } from "../../scheduling/demand.ts";
import { Demands } from "../../scheduling/demands.ts";
import type { Store } from "../../store/store.ts";
import type { Change } from "../../store/transaction.ts";
import { type Checker, SimFailure } from "../contract.ts";
import { isBinding, nodeHeldBy, podChanges, podWords } from "./pod-book.ts";

interface Held {
  readonly nodeName: string;
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly ports: readonly HostPort[];
}

/** Sums of its own, not the scheduler's. */
export class NoOversold implements Checker {
  readonly rule = "no-oversold";
  readonly words =
    "No node is oversold: whenever the scheduler binds a pod, what all pods of the node ask for is there, ports included.";
  judgements = 0;
  readonly #demands = new Demands();
  readonly #held = new Map<string, Held>();
  readonly #byNode = new Map<string, Map<string, Held>>();
  readonly #nodes = new Map<string, Node>();

  started(store: Store): void {
    this.#held.clear();
    this.#byNode.clear();
    this.#nodes.clear();
    for (const node of store.list(nodes)) this.#nodes.set(node.metadata.name, node);
    for (const pod of store.list(pods)) this.#hold(pod.metadata.uid, pod);
  }

  committed(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind.name === nodes.name) this.#takeNode(change);
      for (const one of podChanges([change])) {
        this.#hold(change.object.metadata.uid, one.after);
        if (isBinding(one) && one.after) this.#judge(one.after);
      }
    }
  }

  #takeNode({ type, key, object }: Change): void {
    if (type === "removed") this.#nodes.delete(key);
    else this.#nodes.set(key, object as Node);
  }

  #hold(uid: string, pod: Pod | undefined): void {
    const before = this.#held.get(uid);
    const nodeName = nodeHeldBy(pod);
    // Nothing that a pod asks for can change once it has its node.
    if (before?.nodeName === nodeName) return;
    this.#held.delete(uid);
    if (before) this.#byNode.get(before.nodeName)?.delete(uid);
    if (!pod || nodeName === undefined) return;
    const { cpuMillis: cpu, memoryBytes, diskBytes, hostPorts } = this.#demands.of(pod);
    const held = { nodeName, cpuMillis: cpu, memoryBytes, diskBytes, ports: hostPorts };
    this.#held.set(uid, held);
    const there = this.#byNode.get(nodeName) ?? new Map<string, Held>();
    there.set(uid, held);
    this.#byNode.set(nodeName, there);
  }

  #judge(pod: Pod): void {
    const { uid } = pod.metadata;
    const own = this.#held.get(uid);
    const node = own && this.#nodes.get(own.nodeName);
    if (!own) return;
    if (!node) throw new SimFailure(this.rule, `${podWords(pod)} was bound to ${own.nodeName}, which does not exist`);
    this.judgements++;
    const there = this.#byNode.get(own.nodeName) ?? new Map<string, Held>();
    const { cpu, memory, pods: most, "ephemeral-storage": disk } = node.status.allocatable;
    const of = (sum: (held: Held) => number) => [...there.values()].reduce((total, held) => total + sum(held), 0);
    // One that asks for nothing is let in also where others, whom nobody could refuse, have taken too much.
    const check = (what: string, asked: number, used: number, has: number) => {
      if (asked > 0 && used > has)
        throw new SimFailure(this.rule, `${podWords(pod)} oversells ${own.nodeName}: ${what} ${used} of ${has}`);
    };
    check(
      "CPU (millis)",
      own.cpuMillis,
      of(({ cpuMillis: cpu }) => cpu),
      cpuMillis(cpu),
    );
    check(
      "memory",
      own.memoryBytes,
      of(({ memoryBytes }) => memoryBytes),
      bytes(memory),
    );
    if (disk !== undefined)
      check(
        "disk",
        own.diskBytes,
        of(({ diskBytes }) => diskBytes),
        bytes(disk),
      );
    if (most !== undefined) check("pods", 1, there.size, bytes(most));
    for (const [other, { ports }] of there) if (other !== uid) this.#judgePorts(pod, own.ports, other, ports);
  }

  #judgePorts(pod: Pod, own: readonly HostPort[], other: string, ports: readonly HostPort[]): void {
    for (const port of own) {
      const clash = ports.find(
        ({ port: number, protocol, hostIP }) =>
          number === port.port &&
          protocol === port.protocol &&
          (hostIP === undefined || port.hostIP === undefined || hostIP === port.hostIP),
      );
      if (clash) throw new SimFailure(this.rule, `${podWords(pod)} and pod ${other} both have host port ${port.port}`);
    }
  }
}
