/** What frames are made of, checked as it arrives. */
import { MOST_FRAME_CHARS, MOST_NAME_CHARS } from "./limits.ts";

/** What arrived is none of our frames. */
export class FrameError extends Error {
  override readonly name = "FrameError";
}

/** Throws FrameError when the text is too long or no JSON array. */
export function parseArray(text: string, mostChars = MOST_FRAME_CHARS): readonly unknown[] {
  if (text.length > mostChars) throw new FrameError(`a frame of ${text.length} characters`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FrameError(`a frame that is no JSON: ${error instanceof Error ? error.message : error}`);
  }
  if (!Array.isArray(value)) throw new FrameError("a frame that is no array");
  return value;
}

export function count(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
    throw new FrameError("a number is missing");
  return value;
}

export function word(value: unknown): string {
  if (typeof value !== "string") throw new FrameError("a text is missing");
  return value;
}

export function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new FrameError("a list is missing");
  return value;
}

export function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new FrameError("an object is missing");
  return value as Readonly<Record<string, unknown>>;
}

/** Throws FrameError unless the value is what it is to be. */
export type Check = (value: unknown) => void;

/** What names something: not so long that it would be a burden to remember. */
export function name(value: unknown): string {
  if (word(value).length > MOST_NAME_CHARS) throw new FrameError(`a name of more than ${MOST_NAME_CHARS} characters`);
  return value as string;
}

export function flag(value: unknown): void {
  if (typeof value !== "boolean") throw new FrameError("a yes or no is missing");
}

export function integer(value: unknown): void {
  if (!Number.isSafeInteger(value)) throw new FrameError("a whole number is missing");
}

export function moment(value: unknown): void {
  const text = word(value);
  if (text.length > 40 || Number.isNaN(Date.parse(text))) throw new FrameError("a time is missing");
}

/** An address or a host's name; it ends up in files and in what people read. */
export function place(value: unknown): void {
  if (!/^[\w.:%-]{0,253}$/.test(word(value))) throw new FrameError("an address is missing");
}

export function oneOf(words: readonly unknown[]): Check {
  return (value) => {
    if (!words.includes(value)) throw new FrameError(`none of ${words.join(", ")}`);
  };
}

export function optional(check: Check): Check {
  return (value) => {
    if (value !== undefined) check(value);
  };
}

/** An object with these fields; others may be there. */
export function shaped(fields: Readonly<Record<string, Check>>): Check {
  const checks = Object.entries(fields);
  return (value) => {
    const object = record(value);
    for (const [field, check] of checks) check(object[field]);
  };
}
