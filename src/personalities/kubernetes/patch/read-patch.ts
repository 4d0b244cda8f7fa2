import { ApiError } from "../../../model/errors.ts";
import { mediaTypeOf } from "../bodies/media-type.ts";
import { parseBody, readText } from "../bodies/read-body.ts";
import { isObject, type JsonObject } from "../json.ts";
import { badRequest } from "../status.ts";
import { applyJsonPatch, parseJsonPatch } from "./json-patch.ts";
import { mergePatch } from "./merge-patch.ts";
import { strategicMerge } from "./strategic-merge.ts";

const ACCEPTED = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
] as const;

/** The patch in a request's body, as a function of what it is applied to. 415 for a kind of patch we do not have. */
export async function readPatch(request: Request, kind: string): Promise<(target: JsonObject) => JsonObject> {
  const type = mediaTypeOf(request.headers.get("content-type"));
  if (!(ACCEPTED as readonly string[]).includes(type)) {
    throw new ApiError(
      "UnsupportedMediaType",
      `the body of the request was in an unknown format - accepted media types include: ${ACCEPTED.join(", ")}`,
    );
  }
  const body = parseBody(await readText(request), "json");
  if (!body) throw badRequest("the request has no body: a patch is expected");
  if (type === "application/json-patch+json") {
    const operations = parseJsonPatch(body.value);
    return (target) => mustBeObject(applyJsonPatch(target, operations));
  }
  const { value } = body;
  if (!isObject(value)) throw badRequest("the patch is not an object");
  return type === "application/merge-patch+json"
    ? (target) => mustBeObject(mergePatch(target, value))
    : (target) => strategicMerge(target, value, kind);
}

function mustBeObject(value: unknown): JsonObject {
  if (!isObject(value)) throw badRequest("what the patch leaves is not an object");
  return value;
}
