/** Join tokens and the CA over our own endpoints (docs/api.md). */
import type { CaEndReport, CaReport, JoinTokenReport, NewJoinToken } from "../model/trust-reports.ts";
import type { StyrClient } from "./styr-client.ts";

const TOKENS = "/styr/v1/join-tokens";
const CA = "/styr/v1/ca";

export interface NewTokenWish {
  readonly role: string;
  readonly ttlMs?: number;
  readonly uses?: number;
}

export function createJoinToken(client: StyrClient, wish: NewTokenWish): Promise<NewJoinToken> {
  return client.request("POST", TOKENS, wish);
}

export async function listJoinTokens(client: StyrClient): Promise<readonly JoinTokenReport[]> {
  return (await client.request<{ tokens: readonly JoinTokenReport[] }>("GET", TOKENS)).tokens;
}

export function revokeJoinToken(client: StyrClient, id: string): Promise<void> {
  return client.request("DELETE", `${TOKENS}/${encodeURIComponent(id)}`);
}

export function readCa(client: StyrClient): Promise<CaReport> {
  return client.request("GET", CA);
}

export function rotateCa(client: StyrClient): Promise<CaReport> {
  return client.request("POST", `${CA}/rotate`);
}

export function finishCaRotation(client: StyrClient, giveUp: readonly string[]): Promise<CaEndReport> {
  return client.request("POST", `${CA}/rotate/finish`, { giveUp });
}

export function revokeCertificates(client: StyrClient, name: string, role: string): Promise<void> {
  return client.request("POST", `${CA}/revoke`, { name, role });
}
