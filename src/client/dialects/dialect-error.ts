import { ClientError } from "../client-error.ts";
import type { Answer } from "../connection.ts";

/** What a dialect's error body says, in one text: fleet's, Marathon's, Kubernetes' Status or our own. */
function dialectMessage({ status, text }: Answer): string {
  const body = parseObject(text);
  const error = body?.error as { message?: unknown } | undefined;
  const message = body?.message ?? error?.message;
  if (status === 413) return typeof message === "string" && message !== "" ? message : "it is too large for the server";
  if (typeof message !== "string" || message === "")
    return text.trim().slice(0, 300) || `the server answered ${status}`;
  const details = marathonDetails(body?.details);
  return details.length > 0 ? `${message}: ${details.join("; ")}` : message;
}

/** Throws unless the answer is a success or one of `expected`. */
export function expectSuccess(answer: Answer, expected: readonly number[] = []): Answer {
  if (answer.status < 300 || expected.includes(answer.status)) return answer;
  const next = answer.status === 401 ? "--token TOKEN (or STYR_TOKEN)" : undefined;
  throw new ClientError(messageWithWarnings(answer), {
    status: answer.status,
    ...(next === undefined ? {} : { next }),
  });
}

/** A dialect's own words may hide the reason (fleet says "etcd" of any store); the Warning header then has it. */
function messageWithWarnings(answer: Answer): string {
  const message = dialectMessage(answer);
  const more = warningsOf(answer).filter((text) => !message.includes(text));
  return more.length === 0 ? message : `${more.join("; ")} (${message})`;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  if (!text.trimStart().startsWith("{")) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Shown as the text that it is.
    return undefined;
  }
}

/** Marathon: `"details": [{"path": "/cpus", "errors": ["…"]}]`. Kubernetes' details are an object and its message says all. */
function marathonDetails(details: unknown): readonly string[] {
  if (!Array.isArray(details)) return [];
  return details.map((detail: { path?: string; errors?: readonly string[] }) => {
    return `${detail.path ?? ""} ${(detail.errors ?? []).join(", ")}`.trim();
  });
}

/** Texts of `Warning: 299 - "…"` headers (RFC 7234, 5.5), which several servers send. */
export function warningsOf({ headers }: Answer): readonly string[] {
  const lines = headers.warning;
  const text = Array.isArray(lines) ? lines.join(", ") : (lines ?? "");
  return [...String(text).matchAll(/\b299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, words = ""]) =>
    words.replace(/\\(.)/g, "$1"),
  );
}
