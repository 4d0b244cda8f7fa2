import { answers } from "./listen.ts";
import type { Settings } from "./settings.ts";
import type { UpIo } from "./up-io.ts";

const USUAL_SOCKET = "/var/run/docker.sock";

export interface LocatedEngine {
  /** Where the engine is, or would be. */
  readonly dockerHost: string;
  readonly words: string;
}

export async function locateEngine(settings: Settings, _io: UpIo): Promise<LocatedEngine> {
  const dockerHost = settings.dockerHost ?? `unix://${USUAL_SOCKET}`;
  const there = !dockerHost.startsWith("unix://") || (await answers(dockerHost.slice("unix://".length)));
  return {
    dockerHost,
    words: there
      ? `Docker at ${dockerHost}`
      : `none: no Docker Engine answers at ${dockerHost}; pods that need it wait`,
  };
}

/** Where the engine was when this directory was last used. */
export function knownEngine(settings: Settings, place: { readonly dockerHost: string }): string {
  return settings.dockerHost ?? place.dockerHost;
}
