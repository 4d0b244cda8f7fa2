/** What JSON.parse does not tell: keys given twice (it keeps the last), and how deep a text goes before anybody recurses into it. */

export interface JsonScan {
  /** Paths of keys given more than once, as Kubernetes writes them: `spec.containers[0].image`. */
  readonly duplicates: readonly string[];
  readonly depth: number;
}

interface Frame {
  /** Keys seen so far; undefined in an array. */
  readonly keys: Set<string> | undefined;
  at: string | number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

/** One pass over text that JSON.parse has accepted, or will have to. */
export function scanJson(text: string): JsonScan {
  const frames: Frame[] = [];
  const duplicates: string[] = [];
  let depth = 0;
  let expectsKey = false;

  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      const end = endOfString(text, i);
      const frame = frames.at(-1);
      if (expectsKey && frame?.keys) {
        const key = keyAt(text, i, end);
        frame.at = key;
        if (frame.keys.has(key)) duplicates.push(pathOf(frames));
        else frame.keys.add(key);
        expectsKey = false;
      }
      i = end;
    } else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      const isObject = code === OPEN_OBJECT;
      frames.push({ keys: isObject ? new Set() : undefined, at: isObject ? "" : 0 });
      depth = Math.max(depth, frames.length);
      expectsKey = isObject;
    } else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
      frames.pop();
      expectsKey = false;
    } else if (code === COMMA) {
      const frame = frames.at(-1);
      if (typeof frame?.at === "number") frame.at++;
      expectsKey = frame?.keys !== undefined;
    }
  }
  return { duplicates, depth };
}

/** Index of the closing quote, or of the end of a text that has none. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === BACKSLASH) i++;
    else if (code === QUOTE) return i;
  }
  return text.length;
}

function keyAt(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end);
  if (!raw.includes("\\")) return raw;
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch (error) {
    // A broken escape: JSON.parse of the whole text words that.
    if (error instanceof SyntaxError) return raw;
    throw error;
  }
}

function pathOf(frames: readonly Frame[]): string {
  let path = "";
  for (const { at } of frames) {
    if (typeof at === "number") path += `[${at}]`;
    else path += path === "" ? at : `.${at}`;
  }
  return path;
}
