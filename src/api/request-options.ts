/** Small JSON bodies of our own endpoints: an object of optional numbers and flags. Anything else is refused by its name. */
import { ApiError } from "../model/errors.ts";

export type Options = Readonly<Record<string, unknown>>;

/** An empty body is an empty object. */
export async function optionsOf(request: Request, known: readonly string[]): Promise<Options> {
  const text = await request.text();
  if (text.trim() === "") return {};
  const options = parse(text);
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new ApiError("BadRequest", `there is no option "${unknown}"; there are: ${known.join(", ")}`);
  }
  return options;
}

function parse(text: string): Options {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ApiError("BadRequest", `the body is not JSON: ${(error as Error).message}`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Options;
  throw new ApiError("BadRequest", "the body must be a JSON object");
}

export function wholeNumber<Name extends string>(
  options: Options,
  name: Name,
  least: number,
  most: number,
): { readonly [name in Name]?: number } {
  const value = options[name];
  if (value === undefined) return {};
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
    throw new ApiError("BadRequest", `${name} must be a whole number from ${least} to ${most}`);
  }
  return { [name]: value } as { readonly [name in Name]?: number };
}

export function flag<Name extends string>(options: Options, name: Name): { readonly [name in Name]?: boolean } {
  const value = options[name];
  if (value === undefined) return {};
  if (typeof value !== "boolean") throw new ApiError("BadRequest", `${name} must be true or false`);
  return { [name]: value } as { readonly [name in Name]?: boolean };
}
