import type { RequestContext } from "../../../http/route.ts";
import { invalidObject } from "../errors.ts";
import { absoluteId, isPathId, PATH_ID_PATTERN } from "../ids.ts";
import { idWithin } from "../validate.ts";

/** The app a path names: repeated slashes are one (clients send `/v2/apps//shop`). */
export function idOf({ params }: RequestContext): string {
  const text = params.id ?? "";
  if (!isPathId(text)) {
    throw invalidObject([{ field: "/id", message: `must fully match regular expression '${PATH_ID_PATTERN}'` }]);
  }
  return idWithin(text);
}

/** `shop/*` names every app of the group; undefined for one app's id. */
export function groupOf({ params }: RequestContext): string | undefined {
  const text = params.id ?? "";
  return text.endsWith("*") ? absoluteId(text.slice(0, -1), "/") : undefined;
}
