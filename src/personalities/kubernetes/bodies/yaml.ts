import { parseDocument, type Tags } from "yaml";
import { ApiError } from "../../../model/errors.ts";

/** Tags that Kubernetes' YAML 1.1 reader does not know either: there a time is text, and `1:30` is not 90. */
const NOT_IN_KUBERNETES: ReadonlySet<string> = new Set([
  "tag:yaml.org,2002:timestamp",
  "tag:yaml.org,2002:binary",
  "tag:yaml.org,2002:omap",
  "tag:yaml.org,2002:pairs",
  "tag:yaml.org,2002:set",
]);

/** One YAML 1.1 document (`on` is true, `0644` is octal) as a JSON value. Refuses several documents, and keys given twice, naming the line. */
export function parseYaml(text: string): unknown {
  const document = parseDocument(text, {
    version: "1.1",
    merge: true,
    customTags: (tags: Tags): Tags =>
      tags.filter((tag) => typeof tag === "string" || !(NOT_IN_KUBERNETES.has(tag.tag) || isSexagesimal(tag))),
    prettyErrors: true,
  });
  const [error] = document.errors;
  if (error) throw new ApiError("BadRequest", `error converting YAML to JSON: yaml: ${firstLine(error.message)}`);
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    if (cause instanceof ReferenceError || cause instanceof RangeError) {
      throw new ApiError("BadRequest", `error converting YAML to JSON: yaml: ${cause.message}`);
    }
    throw cause;
  }
}

function isSexagesimal(tag: { readonly format?: string }): boolean {
  return tag.format === "TIME";
}

function firstLine(message: string): string {
  return message.split("\n", 1)[0]?.replace(/:$/, "") ?? message;
}
