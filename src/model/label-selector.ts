import type { LabelRequirement, LabelSelector } from "./constraint.ts";
import { ApiError } from "./errors.ts";

export type Labels = Readonly<Record<string, string>>;

/** All of them must hold. */
export function matchesRequirements(requirements: readonly LabelRequirement[], labels: Labels | undefined): boolean {
  return requirements.every((requirement) => matchesRequirement(requirement, labels));
}

function matchesRequirement(requirement: LabelRequirement, labels: Labels | undefined): boolean {
  const { key } = requirement;
  return meetsRequirement(labels && Object.hasOwn(labels, key) ? labels[key] : undefined, requirement);
}

/** As in Kubernetes: a label that is missing satisfies NotIn and DoesNotExist; Gt and Lt compare whole numbers. */
export function meetsRequirement(value: string | undefined, { operator, values = [] }: LabelRequirement): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return isWhole(value) && isWhole(values[0]) && Number(value) > Number(values[0]);
    case "Lt":
      return isWhole(value) && isWhole(values[0]) && Number(value) < Number(values[0]);
    default:
      // An operator that this version does not know, from a store that another wrote, holds nowhere.
      return false;
  }
}

/** matchLabels and matchExpressions together. An empty selector picks everything. */
export function matchesSelector(selector: LabelSelector, labels: Labels | undefined): boolean {
  return (
    matchesLabels(selector.matchLabels ?? {}, labels) && matchesRequirements(selector.matchExpressions ?? [], labels)
  );
}

/** Every pair of `wanted` is there. */
export function matchesLabels(wanted: Labels, labels: Labels | undefined): boolean {
  for (const key in wanted) {
    if (!labels || !Object.hasOwn(labels, key) || labels[key] !== wanted[key]) return false;
  }
  return true;
}

function isWhole(text: string | undefined): boolean {
  return text !== undefined && /^[+-]?\d{1,18}$/.test(text);
}

/** `a=b,c!=d,e in (f,g),h notin (i),j,!k`: what `-l` takes. Refuses with 400. */
export function parseLabelSelector(text: string): readonly LabelRequirement[] {
  return splitAtTopLevel(text).map(parseRequirement);
}

/** Commas outside parentheses. */
function splitAtTopLevel(text: string): readonly string[] {
  if (text.trim() === "") return [];
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "(") depth++;
    else if (text[i] === ")") depth--;
    else if (text[i] === "," && depth === 0) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  return [...parts, text.slice(start)].map((part) => part.trim());
}

const NAME = "[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?";
const KEY = `(?:${NAME}/)?${NAME}`;
const VALUE = `(?:${NAME})?`;
const SET = new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(([^()]*)\\)$`);
const EQUAL = new RegExp(`^(${KEY})\\s*(==|=|!=)\\s*(${VALUE})$`);
const ORDER = new RegExp(`^(${KEY})\\s*(>|<)\\s*([+-]?\\d+)$`);
const PRESENT = new RegExp(`^(!?)\\s*(${KEY})$`);
const WHOLE_VALUE = new RegExp(`^${VALUE}$`);

function parseRequirement(part: string): LabelRequirement {
  if (part.length > LONGEST_PART) throw cannotParse(`${part.slice(0, 40)}…`);
  const set = SET.exec(part);
  if (set) {
    const values = (set[3] ?? "").split(",").map((value) => value.trim());
    if (values.some((value) => !WHOLE_VALUE.test(value))) throw cannotParse(part);
    return { key: set[1] ?? "", operator: set[2] === "in" ? "In" : "NotIn", values };
  }
  const equal = EQUAL.exec(part);
  if (equal) return { key: equal[1] ?? "", operator: equal[2] === "!=" ? "NotIn" : "In", values: [equal[3] ?? ""] };
  const order = ORDER.exec(part);
  if (order) return { key: order[1] ?? "", operator: order[2] === ">" ? "Gt" : "Lt", values: [order[3] ?? ""] };
  const present = PRESENT.exec(part);
  if (present) return { key: present[2] ?? "", operator: present[1] === "!" ? "DoesNotExist" : "Exists" };
  throw cannotParse(part);
}

/** Keeps the patterns above, which may look twice at a name, from long nonsense. */
const LONGEST_PART = 4096;

function cannotParse(part: string): ApiError {
  return new ApiError(
    "BadRequest",
    `unable to parse requirement: ${JSON.stringify(part)} is none of key=value, key!=value, key in (a,b), key notin (a,b), key, !key`,
  );
}
