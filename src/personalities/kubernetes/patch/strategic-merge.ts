/**
 * Kubernetes' strategic merge patch: objects merge; lists merge by a key of their items, or as sets, where the schema
 * says so, and are replaced elsewhere. Directives: `$patch` replace, delete, merge; `$deleteFromPrimitiveList/x`;
 * `$setElementOrder/x`; `$retainKeys`. Source: k8s.io/apimachinery/pkg/util/strategicpatch.
 */
import { ApiError } from "../../../model/errors.ts";
import { sameJson } from "../../../store/transaction.ts";
import { isObject, type JsonObject } from "../json.ts";
import { type FieldType, type ListMerge, messageOf } from "../schema/schema.ts";

const PATCH = "$patch";
const RETAIN = "$retainKeys";
const DELETE_FROM = "$deleteFromPrimitiveList/";
const ORDER = "$setElementOrder/";

/** Applies a patch to an object of the message `kind`. Pure. */
export function strategicMerge(target: JsonObject, patch: JsonObject, kind: string): JsonObject {
  return mergeObject(target, patch, { is: "message", message: kind });
}

type Lookup = (key: string) => FieldType | undefined;

function lookupOf(type: FieldType | undefined): Lookup {
  if (type?.is === "message") return (key) => messageOf(type.message).get(key);
  if (type?.is === "map") return () => type.of;
  return () => undefined;
}

function mergeObject(target: JsonObject, patch: JsonObject, type: FieldType | undefined): JsonObject {
  const { [PATCH]: directive, [RETAIN]: retain, ...changes } = patch;
  if (directive === "replace") return withoutNulls(changes);
  if (directive === "delete") return {};
  if (directive !== undefined && directive !== "merge") {
    throw refusal(`unknown patch type ${JSON.stringify(directive)} found: $patch is replace, delete or merge`);
  }
  const lookup = lookupOf(type);
  const result = new Map(Object.entries(retained(target, retain)));
  for (const [key, value] of Object.entries(changes)) {
    if (key.startsWith(DELETE_FROM)) removePrimitives(result, key.slice(DELETE_FROM.length), value);
    else if (key.startsWith(ORDER)) continue;
    else if (value === null) result.delete(key);
    else result.set(key, mergeValue(result.get(key), value, lookup(key), orderFor(changes, key)));
  }
  for (const [key, value] of Object.entries(changes)) {
    if (!key.startsWith(ORDER)) continue;
    const field = key.slice(ORDER.length);
    const list = result.get(field);
    if (!Object.hasOwn(changes, field) && Array.isArray(list)) {
      result.set(field, ordered(list, mustBeList(value, key), mergeOf(lookup(field)), list));
    }
  }
  return Object.fromEntries(result);
}

function orderFor(changes: JsonObject, key: string): readonly unknown[] | undefined {
  const order = changes[ORDER + key];
  return order === undefined ? undefined : mustBeList(order, ORDER + key);
}

function mergeValue(
  present: unknown,
  value: unknown,
  type: FieldType | undefined,
  order: readonly unknown[] | undefined,
): unknown {
  if (isObject(value)) return mergeObject(isObject(present) ? present : {}, value, type);
  if (!Array.isArray(value)) return value;
  const merge = mergeOf(type);
  const list = Array.isArray(present) ? present : [];
  if (merge.by === "key") return mergeByKey(list, value, merge, type?.is === "list" ? type.of : undefined, order);
  if (merge.by === "set") return mergeAsSet(list, value, order);
  return value.map((item) => (isObject(item) ? withoutNulls(item) : item));
}

function mergeOf(type: FieldType | undefined): ListMerge {
  return type?.is === "list" ? type.merge : { by: "atomic" };
}

