/** Who really asks, as one server tells it to another. Believed from servers only: listen.ts. */
import type { Actor, Role } from "../../http/actor.ts";

export const ORIGINAL_HEADER = "styrmann-actor";

export interface Original {
  readonly actor: Actor;
  readonly remoteAddress: string;
  readonly origin: string;
}

const ROLES: readonly Role[] = ["admin", "operator", "viewer", "node", "server"];

export function renderOriginal({ actor, remoteAddress, origin }: Original): string {
  return Buffer.from(JSON.stringify({ actor, remoteAddress, origin })).toString("base64url");
}

/** Undefined when it is none: then nobody is believed to ask. */
export function parseOriginal(text: string): Original | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  return isOriginal(value) ? value : undefined;
}

function isOriginal(value: unknown): value is Original {
  if (!isRecord(value) || !isRecord(value.actor)) return false;
  const { name, roles, rolesIn } = value.actor;
  const isIn = rolesIn === undefined || (isRecord(rolesIn) && Object.values(rolesIn).every(areRoles));
  return [name, value.remoteAddress, value.origin].every((part) => typeof part === "string") && areRoles(roles) && isIn;
}

function areRoles(value: unknown): value is readonly Role[] {
  return Array.isArray(value) && value.every((role) => ROLES.includes(role));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
