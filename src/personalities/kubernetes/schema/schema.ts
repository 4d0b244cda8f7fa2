/**
 * What Kubernetes' objects look like: one table that decides which fields are known, of what type they are, and how a
 * strategic merge patch treats a list. Written as `field:type` words:
 *
 *   s string · b bool · i int32 · l int64 · f number · B base64 bytes · Q quantity · I number or string · T time ·
 *   any · Name (another message) · X[] list · {X} map from strings
 *   X[]@key   list merged by that key · @key+ the same, with $retainKeys · @- list of primitives merged as a set
 */
import { extensionMessages } from "./extension-messages.ts";
import { metaMessages } from "./meta-messages.ts";
import { networkMessages } from "./network-messages.ts";
import { nodeMessages } from "./node-messages.ts";
import { podMessages } from "./pod-messages.ts";
import { podStatusMessages } from "./pod-status-messages.ts";
import { volumeMessages } from "./volume-messages.ts";
import { workloadMessages } from "./workload-messages.ts";

export type Scalar = "s" | "b" | "i" | "l" | "f" | "B" | "Q" | "I" | "T" | "any";

export type FieldType =
  | { readonly is: "scalar"; readonly scalar: Scalar }
  | { readonly is: "message"; readonly message: string }
  | { readonly is: "list"; readonly of: FieldType; readonly merge: ListMerge }
  | { readonly is: "map"; readonly of: FieldType };

/** How a strategic merge patch treats a list: replaced whole, merged by a key of its items, or merged as a set. */
export type ListMerge =
  | { readonly by: "atomic" }
  | { readonly by: "key"; readonly key: string }
  | { readonly by: "set" };

export type Message = ReadonlyMap<string, FieldType>;

const SCALARS: ReadonlySet<string> = new Set(["s", "b", "i", "l", "f", "B", "Q", "I", "T", "any"]);

const MESSAGES: ReadonlyMap<string, Message> = new Map(
  [
    metaMessages,
    podMessages,
    podStatusMessages,
    volumeMessages,
    nodeMessages,
    workloadMessages,
    networkMessages,
    extensionMessages,
  ].flatMap((group) => Object.entries(group).map(([name, text]) => [name, parseMessage(text)] as const)),
);

/** The fields of a message. Asking for one that does not exist is a bug. */
export function messageOf(name: string): Message {
  const message = MESSAGES.get(name);
  if (!message) throw new Error(`the schema has no message ${name}`);
  return message;
}

/** Every message's name, for the test that the table is closed. */
export function messageNames(): readonly string[] {
  return [...MESSAGES.keys()];
}

function parseMessage(text: string): Message {
  const words = text.trim().split(/\s+/);
  return new Map(
    words.map((word) => {
      const colon = word.indexOf(":");
      return [word.slice(0, colon), parseType(word.slice(colon + 1))] as const;
    }),
  );
}

function parseType(text: string): FieldType {
  const [type = "", merge] = text.split("@");
  if (type.endsWith("[]")) return { is: "list", of: parseType(type.slice(0, -2)), merge: parseMerge(merge) };
  if (type.startsWith("{")) return { is: "map", of: parseType(type.slice(1, -1)) };
  return SCALARS.has(type) ? { is: "scalar", scalar: type as Scalar } : { is: "message", message: type };
}

function parseMerge(text: string | undefined): ListMerge {
  if (text === undefined) return { by: "atomic" };
  return text === "-" ? { by: "set" } : { by: "key", key: text.replace("+", "") };
}
