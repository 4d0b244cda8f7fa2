/** Where a Docker Engine listens, from the words of DOCKER_HOST: unix:///path, tcp://host:port, http(s)://host:port. */
import { DriverError } from "../driver.ts";

export interface EngineTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** DOCKER_TLS_VERIFY; without it the engine's certificate is not checked, as the docker client does. */
  readonly verify: boolean;
}

export interface EngineAddress {
  /** As the user wrote it, for messages. */
  readonly text: string;
  readonly origin: string;
  readonly socketPath?: string;
  readonly tls?: EngineTls;
}

/** Throws DriverError (not temporary) when the words are none that Docker knows. */
export function parseEngineAddress(text: string, tls?: EngineTls): EngineAddress {
  const [, scheme = "", rest = ""] = /^([a-z]+):\/\/(.+)$/.exec(text) ?? [];
  if (scheme === "unix" && rest.startsWith("/")) return { text, origin: "http://docker", socketPath: rest };
  if (["tcp", "http", "https"].includes(scheme) && URL.canParse(`http://${rest}`)) {
    const secure = scheme === "https" || (scheme === "tcp" && tls !== undefined);
    const url = new URL(`http://${rest}`);
    const port = url.port || (secure ? "2376" : "2375");
    const origin = `${secure ? "https" : "http"}://${url.hostname}:${port}`;
    return { text, origin, ...(secure ? { tls: tls ?? { verify: true } } : {}) };
  }
  throw new DriverError(
    `"${text}" is no address of a Docker Engine: give unix:///path/to/docker.sock or tcp://HOST:PORT`,
    { temporary: false, reason: "InvalidEngineAddress" },
  );
}
