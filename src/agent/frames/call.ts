import type { Goodbye } from "../../model/heartbeat.ts";
import type { Draft } from "../../model/meta.ts";
import type { Node } from "../../model/node.ts";
import type { NodeEvent, PodReport } from "../control.ts";

/** What an agent asks of the dispatcher and waits for the answer to. */
export type Call =
  | { readonly method: "register"; readonly node: Draft<Node> }
  | { readonly method: "report"; readonly reports: readonly PodReport[]; readonly events: readonly NodeEvent[] }
  | {
      readonly method: "values";
      readonly kind: "Secret" | "ConfigMap";
      readonly namespace: string;
      readonly name: string;
    }
  | { readonly method: "goodbye"; readonly goodbye: Goodbye }
  /** Opens the stream of this number: everything bound to the node, then what changes. */
  | { readonly method: "watch"; readonly stream: number; readonly node: string }
  /** … and this one what all nodes are told of the network. */
  | ({ readonly method: "network"; readonly stream: number } & NetworkWish);

/** What a server of an earlier version does not look at, and answers as if it were not said. */
export interface NetworkWish {
  /** How frames may be packed beside plain text: "zstd". */
  readonly reads?: string;
  /** Digests of what the agent has already (model/network-shelves.ts): what is the same is not sent again. */
  readonly has?: string;
}
