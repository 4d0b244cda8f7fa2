import { LineCounter, parseDocument, type Tags } from "yaml";
import { surveyYaml } from "../../../lib/yaml-survey.ts";
import { ApiError } from "../../../model/errors.ts";

/** Tags that Kubernetes' YAML 1.1 reader does not know either: there a time is text, and `1:30` is not 90. */
const NOT_IN_KUBERNETES: ReadonlySet<string> = new Set([
  "tag:yaml.org,2002:timestamp",
  "tag:yaml.org,2002:binary",
  "tag:yaml.org,2002:omap",
  "tag:yaml.org,2002:pairs",
  "tag:yaml.org,2002:set",
]);

/** Each of these makes a node at most; beyond, reading would hold everybody else up for seconds. Clients that write objects send JSON. */
const MOST_LINES_AND_ITEMS = 200_000;
const NEWLINE = 0x0a;
const COMMA = 0x2c;
const LARGEST_BYTES = 1024 * 1024;
/** The library looks for the anchor of each alias among all anchors. */
const MOST_ALIASES = 1000;

/** One YAML 1.1 document (`on` is true, `0644` is octal) as a JSON value. Refuses several documents, and keys given twice, naming the line. */
export function parseYaml(text: string): unknown {
  refuseHuge(text);
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    version: "1.1",
    merge: true,
    customTags: (tags: Tags): Tags =>
      tags.filter((tag) => typeof tag === "string" || !(NOT_IN_KUBERNETES.has(tag.tag) || isSexagesimal(tag))),
    prettyErrors: true,
    lineCounter,
    uniqueKeys: false,
  });
  const [error] = document.errors;
  if (error) throw unreadable(firstLine(error.message));
  const { repeatedKeyAt, aliases } = surveyYaml(document);
  if (repeatedKeyAt !== undefined) {
    const { line, col } = lineCounter.linePos(repeatedKeyAt);
    throw unreadable(`Map keys must be unique at line ${line}, column ${col}`);
  }
  if (aliases > MOST_ALIASES) throw unreadable(`more than ${MOST_ALIASES} aliases`);
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    if (cause instanceof ReferenceError || cause instanceof RangeError) {
      throw unreadable(cause.message);
    }
    throw cause;
  }
}

function refuseHuge(text: string): void {
  if (Buffer.byteLength(text) > LARGEST_BYTES) {
    throw new ApiError("TooLarge", `Request entity too large: limit of YAML is ${LARGEST_BYTES}`);
  }
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === NEWLINE || code === COMMA) count++;
  }
  if (count > MOST_LINES_AND_ITEMS) {
    throw new ApiError(
      "TooLarge",
      `Request entity too large: limit of lines and items in YAML is ${MOST_LINES_AND_ITEMS}`,
    );
  }
}

function unreadable(words: string): ApiError {
  return new ApiError("BadRequest", `error converting YAML to JSON: yaml: ${words}`);
}

function isSexagesimal(tag: { readonly format?: string }): boolean {
  return tag.format === "TIME";
}

function firstLine(message: string): string {
  return message.split("\n", 1)[0]?.replace(/:$/, "") ?? message;
}
