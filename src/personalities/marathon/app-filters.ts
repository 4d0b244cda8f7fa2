/** The filters of GET /v2/apps: cmd and id are parts of the text in any case, label is a selector. */
import { ApiError } from "../../model/errors.ts";
import type { AppDefinition } from "./app-definition.ts";

export interface AppFilters {
  readonly cmd: string | undefined;
  readonly id: string | undefined;
  readonly labels: readonly LabelTest[];
}

type LabelTest = (labels: Readonly<Record<string, string>>) => boolean;

/** Throws Invalid for a selector that cannot be read. */
export function parseFilters(query: URLSearchParams): AppFilters {
  const label = query.get("label");
  return {
    cmd: query.get("cmd")?.toLowerCase() || undefined,
    id: query.get("id")?.toLowerCase() || undefined,
    labels: label === null || label.trim() === "" ? [] : parseLabelSelector(label),
  };
}

export function matchesFilters(app: AppDefinition, { cmd, id, labels }: AppFilters): boolean {
  if (cmd !== undefined && !app.cmd?.toLowerCase().includes(cmd)) return false;
  if (id !== undefined && !app.id.toLowerCase().includes(id)) return false;
  return labels.every((test) => test(app.labels));
}

/** `k`, `k==v`, `k!=v`, `k in (a,b)`, `k notin (a,b)`, joined by commas; `\` takes the next character as it is. */
export function parseLabelSelector(text: string): readonly LabelTest[] {
  const reader = new SelectorReader(text);
  const tests = [readTest(reader)];
  while (reader.take(",")) tests.push(readTest(reader));
  if (!reader.isAtEnd) throw reader.refusal();
  return tests;
}

function readTest(reader: SelectorReader): LabelTest {
  const key = reader.word();
  if (reader.take("==")) return equals(key, reader.word());
  if (reader.take("!=")) return not(equals(key, reader.word()));
  if (reader.takeWord("in")) return isOneOf(key, reader.set());
  if (reader.takeWord("notin")) return not(isOneOf(key, reader.set()));
  return (labels) => Object.hasOwn(labels, key);
}

function equals(key: string, value: string): LabelTest {
  return (labels) => Object.hasOwn(labels, key) && labels[key] === value;
}

function isOneOf(key: string, values: readonly string[]): LabelTest {
  return (labels) => Object.hasOwn(labels, key) && values.includes(labels[key] ?? "");
}

function not(test: LabelTest): LabelTest {
  return (labels) => !test(labels);
}

class SelectorReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    this.#skipSpace();
    return this.#at >= this.#text.length;
  }

  take(token: string): boolean {
    this.#skipSpace();
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  /** A keyword, which ends where a word would. */
  takeWord(keyword: string): boolean {
    this.#skipSpace();
    const next = this.#text[this.#at + keyword.length] ?? " ";
    return /[\s(]/.test(next) && this.take(keyword);
  }

  word(): string {
    this.#skipSpace();
    let word = "";
    for (; this.#at < this.#text.length; this.#at++) {
      const character = this.#text[this.#at] ?? "";
      if (character === "\\") word += this.#text[++this.#at] ?? "";
      else if (/[\s,()=!]/.test(character)) break;
      else word += character;
    }
    if (word === "") throw this.refusal();
    return word;
  }

  set(): readonly string[] {
    if (!this.take("(")) throw this.refusal();
    const values = [this.word()];
    while (this.take(",")) values.push(this.word());
    if (!this.take(")")) throw this.refusal();
    return values;
  }

  refusal(): ApiError {
    return new ApiError("Invalid", `The label selector '${this.#text}' cannot be read at character ${this.#at + 1}`);
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text[this.#at] ?? "")) this.#at++;
  }
}
