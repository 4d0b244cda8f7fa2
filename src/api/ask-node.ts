import type { NetworkAnswer, NetworkQuestion } from "../model/network-questions.ts";
import { nodes } from "../model/node.ts";
import { inTime } from "../seams/in-time.ts";
import type { StyrApiContext } from "./context.ts";
import { addressOf } from "./pod-urls.ts";
import { whyNotLetIn } from "./why-not-let-in.ts";

const PATIENCE_MS = 5_000;
/** Names from outside of the cluster are given up after 4 s by those who look them up. */
const TRACE_PATIENCE_MS = 9_000;

type AskContext = Pick<StyrApiContext, "nodeAccess" | "clock" | "store" | "untaken" | "isStranger">;

/** Asks a node of its network. A node that cannot be asked, or does not answer in time, is an Error with words for people. */
export async function askNode(
  context: AskContext,
  node: string,
  question: NetworkQuestion,
): Promise<NetworkAnswer | Error> {
  const { nodeAccess, clock } = context;
  if (!nodeAccess.network) return new Error("nodes cannot be asked of their network here");
  const patienceMs = question.ask === "status" ? PATIENCE_MS : TRACE_PATIENCE_MS;
  const late = () => new Error(`node ${node} did not answer within ${patienceMs / 1_000} s`);
  const asked = nodeAccess.network(node, question).catch((error: unknown) => asError(context, node, error));
  return await inTime(clock, patienceMs, asked, late);
}

/** What an agent says to a stream whose purpose it does not know, and one of before there were such. */
const UNKNOWN_TO_IT = /for nothing that is known|^an object is missing$/;
/** Said of what else could be asked of a node. */
const OF_OTHERS = / at present, so its logs, commands and ports cannot be reached$/;
/** Where nothing is known of a node that is not connected. */
export const IS_IT_ON = "is the host on?";

function asError(context: AskContext, name: string, error: unknown): Error {
  if (error instanceof Error && UNKNOWN_TO_IT.test(error.message))
    return new Error("its agent is of an older version, which cannot be asked of its network: upgrade styr on it");
  const words = error instanceof Error ? error.message : String(error);
  if (!OF_OTHERS.test(words)) return new Error(words);
  const node = context.isStranger && context.store.get(nodes, name);
  const why = whyNotLetIn(name, node && addressOf(node), context);
  return new Error(`${words.replace(OF_OTHERS, "")}: ${why ?? IS_IT_ON}`);
}
