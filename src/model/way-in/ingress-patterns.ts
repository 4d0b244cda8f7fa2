/**
 * Paths of ingress-nginx that are patterns: with `use-regex`, or a `rewrite-target`. Those that mean "all below this path", which is how
 * nearly all are written, are that; of others it is known how they begin. Pure.
 */
import { NGINX } from "./controller-annotations.ts";

export type PathPattern =
  /** `put`: what its target puts in place of the path. */
  { readonly below: string; readonly put?: string } | { readonly beginsWith: string };

/** What means something in a pattern, and nothing in a path. */
const SIGN = /[()[\]{}|^$*+?\\]/;
/** Tails that stand for all below, and the number of the group that has the rest of the path. */
const TAILS: readonly (readonly [tail: string, rest: string])[] = [
  ["(/|$)(.*)", "$2"],
  ["/?(.*)", "$1"],
  ["/(.*)", "$1"],
  ["(/.*)?", "$1"],
  ["(/|$)", ""],
  ["/.*", ""],
];

/** Undefined: it is a path. */
export function patternOf(path: string, annotations: Readonly<Record<string, string>>): PathPattern | undefined {
  const target = annotations[`${NGINX}rewrite-target`];
  const isPattern = annotations[`${NGINX}use-regex`] === "true" || target !== undefined;
  const at = path.search(SIGN);
  if (!isPattern || at < 0) return undefined;
  for (const [tail, rest] of TAILS) {
    const below = path.slice(0, path.length - tail.length);
    if (!path.endsWith(tail) || SIGN.test(below)) continue;
    if (target === undefined) return { below };
    // The rest begins with a slash in one of them, and after one in the others.
    const end = tail === "(/.*)?" ? rest : `/${rest}`;
    if (rest !== "" && target.endsWith(end) && !SIGN.test(target.slice(0, -end.length)))
      return { below, put: target.slice(0, -end.length) || "/" };
  }
  return { beginsWith: beginning(path, at) };
}

/** What all that it matches begins with. A letter that may be missing, or be any, is none of it; a choice has two beginnings. */
function beginning(path: string, at: number): string {
  const [sign = "", before = ""] = [path[at], path[at - 1]];
  if (sign === "|") return "/";
  const isUnsure = "*?{".includes(sign) || (sign === "+" && before === ".");
  return path.slice(0, isUnsure ? at - 1 : at) || "/";
}
