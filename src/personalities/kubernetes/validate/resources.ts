import { parseQuantity } from "../../../lib/quantity.ts";
import type { Resources } from "../../../model/pod.ts";
import { type FieldError, invalidValue, required } from "./field-errors.ts";
import { qualifiedName } from "./names.ts";

const STANDARD: ReadonlySet<string> = new Set(["cpu", "memory", "ephemeral-storage"]);

/** Requests and limits: known names, no negative amounts, no limit below its request. */
export function validateResources(resources: Resources | undefined, path: string): readonly FieldError[] {
  const { requests = {}, limits = {} } = resources ?? {};
  return [
    ...amounts(limits, `${path}.limits`),
    ...amounts(requests, `${path}.requests`),
    ...Object.entries(requests).flatMap(([name, request]) => {
      const limit = limits[name];
      if (limit === undefined || value(request) <= value(limit)) return [];
      return [invalidValue(`${path}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`)];
    }),
  ];
}

export function amounts(of: Readonly<Record<string, string>>, path: string): readonly FieldError[] {
  return Object.entries(of).flatMap(([name, quantity]) => {
    const field = `${path}[${name}]`;
    const problems = qualifiedName(name).map((why) => invalidValue(field, name, why));
    if (problems.length === 0 && !STANDARD.has(name) && !name.includes("/") && !name.startsWith("hugepages-")) {
      problems.push(invalidValue(field, name, "must be a standard resource type or fully qualified"));
    }
    if (value(quantity) < 0) problems.push(invalidValue(field, quantity, "must be greater than or equal to 0"));
    // Half a GPU is none. Of what has a slash in its name, one is the least.
    else if (name.includes("/") && !Number.isInteger(value(quantity)))
      problems.push(invalidValue(field, quantity, "must be an integer"));
    return problems;
  });
}

/** A quantity that must be there and more than nothing (emptyDir.sizeLimit is allowed to be 0). */
export function validateSize(quantity: string, path: string): readonly FieldError[] {
  if (quantity === "") return [required(path)];
  return value(quantity) < 0 ? [invalidValue(path, quantity, "must be greater than or equal to 0")] : [];
}

function value(quantity: string): number {
  return parseQuantity(quantity) ?? 0;
}
