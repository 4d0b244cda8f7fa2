/** What the server says about itself. */
import type { Route } from "../../http/route.ts";
import type { PersonalityContext } from "../personality.ts";

/** The Kubernetes minor whose API this is. Clients parse it as semver and refuse to talk to one that is too far from theirs. */
const MAJOR = "1";
const MINOR = "32";
const PATCH = "5";

export function serverRoutes({ store, version }: PersonalityContext): readonly Route[] {
  const read = (path: string, handle: () => Response): Route => ({
    method: "GET",
    path,
    access: { verb: "read", resource: path.slice(1), reach: "own part" },
    handle,
  });
  const healthy = () => text(200, "ok");
  return [
    read("/version", () => Response.json(versionInfo(version))),
    read("/healthz", healthy),
    read("/livez", healthy),
    read("/readyz", () =>
      store.refusal === undefined ? healthy() : text(500, `[-]store failed: ${store.refusal}\nreadyz check failed\n`),
    ),
  ];
}

function versionInfo(version: string): object {
  return {
    major: MAJOR,
    minor: MINOR,
    gitVersion: `v${MAJOR}.${MINOR}.${PATCH}+styrmann.${version}`,
    gitCommit: "",
    gitTreeState: "clean",
    buildDate: "1970-01-01T00:00:00Z",
    goVersion: "",
    compiler: "node",
    platform: `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`,
  };
}

function text(status: number, body: string): Response {
  return new Response(body, { status, headers: { "Content-Type": "text/plain; charset=utf-8" } });
}