/** Items of the patch go into the items that have the same key; new ones go to the end. */
function mergeByKey(
  present: readonly unknown[],
  patch: readonly unknown[],
  merge: ListMerge & { by: "key" },
  itemType: FieldType | undefined,
  order: readonly unknown[] | undefined,
): readonly unknown[] {
  const items = patch.map((item) => {
    if (!isObject(item)) throw refusal(`an item of a list that is merged by "${merge.key}" is not an object`);
    return item;
  });
  // An item that is nothing but a directive replaces the whole list with the others.
  if (items.some((item) => item[PATCH] === "replace")) {
    return items.filter((item) => item[PATCH] !== "replace").map(withoutNulls);
  }
  let result: unknown[] = [...present];
  for (const item of items) {
    const key = keyOfItem(item, merge.key);
    const at = result.findIndex((other) => isObject(other) && sameJson(other[merge.key], key));
    if (item[PATCH] === "delete") {
      result = result.filter((other) => !(isObject(other) && sameJson(other[merge.key], key)));
    } else if (at < 0) result.push(mergeObject({}, item, itemType));
    else result[at] = mergeObject(result[at] as JsonObject, item, itemType);
  }
  return order ? ordered(result, order, merge, present) : result;
}

function keyOfItem(item: JsonObject, key: string): unknown {
  if (item[key] !== undefined && item[key] !== null) return item[key];
  throw refusal(`map: ${JSON.stringify(item).slice(0, 200)} does not contain declared merge key: ${key}`);
}

function mergeAsSet(
  present: readonly unknown[],
  patch: readonly unknown[],
  order: readonly unknown[] | undefined,
): readonly unknown[] {
  const result = [...new Set([...present, ...patch])];
  return order ? ordered(result, order, { by: "set" }, present) : result;
}

/**
 * Items named in `order` in that order; the server's own items, which it does not name, keep their places among the
 * others: each stays behind the item it followed. Source: strategicpatch.normalizeElementOrder.
 */
function ordered(
  list: readonly unknown[],
  order: readonly unknown[],
  merge: ListMerge,
  original: readonly unknown[],
): readonly unknown[] {
  if (merge.by === "atomic") return list;
  const idOf = (item: unknown) => JSON.stringify(merge.by === "key" && isObject(item) ? item[merge.key] : item);
  const rank = new Map(order.map((item, at) => [idOf(item), at]));
  const place = new Map(original.map((item, at) => [idOf(item), at]));
  const named = list
    .filter((item) => rank.has(idOf(item)))
    .sort((a, b) => (rank.get(idOf(a)) ?? 0) - (rank.get(idOf(b)) ?? 0));
  const serverOnly = list.filter((item) => !rank.has(idOf(item)));
  const result: unknown[] = [];
  while (named.length > 0 || serverOnly.length > 0) {
    const [first] = named;
    const [own] = serverOnly;
    const takesOwn =
      first === undefined ||
      (own !== undefined && (place.get(idOf(own)) ?? Infinity) < (place.get(idOf(first)) ?? Infinity));
    result.push(takesOwn ? serverOnly.shift() : named.shift());
  }
  return result;
}

function removePrimitives(result: Map<string, unknown>, field: string, value: unknown): void {
  const present = result.get(field);
  const gone = mustBeList(value, DELETE_FROM + field);
  if (Array.isArray(present)) {
    result.set(
      field,
      present.filter((item) => !gone.includes(item)),
    );
  }
}

/** `$retainKeys`: of what is there, only these keys stay (a union that changes its member). */
function retained(target: JsonObject, keys: unknown): JsonObject {
  if (keys === undefined) return target;
  const keep = mustBeList(keys, RETAIN);
  return Object.fromEntries(Object.entries(target).filter(([key]) => keep.includes(key)));
}

function mustBeList(value: unknown, directive: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw refusal(`${directive} must be a list`);
}

/** Directives and nulls mean nothing in what is taken over whole. */
function withoutNulls(value: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, item]) => item !== null && !key.startsWith("$"))
      .map(([key, item]) => [key, isObject(item) ? withoutNulls(item) : item]),
  );
}

function refusal(why: string): ApiError {
  return new ApiError("BadRequest", `the strategic merge patch cannot be applied: ${why}`);
}
