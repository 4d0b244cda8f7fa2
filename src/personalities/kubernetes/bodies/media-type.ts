import { ApiError } from "../../../model/errors.ts";

export type BodyFormat = "json" | "yaml";

const FORMATS: Readonly<Record<string, BodyFormat>> = {
  "": "json",
  "application/json": "json",
  "text/json": "json",
  "application/yaml": "yaml",
  "application/x-yaml": "yaml",
  "text/yaml": "yaml",
  "text/x-yaml": "yaml",
};

/** A media type without its parameters, in lower case. */
export function mediaTypeOf(header: string | null): string {
  return (header ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}

/** How a body is written; 415 when we cannot read it. */
export function bodyFormat(contentType: string | null): BodyFormat {
  const format = FORMATS[mediaTypeOf(contentType)];
  if (format) return format;
  throw new ApiError(
    "UnsupportedMediaType",
    "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml",
  );
}

/**
 * How the answer is to be written: the first clause of Accept that we can serve. Clauses that ask for a conversion
 * (`as=Table`) are passed over, as by any server that does not offer it. 406 when nothing is left.
 */
export function answerFormat(accept: string | null): BodyFormat {
  if (!accept) return "json";
  for (const clause of accept.split(",")) {
    const type = mediaTypeOf(clause);
    if (/;\s*as=/i.test(clause)) continue;
    if (type === "*/*" || type === "application/*" || type === "application/json") return "json";
    if (type === "application/yaml") return "yaml";
  }
  throw new ApiError(
    "NotAcceptable",
    "only the following media types are accepted: application/json, application/yaml",
  );
}
