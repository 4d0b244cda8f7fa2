import { depthOf } from "../../lib/nesting.ts";
import { surveyYaml } from "../../lib/yaml-survey.ts";
import { InputError, type InputFile } from "./item.ts";

/** Reading YAML takes a hundred times its size in memory. */
const LARGEST_YAML = 32 * 1024 * 1024;
/** Servers take no more; Kubernetes' own objects nest about 20 deep. */
const DEEPEST = 200;

export interface ParsedDocument {
  readonly value: unknown;
  /** Where it begins, in a YAML file. */
  readonly line?: number;
}

/** JSON, or the documents of a YAML file without the empty ones. Throws InputError with line and column. */
export async function parseDocuments(file: InputFile): Promise<readonly ParsedDocument[]> {
  const isYaml = /\.ya?ml$/i.test(file.baseName ?? "");
  const looksLikeJson = /^\s*[{[]/.test(file.text);
  if (!isYaml && (looksLikeJson || /\.json$/i.test(file.baseName ?? ""))) {
    const value = parseJson(file);
    refuseDeep(value, { file: file.shown });
    return [{ value }];
  }
  return parseYaml(file);
}

function parseJson({ shown, text }: InputFile): unknown {
  // RFC 8259, 8.1: a byte order mark may be ignored.
  const body = text.startsWith("\ufeff") ? text.slice(1) : text;
  try {
    return JSON.parse(body);
  } catch (error) {
    const { message } = error as SyntaxError;
    const at = Number(/at position (\d+)/.exec(message)?.[1] ?? body.trimEnd().length);
    const before = body.slice(0, at).split("\n");
    const isCut = /end of JSON input|Unterminated/.test(message) || at >= body.trimEnd().length;
    const words = message
      .replace(/ in JSON at position.*$/, "")
      .replace(/^Unexpected end of JSON input$/, "it ends too early");
    const place = { file: shown, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
    throw new InputError(
      place,
      `not JSON: ${words.replace(/, (\.\.\.)?"[\s\S]*$/, "")}${isCut ? " (is the file cut off?)" : ""}`,
    );
  }
}

async function parseYaml({ shown, text }: InputFile): Promise<readonly ParsedDocument[]> {
  if (text.length > LARGEST_YAML) throw new InputError({ file: shown }, "it is larger than 32 MiB, too large for YAML");
  const { LineCounter, parseAllDocuments } = await import("yaml");
  const lineCounter = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter, prettyErrors: true, uniqueKeys: false });
  if (!Array.isArray(documents)) return [];
  const found: ParsedDocument[] = [];
  for (const document of documents) {
    const [error] = document.errors;
    if (error) {
      const at = error.linePos?.[0];
      const place = { file: shown, ...(at ? { line: at.line, column: at.col } : {}) };
      throw new InputError(place, `not YAML: ${error.message.split(/ at line \d+|\n/)[0]}`);
    }
    const { repeatedKeyAt } = surveyYaml(document);
    if (repeatedKeyAt !== undefined) {
      const { line, col } = lineCounter.linePos(repeatedKeyAt);
      throw new InputError({ file: shown, line, column: col }, "not YAML: Map keys must be unique");
    }
    const { line } = lineCounter.linePos(document.contents?.range?.[0] ?? document.range?.[0] ?? 0);
    const value = toValue(document, { file: shown, line });
    refuseDeep(value, { file: shown, line });
    if (value !== null && value !== undefined) found.push({ value, line });
  }
  return found;
}

/** Aliases are bounded: a small file must not become a huge object. */
function toValue(
  document: { toJS(options: { maxAliasCount: number }): unknown },
  place: { file: string; line: number },
) {
  try {
    return document.toJS({ maxAliasCount: 1000 }) as unknown;
  } catch (error) {
    throw new InputError(place, `not YAML that can be used: ${(error as Error).message}`);
  }
}

function refuseDeep(value: unknown, place: { readonly file: string; readonly line?: number }): void {
  const depth = depthOf(value);
  if (depth === Number.POSITIVE_INFINITY) throw new InputError(place, "a value in it contains itself");
  if (depth > DEEPEST) throw new InputError(place, `it nests deeper than ${DEEPEST} levels`);
}
