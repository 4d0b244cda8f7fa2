import { ApiError } from "../../model/errors.ts";
import type { NetworkAnswer } from "../../model/network-questions.ts";
import type { NodeAccess } from "../../model/streams.ts";

type Where = { readonly nodeName: string; readonly uid: string };

/** The way to a pod: this process' own agent for its own node, the links of the others for theirs. */
export class PlaneAccess implements NodeAccess {
  readonly #way: (nodeName: string) => NodeAccess;

  constructor(way: (nodeName: string) => NodeAccess) {
    this.#way = way;
  }

  logs(...[pod, options]: Parameters<NodeAccess["logs"]>): ReturnType<NodeAccess["logs"]> {
    return this.#way(pod.nodeName).logs(pod, options);
  }

  async exec(...[pod, request]: Parameters<NodeAccess["exec"]>): ReturnType<NodeAccess["exec"]> {
    return this.#way(pod.nodeName).exec(pod, request);
  }

  async forward(pod: Where, port: number): ReturnType<NonNullable<NodeAccess["forward"]>> {
    const way = this.#way(pod.nodeName);
    if (way.forward) return way.forward(pod, port);
    throw new ApiError("Unavailable", `node "${pod.nodeName}" cannot forward ports`);
  }

  async usage(pod: Where): ReturnType<NodeAccess["usage"]> {
    return this.#way(pod.nodeName).usage(pod);
  }

  async network(...[nodeName, question]: Parameters<NonNullable<NodeAccess["network"]>>): Promise<NetworkAnswer> {
    const way = this.#way(nodeName);
    if (way.network) return way.network(nodeName, question);
    throw new ApiError("Unavailable", `node "${nodeName}" has no part in the network of the cluster`);
  }
}
