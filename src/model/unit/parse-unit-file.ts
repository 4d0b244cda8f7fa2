/**
 * Unit files as fleet reads them (go-systemd unit/deserialize.go as vendored by fleet 1.0.0), so that the hash and every
 * refusal are the same. What the values mean is systemd's business: read-service.ts.
 */
import type { UnitOption } from "../pod.ts";
import { goTrim, isGoSpace } from "./go-space.ts";
import { UnitReader } from "./unit-reader.ts";

export interface UnitFile {
  readonly options: readonly UnitOption[];
  /** The line (from 1) on which each option's name stands. */
  readonly lines: readonly number[];
}

/** A text that is no unit file. `message` is fleet's, to the byte; `line` is where reading stopped. */
export class UnitFileError extends Error {
  override readonly name = "UnitFileError";
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

/** systemd once cut lines there without a word, so fleet refuses them. Bytes without a newline. */
const LINE_MAX_BYTES = 2048;

type Step = (() => Step) | undefined;

/** Throws UnitFileError. Text before the first section is ignored; sections and keys are not judged here. */
export function parseUnitFile(text: string): UnitFile {
  const lexer = new Lexer(text);
  lexer.run();
  return { options: lexer.options, lines: lexer.lines };
}

class Lexer {
  readonly options: UnitOption[] = [];
  readonly lines: number[] = [];
  readonly #input: UnitReader;

  constructor(text: string) {
    this.#input = new UnitReader(Buffer.from(text, "utf8"));
  }

  run(): void {
    let next: Step = () => this.#nextSection();
    while (next) {
      // Between steps only, and only over what fleet's 4096-byte buffer holds then: its exact reach is part of the behaviour.
      if (this.#input.lacksNewline(LINE_MAX_BYTES)) throw this.#error(`line too long (max ${LINE_MAX_BYTES} bytes)`);
      next = next();
    }
  }

  #nextSection(): Step {
    const character = this.#input.readRune();
    if (character === undefined) return undefined;
    if (character === "[") return () => this.#sectionName();
    if (isComment(character)) return () => this.#skipComment(() => this.#nextSection());
    return () => this.#nextSection();
  }

  #sectionName(): Step {
    const { line } = this.#input;
    const { text, ended } = this.#input.readUntil("]");
    // Looked for to the end of the file: people need the line where it began.
    if (ended) throw new UnitFileError("unable to find end of section", line);
    return () => this.#sectionEnd(text.slice(0, -1));
  }

  #sectionEnd(section: string): Step {
    const { line } = this.#input;
    const garbage = goTrim(this.#line().text);
    // The field fleet prints here is never set, and `%v` of bytes prints their numbers.
    if (garbage !== "")
      throw new UnitFileError(`found garbage after section name : [${Buffer.from(garbage).join(" ")}]`, line);
    return () => this.#nextOption(section);
  }

  #nextOption(section: string): Step {
    const character = this.#input.readRune();
    if (character === undefined) return undefined;
    if (isGoSpace(character)) return () => this.#nextOption(section);
    if (character === "[") return () => this.#sectionName();
    if (isComment(character)) return () => this.#skipComment(() => this.#nextOption(section));
    this.#input.unreadRune();
    return () => this.#optionName(section);
  }

  #optionName(section: string): Step {
    const line = this.#input.line;
    let name = "";
    for (;;) {
      const character = this.#input.readRune();
      if (character === undefined) throw this.#error("EOF");
      if (character === "\n" || character === "\r")
        throw new UnitFileError("unexpected newline encountered while parsing option name", line);
      if (character === "=") break;
      name += character;
    }
    return () => this.#optionValue({ section, name: goTrim(name), line }, "");
  }

  #optionValue(option: { section: string; name: string; line: number }, before: string): Step {
    const { text, ended } = this.#line();
    if (goTrim(text) !== "" && text.endsWith("\\"))
      return () => this.#optionValue(option, `${before}${text}${ended ? "" : "\n"}`);
    const value = goTrim(text) === "" ? before : before + text;
    this.options.push({
      section: option.section,
      name: option.name,
      value: value.endsWith("\n") ? `${goTrim(value)}\n` : goTrim(value),
    });
    this.lines.push(option.line);
    return () => this.#nextOption(option.section);
  }

  #skipComment(next: () => Step): Step {
    while (this.#line().text.replace(/ $/, "").endsWith("\\"));
    return next;
  }

  /** Up to and without the newline. A carriage return before it stays: trimmed from values, but it hides a continuation. */
  #line(): { text: string; ended: boolean } {
    const { text, ended } = this.#input.readUntil("\n");
    return { text: text.endsWith("\n") ? text.slice(0, -1) : text.endsWith("\r") ? text.slice(0, -1) : text, ended };
  }

  #error(message: string): UnitFileError {
    return new UnitFileError(message, this.#input.line);
  }
}

function isComment(character: string): boolean {
  return character === "#" || character === ";";
}
