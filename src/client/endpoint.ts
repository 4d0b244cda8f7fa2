import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ClientError } from "./client-error.ts";
import { type Surroundings, socketCandidates } from "./locations.ts";

/** Which server to talk to, and as whom. */
export type Endpoint =
  | { readonly type: "unix"; readonly path: string; readonly token?: string }
  | {
      readonly type: "net";
      readonly url: URL;
      readonly token?: string;
      /** PEM of the only CA that is believed. */
      readonly ca?: string;
    };

export interface EndpointSettings {
  readonly server?: string;
  readonly token?: string;
  /** File with the CA's certificate. */
  readonly ca?: string;
}

/** Flags win over the environment (STYR_SERVER, STYR_TOKEN, STYR_CA), that wins over ~/.config/styr/config.json. */
export function chooseEndpoint(flags: EndpointSettings, around: Surroundings): Endpoint {
  const { env } = around;
  const file = flags.server || env.STYR_SERVER ? {} : readConfig(around);
  const server = flags.server || env.STYR_SERVER || file.server;
  const token = flags.token || env.STYR_TOKEN || file.token;
  const ca = flags.ca || env.STYR_CA || file.ca;
  return endpointOf(server || `unix://${findSocket(around)}`, token || undefined, ca || undefined);
}

export function endpointOf(server: string, token: string | undefined, ca: string | undefined): Endpoint {
  const withToken = token === undefined ? {} : { token };
  if (server.startsWith("/")) return { type: "unix", path: server, ...withToken };
  if (!URL.canParse(server)) throw badServer(server);
  const url = new URL(server);
  if (url.protocol === "unix:") return { type: "unix", path: decodeURIComponent(url.pathname), ...withToken };
  if (url.protocol !== "http:" && url.protocol !== "https:") throw badServer(server);
  return { type: "net", url, ...withToken, ...(ca === undefined ? {} : { ca: readCa(ca) }) };
}

function badServer(server: string): ClientError {
  return new ClientError(`"${server}" is not a server: give https://HOST:7443, http://HOST:PORT or unix:///PATH`);
}

/** The first that is there; when none is, the first, whose absence then makes the error message. */
function findSocket(around: Surroundings): string {
  const candidates = socketCandidates(around);
  return candidates.find((path) => existsSync(path)) ?? candidates[0] ?? "";
}

function readCa(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ClientError(`the CA file ${path} cannot be read: ${(error as Error).message}`);
  }
}

function readConfig({ env, home }: Surroundings): EndpointSettings {
  const path = join(env.XDG_CONFIG_HOME || join(home, ".config"), "styr", "config.json");
  if (!existsSync(path)) return {};
  try {
    const { server, token, ca } = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    return { ...text("server", server), ...text("token", token), ...text("ca", ca) };
  } catch (error) {
    throw new ClientError(`${path} cannot be read: ${(error as Error).message}`);
  }
}

function text(name: string, value: unknown): Readonly<Record<string, string>> {
  return typeof value === "string" && value !== "" ? { [name]: value } : {};
}
