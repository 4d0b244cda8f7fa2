/** Where HTTP comes in from outside, on this node and on others: no service is there, or its requests would come in again without an end. */
import { gatewayOf, parseSubnet } from "../../lib/subnet.ts";
import { DEFAULT_WAY_IN_PORTS, type NodeEntry } from "../../model/network.ts";
import type { NetworkState } from "../plane/network-state.ts";
import type { WayInPlaces } from "./render.ts";

type OwnPorts = Pick<WayInPlaces, "httpPort" | "httpsPort">;

export class WaysIn {
  /** Node → its places, as `address:port`. Ways in are few. */
  readonly #places = new Map<string, readonly string[]>();
  #nodes: ReadonlyMap<string, string> = new Map();

  /** Whether there are others than before. `touched`: absent, any node may have changed; the ports are this node's. */
  follow(state: NetworkState, touched: Iterable<string> | undefined, { httpPort, httpsPort }: OwnPorts): boolean {
    const own = [httpPort, httpsPort];
    let isOther = false;
    for (const id of touched ?? new Set([...state.tables.node.keys(), ...this.#places.keys()])) {
      const node = state.tables.node.get(id);
      const now = node?.isWayIn === true ? placesOf(node, id === state.nodeName ? own : undefined) : [];
      if (now.join() === (this.#places.get(id) ?? []).join()) continue;
      isOther = true;
      if (now.length > 0) this.#places.set(id, now);
      else this.#places.delete(id);
    }
    if (isOther) this.#nodes = new Map([...this.#places].flatMap(([id, places]) => places.map((place) => [place, id])));
    return isOther;
  }

  /** Why nothing is led there, in words; undefined where nothing is against it. */
  problemOf({ address, port }: { readonly address: string; readonly port: number }): string | undefined {
    const node = this.#nodes.get(`${address}:${port}`);
    return node === undefined ? undefined : `${address}:${port} is the way in of ${node} itself`;
  }
}

function placesOf({ address, podRange, wayInPorts }: NodeEntry, own: readonly number[] | undefined): readonly string[] {
  const gateway = podRange !== undefined && parseSubnet(podRange) ? [gatewayOf(podRange)] : [];
  const ports = own ?? wayInPorts ?? DEFAULT_WAY_IN_PORTS;
  return [address, ...gateway].flatMap((each) => ports.map((port) => `${each}:${port}`));
}
