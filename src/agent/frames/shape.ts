/** What frames are made of, checked as it arrives. */
import { MOST_FRAME_CHARS } from "./limits.ts";

/** What arrived is none of our frames. */
export class FrameError extends Error {
  override readonly name = "FrameError";
}

/** Throws FrameError when the text is too long or no JSON array. */
export function parseArray(text: string): readonly unknown[] {
  if (text.length > MOST_FRAME_CHARS) throw new FrameError(`a frame of ${text.length} characters`);
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
