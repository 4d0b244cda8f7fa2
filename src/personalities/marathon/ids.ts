/** App ids are absolute paths (`/shop/cart`); Marathon calls them PathId. */

/** The words of the original's regular expression, for messages; `isPathId` decides the same in linear time. */
export const PATH_ID_PATTERN =
  "^(\\/?((\\.\\.)|(([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])\\.)*([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9]))?($|\\/))+$";

const RESERVED: ReadonlySet<string> = new Set(["restart", "tasks", "versions", ".", ".."]);

export function isPathId(text: string): boolean {
  return text.length > 0 && text.split("/").every((segment) => segment === "" || segment === ".." || isName(segment));
}

/** Dots separate parts of `a-z 0-9 -` that neither begin nor end with a dash. */
function isName(segment: string): boolean {
  return segment.split(".").every((part) => /^[a-z0-9-]+$/.test(part) && !part.startsWith("-") && !part.endsWith("-"));
}

/** `cart` within `/shop` is `/shop/cart`; `.`, `..` and repeated slashes are resolved. `/` is the root group. */
export function absoluteId(text: string, base = "/"): string {
  const segments = text.startsWith("/") ? [] : base.split("/").filter((segment) => segment !== "");
  for (const segment of text.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  return `/${segments.join("/")}`;
}

/** More `..` than there are groups to leave: it names nothing, and is no other way to say what is left of it. */
export function climbsAboveRoot(text: string, base = "/"): boolean {
  let depth = text.startsWith("/") ? 0 : base.split("/").filter((segment) => segment !== "").length;
  for (const segment of text.split("/")) {
    if (segment === "..") depth--;
    else if (segment !== "" && segment !== ".") depth++;
    if (depth < 0) return true;
  }
  return false;
}

export function endsReserved(id: string): boolean {
  return RESERVED.has(id.slice(id.lastIndexOf("/") + 1));
}

/** The App object's name: ids have no `_`, so this can be undone. Also the first part of task ids. */
export function nameOfId(id: string): string {
  return id.slice(1).replaceAll("/", "_");
}

export function isWithin(id: string, groupId: string): boolean {
  return groupId === "/" ? id !== "/" : id.startsWith(`${groupId}/`);
}

export function parentOf(id: string): string {
  return id.slice(0, id.lastIndexOf("/")) || "/";
}

/** Every group that holds this id, `/` first. */
export function groupsAbove(id: string): readonly string[] {
  const groups: string[] = [];
  for (let at = parentOf(id); ; at = parentOf(at)) {
    groups.unshift(at);
    if (at === "/") return groups;
  }
}

const TASK_ID = /^(?<app>.+)\.(?<instance>(?:instance-|marathon-)[^.]+)(?:\.(?<container>[^.]+)\.(?<attempt>\d+))?$/;

export interface TaskIdParts {
  /** The App object's name. */
  readonly appName: string;
  /** `shop_cart.instance-<uuid>`: what events call the instance. */
  readonly instanceId: string;
}

/** `shop_cart.instance-<uuid>._app.1`, or an instance id without its last two parts. Undefined when it is neither. */
export function parseTaskId(text: string): TaskIdParts | undefined {
  const parts = TASK_ID.exec(text)?.groups;
  if (!parts?.app) return undefined;
  return { appName: parts.app, instanceId: `${parts.app}.${parts.instance}` };
}

export function newTaskId(id: string, uuid: string): string {
  return `${nameOfId(id)}.instance-${uuid}._app.1`;
}

/** Mesos' task name and discovery name: `/shop/cart` is `cart.shop`. */
export function discoveryName(id: string): string {
  return id.slice(1).split("/").reverse().join(".");
}
