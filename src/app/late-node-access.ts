import { ApiError } from "../model/errors.ts";
import type { NetworkAnswer } from "../model/network-questions.ts";
import type { ByteStream, NodeAccess } from "../model/streams.ts";

/** The way to pods before there is an agent: the routes are mounted first, the agent comes after. */
export class LateNodeAccess implements NodeAccess {
  #access: NodeAccess | undefined;

  set(access: NodeAccess): void {
    this.#access = access;
  }

  logs(...args: Parameters<NodeAccess["logs"]>): ReturnType<NodeAccess["logs"]> {
    return this.#present.logs(...args);
  }

  exec(...args: Parameters<NodeAccess["exec"]>): ReturnType<NodeAccess["exec"]> {
    return this.#present.exec(...args);
  }

  async forward(...args: Parameters<NonNullable<NodeAccess["forward"]>>): Promise<ByteStream> {
    const present = this.#present;
    if (present.forward) return present.forward(...args);
    throw new ApiError("Unavailable", "connections cannot be forwarded here");
  }

  usage(...args: Parameters<NodeAccess["usage"]>): ReturnType<NodeAccess["usage"]> {
    return this.#present.usage(...args);
  }

  async network(...args: Parameters<NonNullable<NodeAccess["network"]>>): Promise<NetworkAnswer> {
    const present = this.#present;
    if (present.network) return present.network(...args);
    throw new ApiError("Unavailable", "this node has no part in the network of the cluster");
  }

  get #present(): NodeAccess {
    if (!this.#access)
      throw new ApiError("Unavailable", "the agent is still starting; try again in a moment", { retryAfterSeconds: 1 });
    return this.#access;
  }
}
