import { OWNER_INDEX } from "../../model/meta.ts";
import { nodes } from "../../model/node.ts";
import { pods } from "../../model/pod.ts";
import type { Reader } from "../../store/transaction.ts";
import { appDeployments } from "./kinds.ts";
import type { RenderView } from "./render.ts";

/** What rendering reads, from the store or from within a transaction. */
export function viewOf(reader: Reader): RenderView {
  return {
    podsOf: (app) => reader.by(pods, OWNER_INDEX, app.metadata.uid),
    deploymentsOf: (appId) => reader.by(appDeployments, "app", appId).map(({ metadata }) => metadata.name),
    nodeLabels: (nodeName) => reader.get(nodes, nodeName)?.metadata.labels ?? {},
    nodeAddress: (nodeName) =>
      reader.get(nodes, nodeName)?.status.addresses.find(({ type }) => type === "InternalIP")?.address,
  };
}
