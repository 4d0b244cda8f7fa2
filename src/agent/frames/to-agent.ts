/** What the dispatcher says to an agent: JSON arrays that begin with one letter. */
import type { ClusterNews } from "../../model/cluster-news.ts";
import type { RefusalReason } from "../../model/errors.ts";
import type { HeartbeatAnswer } from "../../model/heartbeat.ts";
import type { NetworkEntry, NetworkEntryKind } from "../../model/network.ts";
import type { Pod } from "../../model/pod.ts";
import { count, FrameError, list, parseArray, record, word } from "./shape.ts";

/** Part of everything with more of it to come, the last part, the last part where what is not listed goes on, or what changed. */
export type PodsPart = "more" | "all" | "kept" | "changed";

export interface PodsFrame {
  readonly type: "pods";
  readonly stream: number;
  /** Counts up from 1 within the stream. */
  readonly sequence: number;
  readonly part: PodsPart;
  readonly pods: readonly Pod[];
  readonly removed: readonly { readonly key: string; readonly uid: string }[];
  /** Characters of the frame. */
  readonly size: number;
}

/** Part of everything with more of it to come, the last part, what changed, or how far all nodes have come. */
export type NetworkPartWord = "more" | "all" | "changed" | "settled";

export interface NetworkFrame {
  readonly type: "network";
  readonly stream: number;
  readonly sequence: number;
  readonly part: NetworkPartWord;
  readonly revision: number;
  readonly entries: readonly NetworkEntry[];
  readonly removed: readonly { readonly kind: NetworkEntryKind; readonly id: string }[];
  readonly size: number;
}

/** What an agent may ask for beside what every control plane has: asked of one that does not have it, it would be an offence. */
export type Offer = "network";

/** How far a stream of this link has got, and how far the dispatcher knows it to have arrived. */
export type Position = readonly [stream: number, sequence: number, acknowledged: number];

export type ToAgent =
  | { readonly type: "beat"; readonly id: number; readonly answer: HeartbeatAnswer }
  | { readonly type: "done"; readonly id: number; readonly result: unknown }
  | { readonly type: "refused"; readonly id: number; readonly reason: RefusalReason; readonly message: string }
  | PodsFrame
  | NetworkFrame
  | { readonly type: "sign"; readonly streams: readonly Position[]; readonly offers: readonly string[] }
  | { readonly type: "news"; readonly news: ClusterNews };

export function beatAnswerFrame(id: number, answer: HeartbeatAnswer): string {
  return `["b",${id},${JSON.stringify(answer)}]`;
}

export function doneFrame(id: number, result: unknown): string {
  return `["c",${id},${JSON.stringify(result ?? null)}]`;
}

export function refusedFrame(id: number, reason: RefusalReason, message: string): string {
  return `["f",${id},"${reason}",${JSON.stringify(message)}]`;
}

/** `pods`: the JSON of each. */
export function podsFrame(
  stream: number,
  sequence: number,
  part: PodsPart,
  pods: readonly string[],
  removed: readonly { readonly key: string; readonly uid: string }[] = [],
): string {
  const gone = removed.length === 0 ? "" : `,${JSON.stringify(removed)}`;
  return `["p",${stream},${sequence},"${part}",[${pods.join(",")}]${gone}]`;
}

/** `body`: networkBody's. */
export function networkFrame(
  stream: number,
  sequence: number,
  part: NetworkPartWord,
  revision: number,
  body: string,
): string {
  return `["e",${stream},${sequence},"${part}",${revision},${body}]`;
}

/** `entries`: their JSON, comma between them. The same for all who are told it. */
export function networkBody(
  entries: string,
  removed: readonly { readonly kind: NetworkEntryKind; readonly id: string }[] = [],
): string {
  return removed.length === 0 ? `[${entries}]` : `[${entries}],${JSON.stringify(removed)}`;
}

export function aliveFrame(streams: readonly Position[], offers: readonly Offer[] = []): string {
  const told = offers.length === 0 ? "" : `,${JSON.stringify(offers)}`;
  return streams.length === 0 && told === "" ? '["s"]' : `["s",${JSON.stringify(streams)}${told}]`;
}

export function newsFrame(news: ClusterNews): string {
  return `["n",${JSON.stringify(news)}]`;
}

/** Throws FrameError. Objects are the dispatcher's own and taken as they are. */
export function parseToAgent(text: string): ToAgent {
  const [letter, second, third, fourth, fifth, sixth, seventh] = parseArray(text);
  switch (letter) {
    case "b":
      return { type: "beat", id: count(second), answer: record(third) as unknown as HeartbeatAnswer };
    case "c":
      return { type: "done", id: count(second), result: third };
    case "f":
      return { type: "refused", id: count(second), reason: word(third) as RefusalReason, message: word(fourth) };
    case "p":
      return {
        type: "pods",
        stream: count(second),
        sequence: count(third),
        part: word(fourth) as PodsPart,
        pods: list(fifth) as readonly Pod[],
        removed: (sixth === undefined ? [] : list(sixth)) as PodsFrame["removed"],
        size: text.length,
      };
    case "e":
      return {
        type: "network",
        stream: count(second),
        sequence: count(third),
        part: word(fourth) as NetworkPartWord,
        revision: count(fifth),
        entries: list(sixth) as readonly NetworkEntry[],
        removed: (seventh === undefined ? [] : list(seventh)) as NetworkFrame["removed"],
        size: text.length,
      };
    case "s":
      return {
        type: "sign",
        streams: second === undefined ? [] : (list(second) as readonly unknown[] as readonly Position[]),
        offers: third === undefined ? [] : list(third).map(word),
      };
    case "n":
      return { type: "news", news: newsOf(second) };
    default:
      throw new FrameError("a frame of no known letter");
  }
}

/** Written to disk by the agent, and believed: whole or not at all. */
function newsOf(value: unknown): ClusterNews {
  const { clusterId, servers, caPem, signingCa } = record(value);
  const all = list(servers).map(word);
  if (all.length === 0) throw new FrameError("news of a cluster without servers");
  return { clusterId: word(clusterId), servers: all, caPem: word(caPem), signingCa: word(signingCa) };
}
