/**
 * Annotations of an Ingress that are done, as options of a route: of ingress-nginx, and lists of addresses of any controller. The others
 * are said with it. Pure.
 */
import type { RouteEntry, RouteOptions } from "../network.ts";
import {
  type ControllerAnnotation,
  controllerAnnotations,
  keepsSomebodyOut,
  NGINX,
  rangeKind,
} from "./controller-annotations.ts";
import { parsePath } from "./host-and-path.ts";
import { rangesOf } from "./protection.ts";

type Annotations = Readonly<Record<string, string>>;
type Options = Pick<RouteEntry, "options" | "remarks" | "unguarded">;
type Protocol = NonNullable<RouteOptions["backendProtocol"]>;

const PROTOCOLS: Readonly<Record<string, Protocol>> = { HTTP: "http", HTTPS: "https", GRPC: "h2c", GRPCS: "https" };

/** Name of one of ingress-nginx → whether that value is done. */
const DONE: Readonly<Record<string, (value: string) => boolean>> = {
  "ssl-redirect": () => true,
  "force-ssl-redirect": () => true,
  affinity: (value) => value === "cookie",
  "backend-protocol": (value) => Object.hasOwn(PROTOCOLS, value),
  "rewrite-target": (value) => pathOf(value) !== undefined,
};

export function ingressOptions(annotations: Annotations): Options {
  const all = controllerAnnotations(annotations);
  // What they list is looked at where options are (option-problem.ts).
  const { lists, left, ...ranges } = rangeOptions(all);
  const said = (name: string) => annotations[`${NGINX}${name}`];
  const protocol = said("backend-protocol") ?? "HTTP";
  const rewritePath = pathOf(said("rewrite-target") ?? "");
  const options: RouteOptions = {
    ...(said("affinity") === "cookie" ? { sticky: true } : {}),
    ...(protocol !== "HTTP" && Object.hasOwn(PROTOCOLS, protocol)
      ? { backendProtocol: PROTOCOLS[protocol] as Protocol }
      : {}),
    ...(rewritePath === undefined ? {} : { rewritePath }),
    ...ranges,
  };
  const others = all.filter((each) => !lists.includes(each));
  const remarks = others.flatMap(undone);
  const unguarded = others.filter((each) => left.includes(each) || keepsOut(each)).map(({ words }) => words);
  return {
    ...(Object.keys(options).length === 0 ? {} : { options }),
    ...(remarks.length === 0 ? {} : { remarks }),
    ...(unguarded.length === 0 ? {} : { unguarded }),
  };
}

interface Ranges extends Pick<RouteOptions, "allowFrom" | "denyFrom"> {
  /** The annotations that say these. */
  readonly lists: readonly ControllerAnnotation[];
  /** Further ones of who may come in, that say otherwise: whom both let in is not worked out. */
  readonly left: readonly ControllerAnnotation[];
}

/** Ingress-nginx' own come first; who is on any list of those who may not come in does not. */
function rangeOptions(all: readonly ControllerAnnotation[]): Ranges {
  const ours = [...all].sort((a, b) => Number(b.isNginx) - Number(a.isNginx));
  const [allow, deny] = (["allow", "deny"] as const).map((kind) => ours.filter((each) => rangeKind(each) === kind));
  const first = (allow ?? []).find(({ value }) => rangesOf(value) !== undefined);
  const left = (allow ?? []).filter(({ value }) => rangesOf(value) !== undefined && !saysTheSame(value, first?.value));
  const denied = (deny ?? []).flatMap(({ value }) => rangesOf(value) ?? []);
  const isAnyDenied = (deny ?? []).some(({ value }) => rangesOf(value) !== undefined);
  const allowFrom = rangesOf(first?.value);
  return {
    ...(allowFrom ? { allowFrom } : {}),
    ...(isAnyDenied ? { denyFrom: [...new Set(denied)] } : {}),
    lists: [...(allow ?? []), ...(deny ?? [])].filter((each) => !left.includes(each)),
    left,
  };
}

function saysTheSame(a: string, b: string | undefined): boolean {
  return [...(rangesOf(a) ?? [])].sort().join() === [...(rangesOf(b) ?? [])].sort().join();
}

function keepsOut(annotation: ControllerAnnotation): boolean {
  return !isDone(annotation) && keepsSomebodyOut(annotation);
}

function isDone({ name, value, isNginx }: ControllerAnnotation): boolean {
  return isNginx && Object.hasOwn(DONE, name) && DONE[name]?.(value) === true;
}

function undone(annotation: ControllerAnnotation): readonly string[] {
  if (isDone(annotation)) return [];
  const { name, value, words, isNginx } = annotation;
  const isOtherwise = isNginx && Object.hasOwn(DONE, name);
  return [isOtherwise ? `${words}: ${value.slice(0, 80)} is not done` : `${words} is not done`];
}

/** What regular expressions found (`$1`) cannot be put in place: paths here are none. */
function pathOf(text: string): string | undefined {
  if (text === "" || text.includes("$")) return undefined;
  const parsed = parsePath(text, "exact");
  return "path" in parsed ? parsed.path : undefined;
}
