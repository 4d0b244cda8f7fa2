/** Apps for the tests beside this code. */
import type { AppBody, AppDefinition } from "./app-definition.ts";
import { normalizeApp } from "./normalize.ts";
import { checkShape } from "./read-body.ts";
import { appUpdateSchema } from "./schema.ts";

export const VERSION = "2020-01-01T00:00:00.000Z";

export function bodyOf(json: object): AppBody {
  return normalizeApp("/shop/cart", checkShape(appUpdateSchema, json));
}

export function definitionOf(json: object, version = VERSION): AppDefinition {
  return { ...bodyOf(json), version, versionInfo: { lastScalingAt: version, lastConfigChangeAt: version } };
}
