/** What the dispatcher says to an agent: JSON arrays that begin with one letter. */
import { unpackText } from "../../lib/packed-text.ts";
import type { ClusterNews } from "../../model/cluster-news.ts";
import type { RefusalReason } from "../../model/errors.ts";
import type { HeartbeatAnswer } from "../../model/heartbeat.ts";
import type { NetworkEntry, NetworkEntryKind } from "../../model/network.ts";
import { shelvesOf, shelvesText } from "../../model/network-shelves.ts";
import type { Pod } from "../../model/pod.ts";
import { MOST_FRAME_CHARS } from "./limits.ts";
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

/** Part of everything with more of it to come, the last part, the last part of what an agent does not have already, what changed, or how far all nodes have come. */
export type NetworkPartWord = "more" | "all" | "kept" | "changed" | "settled";

export interface NetworkFrame {
  readonly type: "network";
  readonly stream: number;
  readonly sequence: number;
  readonly part: NetworkPartWord;
  readonly revision: number;
  readonly entries: readonly NetworkEntry[];
  readonly removed: readonly { readonly kind: NetworkEntryKind; readonly id: string }[];
  /** With "kept": shelves (model/network-shelves.ts) that are as the agent said. */
  readonly kept?: ReadonlySet<number>;
  /** Characters of the frame, when it was unpacked. */
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

export interface NetworkHead {
  readonly stream: number;
  readonly sequence: number;
  readonly part: NetworkPartWord;
  readonly revision: number;
  readonly kept?: ReadonlySet<number>;
}

/** `body`: networkBody's. */
export function networkFrame({ stream, sequence, part, revision, kept }: NetworkHead, body: string): string {
  const told = kept === undefined ? "" : `,[],"${shelvesText(kept)}"`;
  return `["e",${stream},${sequence},"${part}",${revision},${body}${told}]`;
}

/** To agents that have said that they read it. `packed`: a networkBody (lib/packed-text.ts). */
export function packedFrame({ stream, sequence, part, revision, kept }: NetworkHead, packed: string): string {
  const told = kept === undefined ? "" : `,"${shelvesText(kept)}"`;
  return `["z",${stream},${sequence},"${part}",${revision},"${packed}"${told}]`;
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
  const [letter, second, third, fourth, fifth, sixth, seventh, eighth] = parseArray(text);
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
    case "e": {
      const head = networkHead([second, third, fourth, fifth], eighth);
      return { ...head, ...bodyOf([sixth, seventh]), size: text.length };
    }
    case "z": {
      const body = unpacked(word(sixth));
      const head = networkHead([second, third, fourth, fifth], seventh);
      return { ...head, ...bodyOf(parseArray(`[${body}]`)), size: body.length };
    }
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

function networkHead([stream, sequence, part, revision]: readonly unknown[], kept: unknown) {
  const shelves = kept === undefined ? undefined : shelvesOf(word(kept));
  if ((word(part) === "kept") !== (shelves !== undefined)) throw new FrameError("shelves that are no shelves of ours");
  return {
    ...({ type: "network", stream: count(stream), sequence: count(sequence) } as const),
    ...{ part: part as NetworkPartWord, revision: count(revision) },
    ...(shelves === undefined ? {} : { kept: shelves }),
  };
}

function bodyOf([entries, removed]: readonly unknown[]): Pick<NetworkFrame, "entries" | "removed"> {
  return {
    entries: list(entries) as readonly NetworkEntry[],
    removed: (removed === undefined ? [] : list(removed)) as NetworkFrame["removed"],
  };
}

/** Whatever it says of itself, no more comes out of it than a frame may have. */
function unpacked(packed: string): string {
  try {
    return unpackText(packed, MOST_FRAME_CHARS);
  } catch (error) {
    throw new FrameError(`a frame that cannot be unpacked: ${error instanceof Error ? error.message : error}`);
  }
}

/** Written to disk by the agent, and believed: whole or not at all. */
function newsOf(value: unknown): ClusterNews {
  const { clusterId, servers, caPem, signingCa } = record(value);
  const all = list(servers).map(word);
  if (all.length === 0) throw new FrameError("news of a cluster without servers");
  return { clusterId: word(clusterId), servers: all, caPem: word(caPem), signingCa: word(signingCa) };
}
